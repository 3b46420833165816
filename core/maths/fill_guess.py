"""The two guesses that a fill network weighs: the photo's own texture, and the smooth continuation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from core.maths.exemplar import exemplar
from core.maths.fill import Picture, smooth


def _never() -> None:
    """The check of a caller that does not cancel."""


@dataclass(frozen=True, eq=False)
class Guesses:
    """Both equal the photo where it may be used; elsewhere they tell nothing but what is there."""

    copied: Picture
    smooth: Picture


def guesses(
    picture: Picture,
    unknown: Bool[np.ndarray, "H W"],
    source_ok: Bool[np.ndarray, "H W"],
    *,
    depth: Float32[np.ndarray, "H W"] | None = None,
    seed: int = 0,
    check: Callable[[], None] = _never,
) -> Guesses:
    """What `unknown` may hold by the known pixels of `source_ok`; arguments as of `exemplar`.

    Pixels that are neither are overwritten by the smooth guess before anything looks at them.
    """
    usable = source_ok & ~unknown
    plain = smooth(picture, ~usable, usable)
    return Guesses(exemplar(plain, unknown, usable, depth=depth, seed=seed, check=check), plain)
