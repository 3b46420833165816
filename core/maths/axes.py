"""Axes of points, meshes and cameras in files."""

import numpy as np
from jaxtyping import Float32, Float64

from core.types.geometry import Axes

AXES_FROM_WORLD: dict[Axes, Float64[np.ndarray, "3 3"]] = {
    "opencv": np.eye(3),
    "gltf": np.diag([1.0, -1.0, -1.0]),
    "z-up": np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]]),
}
"""Rotations from the world's axes (x right, y down, z forward) to those of each name."""

AXES_IN_WORDS: dict[Axes, str] = {
    "opencv": "opencv: x right, y down, z forward",
    "gltf": "gltf: x right, y up, z backward",
    "z-up": "z-up: x right, y forward, z up",
}
"""What files say of their axes."""


def in_axes(points: Float32[np.ndarray, "N 3"], axes: Axes) -> Float32[np.ndarray, "N 3"]:
    """World points by the coordinates of those axes."""
    return points if axes == "opencv" else points @ AXES_FROM_WORLD[axes].T.astype(np.float32)
