"""How long a gesture waits until it is on disk, at 12 megapixels while pictures are made, and how long going on takes.

A gesture is acknowledged when its record and its arrays are synced; what is measured is that part of it.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.keeping import Keeper
from app.services import Services
from app.session import Session
from app.unsaved import Entry, Unsaved, owner_of
from benchmarks.workload import large_photo, tell
from core.editing.history import History
from core.files.picture import encode_picture_jpeg, picture_of

GESTURES = 40


class TimedKeeper(Keeper):
    """Notes the seconds of every write by what was written."""

    def __init__(self, unsaved: Unsaved, owner: str) -> None:
        super().__init__(unsaved, owner)
        self.seconds: dict[str, list[float]] = {"opened": [], "step": [], "move": []}

    def begin(self, history: History, entry: Entry | None = None) -> None:
        """Timed."""
        self._time("opened", lambda: super(TimedKeeper, self).begin(history, entry))

    def change(self, history: History) -> None:
        """Timed."""
        is_move = self._history is not None and history.steps is self._history.steps
        self._time("move" if is_move else "step", lambda: super(TimedKeeper, self).change(history))

    def _time(self, what: str, write: Callable[[], None]) -> None:
        begun = time.perf_counter()
        write()
        self.seconds[what].append(time.perf_counter() - begun)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        unsaved = Unsaved(Path(folder))
        keeper = TimedKeeper(unsaved, owner_of("benchmark"))
        session = Session("benchmark", Services(), keeper)
        photo = large_photo()
        session.open_photo(encode_picture_jpeg(picture_of(photo)), photo.name)
        edit(session)
        history = session.history
        session.close()
        begun = time.perf_counter()
        (work,) = unsaved.listed()
        listed = time.perf_counter() - begun
        restored = unsaved.read(work.id)
        figures = {"list_s": listed, "go_on_s": time.perf_counter() - begun - listed, "exact": restored == history}
        for what, seconds in keeper.seconds.items():
            figures |= {f"{what}_{name}_s": float(value) for name, value in _shares(seconds)}
        size = sum(path.stat().st_size for path in Path(folder).rglob("*"))
        tell("kept", {**figures, "steps": work.steps, "disk_mb": size / 1e6})


def edit(session: Session) -> None:
    """Masks, depth, placements and cameras, without waiting for pictures."""
    session.lasso([(1200.0, 800.0), (2600.0, 800.0), (2600.0, 2400.0), (1200.0, 2400.0)], add=True)
    (item,) = session.project.scene.objects
    for number in range(GESTURES):
        at = 60.0 * number
        session.slide(item.id, -0.01 * number, 0.01 * number)
        session.orbit(0.1 * number, 0.0)
        session.brush([(900.0 + at, 600.0), (1000.0 + at, 2500.0)], 90.0, add=number % 2 == 0)
        session.retouch_depth([(1300.0 + at / 4, 1000.0), (1500.0, 2000.0)], 120.0, "push", 0.2)
        session.undo()
        session.redo()


def _shares(seconds: list[float]) -> list[tuple[str, float]]:
    return [(name, float(np.percentile(seconds, share))) for name, share in (("p50", 50), ("p95", 95), ("max", 100))]


if __name__ == "__main__":
    main()
