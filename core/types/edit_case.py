"""A pair of photos between which one object moved rigidly, as benchmarks of object edits tell it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from core.types.camera import Intrinsics, Pose
from core.types.ids import read_only

Picture = UInt8[np.ndarray, "H W 3"]
Points = Float64[np.ndarray, "_ 2"]

_ARRAYS = (
    "before", "after", "object_points", "object_points_after", "ground_points", "mask", "depth", "background",
    "mask_after",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class EditCase:
    """One item. `motion` takes points of the object to where they are `after`, in camera axes; the camera is still.

    Points are pixels (x, y): `object_points` (N, in `before`) are seen at `object_points_after` (N), `ground_points`
    lie on what the object stands on, `click` is on the object, `mask` is the object's visible part in `before`.
    The public files have no depth. Ours add `depth` (z of `before` in the unit of `motion`, 0 where nothing is met),
    `background` (the picture without the object) and `mask_after` (the object's visible part in `after`).
    """

    name: str
    before: Picture
    after: Picture
    intrinsics: Intrinsics
    motion: Pose
    object_points: Points
    object_points_after: Points
    ground_points: Points
    click: tuple[float, float]
    mask: Bool[np.ndarray, "H W"]
    depth: Float32[np.ndarray, "H W"] | None = None
    background: Picture | None = None
    mask_after: Bool[np.ndarray, "H W"] | None = None

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            array = getattr(self, name)
            if array is not None:
                object.__setattr__(self, name, read_only(array))
