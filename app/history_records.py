"""What the lines of a journal say, and the history that they add up to, with gaps where one could not be read."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from core.editing.history import History, pushed

Kept = TypeVar("Kept")

_LATEST = 1e11  # seconds since 1970, and still a date


@dataclass(frozen=True)
class StepRecord:
    """A whole step, shown from then on, and the number of the step it came after: -1 for the first."""

    time: float
    after: int
    label: str
    project: dict[str, Any]


@dataclass(frozen=True)
class ShownRecord:
    """The number of the step that is shown."""

    time: float
    show: int


Record = StepRecord | ShownRecord


def understood(line: dict[str, Any]) -> Record | None:
    """The record that a line is; None for anything else."""
    time = line.get("time", 0.0)
    if not _is_time(time):
        return None
    match line:
        case {"project": dict(project), "after": int(after), "label": str(label)} if -1 <= after < History.limit:
            return StepRecord(time, after, label, project)
        case {"show": int(show)} if 0 <= show < History.limit:
            return ShownRecord(time, show)
    return None


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and 0 <= value < _LATEST


@dataclass(frozen=True)
class Replayed(Generic[Kept]):
    """The steps there are, which is shown, and how many are missing among them."""

    steps: tuple[Kept, ...]
    index: int
    lost: int


def replayed(records: Iterable[Record], keep: Callable[[StepRecord], Kept | None]) -> Replayed[Kept]:
    """What the records add up to; a step of which `keep` makes None is missing.

    A step that a record speaks of and nobody has told was in a line that could not be read. It keeps its number, so
    that all later ones mean what they meant. Where a missing step is shown, the one before it is.
    """
    steps: tuple[Kept | None, ...] = ()
    index = 0
    for record in records:
        spoken_of = record.after if isinstance(record, StepRecord) else record.show
        steps += (None,) * (spoken_of + 1 - len(steps))
        if isinstance(record, StepRecord):
            steps = pushed(steps, spoken_of, keep(record), History.limit)
        index = len(steps) - 1 if isinstance(record, StepRecord) else spoken_of
    there = tuple(step for step in steps if step is not None)
    before = sum(step is not None for step in steps[: index + 1])
    return Replayed(there, max(before - 1, 0), len(steps) - len(there))
