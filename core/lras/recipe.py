"""Where our way of running the network and the released one differ, as one value."""

from dataclasses import dataclass
from typing import Literal

from core.errors import InvalidInput
from core.lras.object_motion import Projection


@dataclass(frozen=True)
class Recipe:
    """Choices around the network (spec 8.1).

    `frame_0_share` of the source photo's patches are shown. `reveal` "first drawn" is the released fault:
    whichever patches are asked for, the first of the random order are revealed. `restrict_vocabulary` lets
    only codes be drawn where codes belong. `projection` is what becomes of pixels that a motion projects.
    """

    name: str
    frame_0_share: float
    reveal: Literal["asked", "first drawn"]
    restrict_vocabulary: bool
    projection: Projection


INTENDED = Recipe("intended", 1.0, "asked", restrict_vocabulary=True, projection=Projection.EXACT)
RELEASED = Recipe("released", 0.75, "first drawn", restrict_vocabulary=False, projection=Projection.FLOORED_AND_CLIPPED)


def recipe(name: str) -> Recipe:
    """The recipe of that name. Raises InvalidInput for another."""
    known = {value.name: value for value in (INTENDED, RELEASED)}
    if name not in known:
        raise InvalidInput(f"There is no recipe named {name!r}; use {' or '.join(known)}.")
    return known[name]
