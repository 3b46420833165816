"""The edited frame, drawn from the photo's own pixels: resampled once, or not at all where nothing moved."""

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.maths.bands import in_bands, paste
from core.maths.colour import blend
from core.maths.compiled import compiled, no_type_check
from core.maths.raster import InverseMap
from core.maths.sizes import window_at
from core.types.photo import Coverage, Pixels

_DEPTH_SLACK = 0.03  # an object this much (relative) behind a surface still lies on it: measured depth is no better
_OPAQUE = 250


@dataclass
class Canvas:
    """A frame while it is being drawn.

    `invented` marks what does not come from the photo, `drawn` where an object was laid over the background;
    `confidence` is 1 for the photo's own pixels, lower where the engine is unsure.
    `hiding` is the inverse depth of what may hide an object: `inverse_depth` itself where that was measured well.
    """

    pixels: Pixels
    alpha: Coverage | None
    inverse_depth: Float32[np.ndarray, "H W"]
    invented: Bool[np.ndarray, "H W"]
    drawn: Bool[np.ndarray, "H W"]
    confidence: Float32[np.ndarray, "H W"]
    hiding: Float32[np.ndarray, "H W"]


@dataclass(frozen=True, eq=False)
class Sprite:
    """An object's layer as the output camera sees it, in a window of the frame at `origin` (x, y)."""

    origin: tuple[int, int]
    pixels: Pixels
    coverage: UInt8[np.ndarray, "h w"]
    alpha: Coverage | None
    inverse_depth: Float32[np.ndarray, "h w"]

    @property
    def window(self) -> tuple[slice, slice]:
        return window_at(self.origin, self.coverage.shape)

    @property
    def nearness(self) -> float:
        """Median inverse depth of what it covers, for drawing order; 0 when it covers nothing."""
        covered = self.inverse_depth[self.coverage > 0]
        return float(np.median(covered)) if covered.size else 0.0


def sample(picture: np.ndarray, where: InverseMap) -> np.ndarray:
    """Bicubic samples of `picture` at an inverse map; exact at whole pixels, 0 where nothing lands."""
    source = _prefiltered(picture, minification(where))
    sampled = np.empty((*where.x.shape, *picture.shape[2:]), picture.dtype)

    def resample(first: int, last: int) -> None:
        rows = slice(first, last)
        missing = where.inverse_depth[rows] <= 0
        x, y = (np.where(missing, np.float32(-10), field[rows]) for field in (where.x, where.y))
        cv2.remap(source, x, y, cv2.INTER_CUBIC, dst=sampled[rows], borderMode=cv2.BORDER_REPLICATE)
        if missing.any():
            sampled[rows][missing] = 0

    in_bands(sampled.shape, resample)
    return sampled


def sample_nearest(flags: Bool[np.ndarray, "h w"], where: InverseMap) -> Bool[np.ndarray, "H W"]:
    """Flags of the nearest source pixel; False where nothing lands."""
    sampled = np.zeros(where.x.shape, bool)
    if flags.any():
        in_bands(sampled.shape, partial(_sample_nearest, flags, where.x, where.y, where.inverse_depth, sampled))
    return sampled


@compiled
@no_type_check
def _sample_nearest(flags, x, y, inverse, sampled, first, last):
    rows, columns = flags.shape
    for v in range(first, last):
        for u in range(x.shape[1]):
            if inverse[v, u] > 0:
                column = min(max(int(np.rint(x[v, u])), 0), columns - 1)
                row = min(max(int(np.rint(y[v, u])), 0), rows - 1)
                sampled[v, u] = flags[row, column]


def minification(where: InverseMap) -> float:
    """Median number of source pixels per target pixel along one axis (1 when nothing is covered)."""
    every = max(1, int(np.sqrt(where.x.size / 40_000)))
    here = (slice(0, -1, every), slice(0, -1, every))
    right, below = (slice(0, -1, every), slice(1, None, every)), (slice(1, None, every), slice(0, -1, every))
    steps = [np.hypot(where.x[to] - where.x[here], where.y[to] - where.y[here]) for to in (right, below)]
    known = np.concatenate([step[np.isfinite(step)] for step in steps])
    return float(np.median(known)) if known.size else 1.0


def _prefiltered(picture: np.ndarray, factor: float) -> np.ndarray:
    """Blur away what a shrinking resample would alias."""
    if factor <= 1.2:
        return picture
    return cv2.GaussianBlur(picture, (0, 0), 0.45 * np.sqrt(factor**2 - 1))


def visible_coverage(sprite: Sprite, nearest: Float32[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """The sprite's coverage where it is not behind the inverse depth of what is already drawn in its window."""
    visible = np.zeros_like(sprite.coverage)
    share = np.float32(1 - _DEPTH_SLACK)
    in_bands(visible.shape, partial(_keep_ahead, sprite.coverage, sprite.inverse_depth, nearest, share, visible))
    return visible


@compiled
@no_type_check
def _keep_ahead(coverage, inverse, nearest, share, visible, first, last):
    for y in range(first, last):
        for x in range(coverage.shape[1]):
            if inverse[y, x] >= share * nearest[y, x]:
                visible[y, x] = coverage[y, x]


def draw(canvas: Canvas, sprite: Sprite) -> None:
    """Lay a sprite over the canvas where it is not behind what is there; soft edges blend in linear light."""
    window = sprite.window
    coverage = visible_coverage(sprite, canvas.hiding[window])
    solid, soft = coverage >= _OPAQUE, (coverage > 0) & (coverage < _OPAQUE)
    under = canvas.pixels[window]
    paste(under, sprite.pixels, solid)
    share = coverage[soft].astype(np.float32) / 255.0
    under[soft] = blend(sprite.pixels[soft], under[soft], share)
    if canvas.alpha is not None and sprite.alpha is not None:
        under_alpha = canvas.alpha[window]
        paste(under_alpha, sprite.alpha, solid)
        under_alpha[soft] = np.maximum(under_alpha[soft], np.rint(share * sprite.alpha[soft]).astype(under_alpha.dtype))
    mostly = coverage >= 128
    for nearest in (canvas.inverse_depth, canvas.hiding):
        paste(nearest[window], sprite.inverse_depth, mostly)
    canvas.invented[window] &= ~mostly
    canvas.drawn[window] |= mostly
    canvas.confidence[window][mostly] = 1
