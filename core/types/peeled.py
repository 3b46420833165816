"""A photo taken apart into layers, each complete behind what stood before it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from core.types.ids import read_only
from core.types.photo import Coverage, Photo, Pixels


@dataclass(frozen=True, eq=False)
class PeeledLayer:
    """One surface in a window of the photo at `origin` (x, y): the photo's own values and bit depth, straight alpha.

    `depth` is z in scene units, 0 where `valid` is False: outside the surface.
    """

    name: str
    origin: tuple[int, int]
    pixels: Pixels
    alpha: Coverage
    depth: Float32[np.ndarray, "h w"]
    valid: Bool[np.ndarray, "h w"]

    def __post_init__(self) -> None:
        for name in ("pixels", "alpha", "depth", "valid"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def window(self) -> tuple[slice, slice]:
        rows, columns = self.alpha.shape
        x, y = self.origin
        return slice(y, y + rows), slice(x, x + columns)

    @property
    def median_depth(self) -> float | None:
        """None for a surface of which nothing is there."""
        return float(np.median(self.depth[self.valid])) if self.valid.any() else None


@dataclass(frozen=True, eq=False)
class Peeled:
    """Layers from the background to the front that show the photo when they are laid over each other.

    They do in the photo's own coded values, as painting programs blend; `metric`: depth is in metres.
    """

    photo: Photo
    layers: tuple[PeeledLayer, ...]
    metric: bool
