"""The plane in space that a patch of depth lies in: a plane in space is one in inverse depth too."""

import numpy as np
from jaxtyping import Float32, Float64

_LEAST_POINTS = 3
_ROUNDS = 3
_MOST_POINTS = 50_000


def fitted_plane(
    inverse: Float32[np.ndarray, "H W"], weight: Float32[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"] | None:
    """Inverse depth of that plane at every pixel, also where it is not positive; None of fewer than three points.

    Least absolute differences by reweighting, so that a thing at the patch's edge does not tilt the plane. Of large
    patches an even share counts.
    """
    rows, columns = np.nonzero(weight)
    step = -(-rows.size // _MOST_POINTS)
    if rows.size < _LEAST_POINTS:
        return None
    rows, columns = rows[::step], columns[::step]
    height, width = inverse.shape
    places = np.stack([columns / width, rows / height, np.ones(rows.size)], axis=1)
    values, weights = inverse[rows, columns].astype(np.float64), weight[rows, columns].astype(np.float64)
    plane: Float64[np.ndarray, "3"] = np.zeros(3)
    factors = np.ones_like(weights)
    for _ in range(_ROUNDS):
        root = np.sqrt(weights * factors)
        plane = np.linalg.lstsq(places * root[:, None], values * root, rcond=None)[0]
        apart = np.abs(places @ plane - values)
        factors = 1.0 / np.maximum(apart, 1e-3 * max(float(np.median(values)), 1e-9))
    across = plane[0] * np.arange(width) / width
    down = plane[1] * np.arange(height) / height
    return (across[None] + down[:, None] + plane[2]).astype(np.float32)
