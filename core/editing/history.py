"""Undo and redo as a list of whole projects; they share their arrays, so a step costs kilobytes."""

from dataclasses import dataclass
from typing import TypeVar

from core.types.project import Project

Item = TypeVar("Item")


@dataclass(frozen=True)
class Step:
    """One gesture's result and what to call it."""

    label: str
    project: Project


@dataclass(frozen=True)
class History:
    """Steps in order, the first being the photo as opened, and which one is shown."""

    steps: tuple[Step, ...]
    index: int = 0
    limit: int = 200

    @classmethod
    def begin(cls, project: Project, label: str = "Original") -> "History":
        return cls((Step(label, project),))

    @property
    def project(self) -> Project:
        return self.steps[self.index].project

    @property
    def can_undo(self) -> bool:
        return self.index > 0

    @property
    def can_redo(self) -> bool:
        return self.index + 1 < len(self.steps)

    def push(self, project: Project, label: str) -> "History":
        """Add a step after the shown one; what could be redone is gone. The original always stays."""
        steps = pushed(self.steps, self.index, Step(label, project), self.limit)
        return History(steps, len(steps) - 1, self.limit)

    def undo(self) -> "History":
        return self.at(self.index - 1)

    def redo(self) -> "History":
        return self.at(self.index + 1)

    def at(self, index: int) -> "History":
        """Show step `index`, clamped to what exists."""
        return History(self.steps, min(max(index, 0), len(self.steps) - 1), self.limit)


def pushed(steps: tuple[Item, ...], after: int, step: Item, limit: int) -> tuple[Item, ...]:
    """The steps with one more behind number `after`, -1 for none; above `limit` those behind the first are dropped."""
    longer = (*steps[: after + 1], step)
    return longer if len(longer) <= limit else (longer[0], *longer[-(limit - 1) :])
