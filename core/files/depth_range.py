"""Which stored numbers are depth, and by what factor a 16-bit file holds it."""

import numpy as np
from jaxtyping import Bool

from core.errors import InvalidInput
from core.types.depth import DepthMap

USUAL_UNITS = 1000.0  # per scene unit: millimetres of metric depth
# The last level is left free: other programs mark the unknown by it.
_LAST_LEVEL = 65_534

# No scene is this deep, in any unit: what renderers write where they saw nothing (1e10, 1e30, the largest float).
_NO_DEPTH_FROM = 1e9
_HALF_FLOAT_LARGEST = 65_504.0
_LAST_OF_INTEGERS = {np.dtype(kind): np.iinfo(kind).max for kind in (np.uint8, np.uint16, np.int16, np.int32)}
# A round number that many pixels share, this much farther than all others, is where the camera stopped looking.
_ROUND = frozenset(float(10**power - back) for power in range(2, 9) for back in (0, 1)) | {
    float(2**power - 1) for power in range(8, 31)
}
_GAP, _SHARED_BY = 30.0, 4
# Resampling mixes such numbers with depth: what lies this far beyond the middle of the scene then is a mixture.
_MIXED_FROM = 1000.0


def measured(stored: np.ndarray) -> Bool[np.ndarray, "H W"]:
    """Which of the stored numbers [H W] are depth: positive, finite, and no mark for "nothing was there".

    Marks are numbers from 1e9, the largest of a half float or of the file's integers, and a round number (1000, 9999)
    that pixels share and that is 30 times as far as anything else; continuous far depth, of landscapes, stays.
    """
    real = np.isfinite(stored) & (stored > 0)
    sentinel = real & (stored >= _NO_DEPTH_FROM)
    if stored.dtype.kind == "f":
        sentinel |= stored == _HALF_FLOAT_LARGEST
    elif stored.dtype in _LAST_OF_INTEGERS:
        sentinel |= stored == _LAST_OF_INTEGERS[stored.dtype]
    valid = real & ~sentinel
    farthest = float(stored.max(initial=0, where=valid))
    if farthest in _ROUND:
        there = valid & (stored == farthest)
        nearer = float(stored.max(initial=0, where=valid & ~there))
        if np.count_nonzero(there) >= _SHARED_BY and 0 < nearer * _GAP <= farthest:
            sentinel |= there
            valid &= ~there
    if sentinel.any() and valid.any():
        valid &= stored <= _MIXED_FROM * float(np.median(stored[valid]))
    return valid


def png_units(depth: DepthMap) -> float:
    """How many levels of a 16-bit file make one scene unit: 1000 where that holds the map, else another power of ten.

    Raises InvalidInput for a map that no such factor holds from its nearest to its farthest.
    """
    if not depth.valid.any():
        return USUAL_UNITS
    low = float(depth.values.min(initial=np.inf, where=depth.valid))
    high = float(depth.values.max(initial=0, where=depth.valid))
    finest = 10.0 ** np.floor(np.log10(_LAST_LEVEL / high))
    units = USUAL_UNITS if low * USUAL_UNITS >= 1 and high * USUAL_UNITS <= _LAST_LEVEL else float(finest)
    if low * units < 0.5:
        raise InvalidInput(
            f"The depth runs from {low:.3g} to {high:.3g}, more than 16 bits hold; choose EXR or NPY instead of PNG."
        )
    return units


def told_units(depth: DepthMap) -> str | None:
    """A sentence about a 16-bit file that is not of the usual units, None for one that is."""
    units = png_units(depth)
    if units == USUAL_UNITS:
        return None
    return (
        f"The depth PNG has {units:g} levels per scene unit instead of {USUAL_UNITS:g}, as it would not fit otherwise; "
        f"the file says so, and programs that do not read it need that number (here: --depth-scale {units:g})."
    )
