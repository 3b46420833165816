"""Work that a person waits for: done one after the other, watched, and given up at once when it is stopped."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from app.jobs import JobState
from core.errors import Cancelled
from core.turns import Turns
from core.types.protocols import CancelToken

Value = TypeVar("Value")


class Tell(Protocol):
    """Names an export's next stage, and the share of it that is done where that is known; raises Cancelled."""

    def __call__(self, stage: str, done: float | None = None, /) -> None: ...


_POLL_SECONDS = 0.05
_NEARLY = 0.97
"""The most a bar shows while the end is only expected."""


@dataclass
class _Job:
    stage: str
    expected: float | None
    cancel: CancelToken
    begun: float
    done: float | None = None


class ExportJobs:
    """One session's exports, or photos that it opens, or work of models.

    `on_state` is called when one begins, changes its stage or ends.
    """

    def __init__(self, on_state: Callable[[], None]) -> None:
        self._on_state = on_state
        self._lock = threading.Lock()
        self._jobs: list[_Job] = []
        self._closed = False
        self._turns = Turns()

    @property
    def state(self) -> JobState:
        """The export that runs, its times up to date; `remaining` is None where nobody knows."""
        with self._lock:
            job = next(iter(self._jobs), None)
        if job is None:
            return JobState()
        elapsed = time.monotonic() - job.begun
        if job.done is not None:
            return JobState(True, job.stage, job.done, elapsed)
        if not job.expected or elapsed >= job.expected:
            return JobState(True, job.stage, _NEARLY if job.expected else 0.0, elapsed)
        return JobState(True, job.stage, min(elapsed / job.expected, _NEARLY), elapsed, job.expected - elapsed)

    def run(self, stage: str, expected: float | None, work: Callable[[Tell], Value], cancel: CancelToken) -> Value:
        """What `work(tell)` makes after the exports before it; `expected` seconds, `tell` names its next stage.

        Raises what `work` raises, and Cancelled as soon as `cancel` is set: a codec that cannot be stopped then
        ends unseen, and what it made is dropped.
        """
        job = _Job(stage, expected, cancel, time.monotonic())

        def tell(next_stage: str, done: float | None = None, /) -> None:
            cancel.check()
            job.stage, job.done = next_stage, done
            self._on_state()

        made: Future[Value] = Future()

        def make() -> None:
            try:
                with self._turns.turn(cancel):
                    cancel.check()
                    made.set_result(work(tell))
            except BaseException as failure:  # noqa: BLE001 - the thread's boundary: raised where it is waited for
                made.set_exception(failure)

        with self._listed(job):
            threading.Thread(target=make, name="export").start()
            while not wait([made], _POLL_SECONDS).done:
                cancel.check()
            cancel.check()
            return made.result()

    @contextmanager
    def shown(self, stage: str, cancel: CancelToken) -> Iterator[Callable[[float], None]]:
        """Show what is done elsewhere, while inside; the value tells the share done, and raises Cancelled."""
        job = _Job(stage, None, cancel, time.monotonic(), 0.0)

        def tell(done: float) -> None:
            cancel.check()
            job.done = done

        with self._listed(job):
            yield tell

    @contextmanager
    def _listed(self, job: _Job) -> Iterator[None]:
        """Raises Cancelled once all has stopped for good."""
        with self._lock:
            if self._closed:
                raise Cancelled("Stopped.")
            self._jobs.append(job)
        self._on_state()
        try:
            yield
        finally:
            with self._lock:
                self._jobs.remove(job)
            self._on_state()

    def cancel(self) -> None:
        """Stop the export that runs and those that wait."""
        with self._lock:
            for job in self._jobs:
                job.cancel.cancel()

    def close(self) -> None:
        """Stop for good."""
        with self._lock:
            self._closed = True
        self.cancel()
