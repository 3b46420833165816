"""One compared case of a recorded fixture."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Check:
    """`error` is the largest absolute difference, or the count of unequal entries where `tolerance` is 0."""

    name: str
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """False for NaN too."""
        return self.error <= self.tolerance


def exact(name: str, ours: np.ndarray, recorded: np.ndarray) -> Check:
    """Integers that must be equal; another shape counts as all unequal."""
    if ours.shape != recorded.shape:
        return Check(name, float(max(ours.size, recorded.size, 1)), 0)
    return Check(name, float((ours != recorded).sum()), 0)


def within(name: str, ours: np.ndarray, recorded: np.ndarray, tolerance: float) -> Check:
    """Numbers that may differ by `tolerance`; another shape fails."""
    if ours.shape != recorded.shape:
        return Check(name, float("inf"), tolerance)
    return Check(name, float(np.abs(ours - recorded).max(initial=0.0)), tolerance)
