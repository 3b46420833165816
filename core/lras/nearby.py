"""Which patches a network sees of a large frame: those nearest to what it decodes, a cluster at a time."""

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import distance_transform_edt

from core.errors import InvalidInput
from core.lras.layout import PatchIds


def nearest(ids: PatchIds, wanted: PatchIds, grid: int, most: int) -> PatchIds:
    """At most `most` (0: all) of `ids`, those with the shortest way to one of `wanted`; nearer ones first."""
    if not most or len(ids) <= most:
        return ids
    if not len(wanted):
        raise InvalidInput("Nothing is near to no patch; name at least one.")
    away = np.ones(grid * grid)
    away[wanted] = 0
    away = distance_transform_edt(away.reshape(grid, grid))
    assert isinstance(away, np.ndarray)
    return ids[np.argsort(away.reshape(-1)[ids], kind="stable")[:most]]


def clusters(ids: PatchIds, grid: int, most: int) -> list[PatchIds]:
    """`ids` in compact parts of at most `most` patches (0: one part), split across the longer side again and again."""
    if not most or len(ids) <= most:
        return [ids] if len(ids) else []
    places = _places(ids, grid)
    axis = int(np.argmax(np.ptp(places, axis=0)))
    order = np.argsort(places[:, axis], kind="stable")
    # So that no part is much smaller than it may be.
    parts = -(-len(ids) // most)
    half = round(len(ids) * (parts // 2) / parts)
    return clusters(ids[np.sort(order[:half])], grid, most) + clusters(ids[np.sort(order[half:])], grid, most)


def _places(ids: PatchIds, grid: int) -> Float64[np.ndarray, "N 2"]:
    return np.stack(np.divmod(ids, grid), axis=1).astype(np.float64)
