"""Which patches are decoded together, as data: groups in order."""

from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.lras.layout import PatchIds


@dataclass(frozen=True, eq=False)
class Group:
    """Patches decoded side by side in four passes; `greedy` takes the best codes whatever the sampling."""

    ids: PatchIds
    greedy: bool = False


def in_groups(order: PatchIds, size: int) -> list[Group]:
    """`size` patches at a time; 1 is the reference's sequential decoding. Raises InvalidInput below 1."""
    if size < 1:
        raise InvalidInput(f"At least one patch must be decoded at a time, got {size}.")
    return [Group(order[start : start + size]) for start in range(0, len(order), size)]


def seq2par(order: PatchIds, sequential: int) -> list[Group]:
    """The released mixture (spec 5.5): the first patches one by one, the rest together and greedily."""
    tail = order[sequential:]
    return in_groups(order[:sequential], 1) + ([Group(tail, greedy=True)] if len(tail) else [])


def far_apart(order: PatchIds, grid: int) -> PatchIds:
    """Reorder so that patches close in the order lie far apart in the frame.

    Each next patch is the farthest from all those before it; ties follow `order`.
    """
    places = np.stack(np.divmod(order, grid), axis=1).astype(np.float64)
    nearest = np.full(len(order), np.inf)
    picked = np.zeros(len(order), np.int64)
    for index in range(len(order)):
        best = int(np.argmax(nearest))
        picked[index] = best
        nearest = np.minimum(nearest, ((places - places[best]) ** 2).sum(1))
        nearest[picked[: index + 1]] = -1
    return order[picked]
