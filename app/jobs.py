"""One render at a time per session, the latest wins; failures are always seen."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from app.notices import sentence_of
from core.errors import Cancelled
from core.types.frame import Frame
from core.types.protocols import CancelToken

log = logging.getLogger(__name__)

# What runs may be compiling its inner loops, which cannot be stopped.
_CLOSING_SECONDS = 60.0

MakeFrames = Callable[[CancelToken], Iterator[Frame]]


@dataclass(frozen=True)
class JobState:
    """What the status line says. `remaining` is None until it can be told."""

    running: bool = False
    stage: str = ""
    done: float = 0.0
    elapsed: float = 0.0
    remaining: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class _Request:
    revision: int
    title: str
    make_frames: MakeFrames
    token: CancelToken


class RenderJobs:
    """A worker thread that renders the newest request and drops whatever it replaces."""

    def __init__(
        self,
        on_frame: Callable[[int, Frame], None],
        on_state: Callable[[int, JobState], None],
    ) -> None:
        self._on_frame = on_frame
        self._on_state = on_state
        self._wake = threading.Condition()
        self._waiting: _Request | None = None
        self._current: _Request | None = None
        self._closed = False
        self._state = JobState()
        self._begun = 0.0
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> JobState:
        """The newest job, its times up to date; one that waits for its turn runs already, for whoever asked."""
        with self._wake:
            waiting, state = self._waiting, self._state
        if waiting is not None:
            return JobState(running=True, stage=waiting.title)
        if not state.running:
            return state
        elapsed = time.monotonic() - self._begun
        remaining = elapsed * (1 - state.done) / state.done if state.done > 0.05 else None
        return replace(state, elapsed=elapsed, remaining=remaining)

    def start(self, revision: int, title: str, make_frames: MakeFrames) -> None:
        """Render this next; whatever runs is asked to stop."""
        with self._wake:
            if self._current is not None:
                self._current.token.cancel()
            self._waiting = _Request(revision, title, make_frames, CancelToken())
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="render", daemon=True)
                self._thread.start()
            self._wake.notify()

    def cancel(self) -> None:
        """Stop what runs or waits; the last finished frame stays."""
        with self._wake:
            self._waiting = None
            if self._current is not None:
                self._current.token.cancel()

    def close(self) -> None:
        """Stop for good; waits for what runs to notice, lest a network outlives the interpreter."""
        self.cancel()
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_CLOSING_SECONDS)

    def wait_idle(self, timeout: float) -> bool:
        """Whether everything asked for is done within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._wake:
            while self._current is not None or self._waiting is not None:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._wake.wait(left)
        return True

    def _work(self) -> None:
        while True:
            with self._wake:
                while self._waiting is None and not self._closed:
                    self._wake.wait()
                if self._closed:
                    return
                request, self._waiting = self._waiting, None
                assert request is not None
                self._current, self._begun = request, time.monotonic()
                self._state = JobState(running=True, stage=request.title)
            self._run(request)
            with self._wake:
                self._current = None
                self._wake.notify_all()

    def _run(self, request: _Request) -> None:
        self._tell(request, self._state)
        error = None
        try:
            for frame in request.make_frames(request.token):
                request.token.check()
                self._on_frame(request.revision, frame)
                self._tell(request, replace(self._state, done=frame.done))
        except Cancelled:
            log.debug("render of revision %d stopped", request.revision)
        except Exception as failure:  # noqa: BLE001 - the thread's boundary: every failure becomes a notice and a log line
            error = sentence_of(failure)
        elapsed = time.monotonic() - self._begun
        done = self._state.done
        self._tell(request, JobState(False, request.title, done, elapsed, None, error))

    def _tell(self, request: _Request, state: JobState) -> None:
        self._state = state
        self._on_state(request.revision, state)
