"""Where our way of running the network and the released one differ, as one value."""

from dataclasses import dataclass
from typing import Literal

from core.errors import InvalidInput


@dataclass(frozen=True)
class Recipe:
    """Choices around the network (spec 8.1).

    `frame_0_share` of the source photo's patches are shown. `reveal` "first drawn" is the released fault:
    whichever patches are asked for, the first of the random order are revealed. `restrict_vocabulary` lets
    only codes be drawn where codes belong. `floor_projection` floors projected pixels and clips them to the frame.
    """

    name: str
    frame_0_share: float
    reveal: Literal["asked", "first drawn"]
    restrict_vocabulary: bool
    floor_projection: bool


INTENDED = Recipe("intended", 1.0, "asked", restrict_vocabulary=True, floor_projection=False)
RELEASED = Recipe("released", 0.75, "first drawn", restrict_vocabulary=False, floor_projection=True)


def recipe(name: str) -> Recipe:
    """The recipe of that name. Raises InvalidInput for another."""
    known = {value.name: value for value in (INTENDED, RELEASED)}
    if name not in known:
        raise InvalidInput(f"There is no recipe named {name!r}; use {' or '.join(known)}.")
    return known[name]
