"""Depth of unknown scale brought to measured depth: a factor, or a factor and an offset of inverse depth."""

import cv2
import numpy as np
from jaxtyping import Float64

from core.errors import InvalidInput
from core.types.depth import DepthMap

_ROUNDS = 5
_LEAST_POINTS = 12
# The farthest fitted pixel in units of the farthest measured one: an offset may put inverse depth below zero.
_FARTHEST = 4.0


def line_fit(
    x: Float64[np.ndarray, "N"], y: Float64[np.ndarray, "N"], weights: Float64[np.ndarray, "N"] | None = None
) -> tuple[float, float]:
    """Slope and offset of y = slope x + offset by least squares; slope 0 where x does not vary."""
    weights = np.ones_like(x) if weights is None else weights
    total = weights.sum()
    x_mean, y_mean = float((weights * x).sum() / total), float((weights * y).sum() / total)
    spread = float((weights * np.square(x - x_mean)).sum())
    slope = float((weights * (x - x_mean) * (y - y_mean)).sum()) / spread if spread > 0 else 0.0
    return slope, y_mean - slope * x_mean


def fitted_to(depth: DepthMap, measured: DepthMap) -> DepthMap:
    """`depth` in the scale of `measured`, which may know a few pixels only.

    Least absolute differences of inverse depth by reweighting; a layout guess keeps its shape and takes a factor, as
    does depth that measured depth contradicts (nearer where that is farther). Raises InvalidInput with fewer than 12
    common pixels.
    """
    x, y = _common(depth, measured)
    if x.size < _LEAST_POINTS:
        raise InvalidInput(f"The file measures {x.size} pixels of the photo; at least {_LEAST_POINTS} are needed.")
    slope, offset = _robust_line(x, y)
    if depth.upright_objects or slope <= 0:
        slope, offset = float(np.median(y) / np.median(x)), 0.0
    inverse = np.where(depth.valid, slope / np.where(depth.valid, depth.values, np.float32(1)) + offset, np.float32(1))
    inverse = np.maximum(inverse, float(y.min()) / _FARTHEST)
    source = f"{depth.source}, fitted to {measured.source}"
    return depth.changed((1.0 / inverse).astype(np.float32), measured.scale, source)


def _common(depth: DepthMap, measured: DepthMap) -> tuple[Float64[np.ndarray, "N"], Float64[np.ndarray, "N"]]:
    """Inverse depth of both where both know it."""
    size = (measured.width, measured.height)
    valid = cv2.resize(depth.valid.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT) > 0
    made = cv2.resize(depth.values, size, interpolation=cv2.INTER_NEAREST_EXACT)
    both = valid & measured.valid
    return 1.0 / made[both].astype(np.float64), 1.0 / measured.values[both].astype(np.float64)


def _robust_line(x: Float64[np.ndarray, "N"], y: Float64[np.ndarray, "N"]) -> tuple[float, float]:
    weights = np.ones_like(x)
    slope, offset = line_fit(x, y)
    least = 1e-3 * float(np.median(y))
    for _ in range(_ROUNDS):
        weights = 1.0 / np.maximum(np.abs(slope * x + offset - y), least)
        slope, offset = line_fit(x, y, weights)
    return slope, offset
