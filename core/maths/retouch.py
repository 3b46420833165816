"""A brush over inverse depth: nearer, farther, flat, smooth."""

from typing import Literal

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from core.errors import InvalidInput

Touch = Literal["push", "pull", "flatten", "smooth"]

# A full stroke of "push" or "pull" at strength 1 changes distances by this factor.
_LARGEST_FACTOR = 1.5
_LEAST_POINTS = 3
_ROUNDS = 3
_LEAST_SHARE_OF_PLANE = 0.05


def retouched(
    inverse: Float32[np.ndarray, "H W"],
    known: Bool[np.ndarray, "H W"],
    weight: Float32[np.ndarray, "H W"],
    touch: Touch,
    strength: float,
    radius: float,
) -> Float32[np.ndarray, "H W"]:
    """Inverse depth after one stroke. `weight` 0..1 says where, `strength` 0..1 how much.

    "push" moves away from the camera and "pull" towards it, by one factor; "flatten" goes towards the plane that
    fits what lies under the stroke (a plane in space is one in inverse depth too); "smooth" takes means over a third
    of `radius` pixels. Only `known` pixels change and count. Raises InvalidInput for a strength out of range or a
    stroke over nothing known.
    """
    if not 0 < strength <= 1:
        raise InvalidInput(f"The brush's strength must lie above 0 and up to 1, got {strength:g}.")
    share = np.where(known, weight, np.float32(0)) * np.float32(strength)
    if not share.any():
        raise InvalidInput("There is no known depth under the brush; paint over the picture.")
    if touch in ("push", "pull"):
        sign = -1.0 if touch == "push" else 1.0
        return inverse * np.exp(share * np.float32(sign * np.log(_LARGEST_FACTOR)))
    wanted = _plane(inverse, share) if touch == "flatten" else _mean(inverse, known, radius / 3.0)
    return np.where(share > 0, inverse + share * (wanted - inverse), inverse)


def _plane(inverse: Float32[np.ndarray, "H W"], share: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """Least absolute differences by reweighting, so that a thing at the stroke's edge does not tilt the plane."""
    rows, columns = np.nonzero(share)
    if rows.size < _LEAST_POINTS:
        return inverse
    height, width = inverse.shape
    places = np.stack([columns / width, rows / height, np.ones(rows.size)], axis=1)
    values, weights = inverse[rows, columns].astype(np.float64), share[rows, columns].astype(np.float64)
    plane: Float64[np.ndarray, "3"] = np.zeros(3)
    factors = np.ones_like(weights)
    for _ in range(_ROUNDS):
        root = np.sqrt(weights * factors)
        plane = np.linalg.lstsq(places * root[:, None], values * root, rcond=None)[0]
        apart = np.abs(places @ plane - values)
        factors = 1.0 / np.maximum(apart, 1e-3 * max(float(np.median(values)), 1e-9))
    fitted = (places @ plane).astype(np.float32)
    wanted = inverse.copy()
    # The plane's far end must stay before infinity.
    wanted[rows, columns] = np.maximum(fitted, np.float32(_LEAST_SHARE_OF_PLANE) * inverse[rows, columns])
    return wanted


def _mean(
    inverse: Float32[np.ndarray, "H W"], known: Bool[np.ndarray, "H W"], deviation: float
) -> Float32[np.ndarray, "H W"]:
    """Of known neighbours."""
    deviation = max(deviation, 0.5)
    there = known.astype(np.float32)
    total = cv2.GaussianBlur(inverse * there, (0, 0), deviation)
    count = cv2.GaussianBlur(there, (0, 0), deviation)
    return np.where(known, total / np.maximum(count, np.float32(1e-6)), inverse)
