"""Square windows over the places that have to be painted."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

# Room around a hole, as a share of its size: the network sees what it must continue.
_CONTEXT = 0.5
# Neighbouring windows overlap by this share, so that the later one sees what the earlier one painted.
_OVERLAP = 0.25


@dataclass(frozen=True)
class Window:
    """A square of `side` pixels whose upper left pixel is (x, y)."""

    x: int
    y: int
    side: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.y, self.y + self.side), slice(self.x, self.x + self.side)


def windows_over(unknown: Bool[np.ndarray, "H W"], smallest: int, largest: int | None = None) -> list[Window]:
    """Windows that together hold every unknown pixel; none is smaller than `smallest` if the picture is not.

    One window when all fits into a square of the picture (of at most `largest` pixels a side), else overlapping ones
    that skip what is known.
    """
    if not unknown.any():
        return []
    height, width = unknown.shape
    (top, bottom), (left, right) = (_extent(unknown, axis) for axis in (1, 0))
    wanted = max(smallest, round((1 + _CONTEXT) * max(bottom - top, right - left)))
    side = min(wanted, height, width, max(smallest, largest or wanted))
    found = []
    for y in _starts(top, bottom, side, height):
        for x in _starts(left, right, side, width):
            window = Window(x, y, side)
            if unknown[window.slices].any():
                found.append(window)
    return found


def _extent(unknown: Bool[np.ndarray, "H W"], across: int) -> tuple[int, int]:
    """First row (across 1) or column (across 0) that holds something unknown, and the one after the last."""
    indices = np.flatnonzero(unknown.any(axis=across))
    return int(indices[0]), int(indices[-1]) + 1


def _starts(first: int, last: int, side: int, limit: int) -> list[int]:
    """Where windows begin so that first..last is covered: one, centred on it, or several that overlap."""
    if last - first <= side:
        return [int(np.clip((first + last - side) // 2, 0, limit - side))]
    count = int(np.ceil((last - first - side) / ((1 - _OVERLAP) * side))) + 1
    return [round(start) for start in np.linspace(first, last - side, count)]
