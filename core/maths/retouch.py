"""A brush over inverse depth: nearer, farther, flat, smooth."""

from typing import Literal

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from core.errors import InvalidInput
from core.maths.plane_fit import fitted_plane

Touch = Literal["push", "pull", "flatten", "smooth"]

# A full stroke of "push" or "pull" at strength 1 changes distances by this factor.
_LARGEST_FACTOR = 1.5
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
    plane = fitted_plane(inverse, share)
    # The plane's far end must stay before infinity.
    return inverse if plane is None else np.maximum(plane, np.float32(_LEAST_SHARE_OF_PLANE) * inverse)


def _mean(
    inverse: Float32[np.ndarray, "H W"], known: Bool[np.ndarray, "H W"], deviation: float
) -> Float32[np.ndarray, "H W"]:
    """Of known neighbours."""
    deviation = max(deviation, 0.5)
    there = known.astype(np.float32)
    total = cv2.GaussianBlur(inverse * there, (0, 0), deviation)
    count = cv2.GaussianBlur(there, (0, 0), deviation)
    return np.where(known, total / np.maximum(count, np.float32(1e-6)), inverse)
