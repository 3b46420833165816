"""Point clouds and meshes on their way out."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from core.errors import InvalidInput
from core.types.ids import read_only

Axes = Literal["opencv", "gltf", "z-up"]
"""x right, y down, z forward (the world's own); x right, y up, z backward; x right, y forward, z up."""


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Points in scene units by the coordinates of `axes`, with sRGB colours."""

    points: Float32[np.ndarray, "N 3"]
    colours: UInt8[np.ndarray, "N 3"]
    axes: Axes = "opencv"

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", read_only(self.points))
        object.__setattr__(self, "colours", read_only(self.colours))


@dataclass(frozen=True, eq=False)
class TexturedMesh:
    """Triangles in scene units by the coordinates of `axes`, seen counter-clockwise from the front.

    `uv` is 0..1 with (0, 0) at the texture's top left corner, u right, v down: the centre of pixel (x, y)
    is ((x + 0.5) / W, (y + 0.5) / H). `texture` is sRGB, with straight alpha where the photo has some.
    """

    vertices: Float32[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    uv: Float32[np.ndarray, "V 2"]
    texture: UInt8[np.ndarray, "H W 3"] | UInt8[np.ndarray, "H W 4"]
    axes: Axes = "opencv"

    def __post_init__(self) -> None:
        if self.faces.size and not 0 <= self.faces.min() <= self.faces.max() < len(self.vertices):
            raise InvalidInput("A mesh's faces must name vertices that exist.")
        for name in ("vertices", "faces", "uv", "texture"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
