"""One render at a time per session, the latest wins, each session in its turn; failures are always seen."""

import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from app.notices import sentence_of
from core.errors import Cancelled
from core.turns import Turns
from core.types.frame import Frame
from core.types.protocols import CancelToken

log = logging.getLogger(__name__)

# What runs may be compiling its inner loops, which cannot be stopped.
_CLOSING_SECONDS = 60.0

MakeFrames = Callable[[CancelToken], Generator[Frame, None, None]]


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
    """Renders the newest request on a thread of its own and drops whatever it replaces.

    Every frame is made in one of `turns`, `behind` those of others where nobody waits for it. A place in the queue
    stays when the request is replaced: who edits on quickly is not put last again and again.
    """

    def __init__(
        self,
        turns: Turns,
        on_frame: Callable[[int, Frame], None],
        on_state: Callable[[int, JobState], None],
        behind: bool = False,
    ) -> None:
        self._turns, self._behind = turns, behind
        self._on_frame = on_frame
        self._on_state = on_state
        self._wake = threading.Condition()
        self._waiting: _Request | None = None
        self._current: _Request | None = None
        self._closing = CancelToken()
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
            if self._closing.cancelled:
                return
            if self._current is not None:
                self._current.token.cancel()
            self._waiting = _Request(revision, title, make_frames, CancelToken())
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="render", daemon=True)
                self._thread.start()

    def cancel(self) -> None:
        """Stop what runs or waits; the last finished frame stays."""
        with self._wake:
            self._waiting = None
            if self._current is not None:
                self._current.token.cancel()
            self._wake.notify_all()

    def close(self) -> None:
        """Stop for good; waits for what runs to notice, lest a network outlives the interpreter."""
        with self._wake:
            self._closing.cancel()
            thread = self._thread
        self.cancel()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_CLOSING_SECONDS)

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
        """Until nothing waits: a session that rests has no thread."""
        try:
            while self._is_asked():
                with ExitStack() as turn:
                    turn.enter_context(self._turns.turn(self._closing, self._behind))
                    request = self._taken()
                    if request is not None:
                        self._run(request, turn)
                with self._wake:
                    self._current = None
                    self._wake.notify_all()
        except Cancelled:
            log.debug("closed while it waited for its turn")

    def _is_asked(self) -> bool:
        with self._wake:
            if self._waiting is None:
                self._thread = None
            return self._waiting is not None

    def _taken(self) -> _Request | None:
        """The newest request, unless it was cancelled meanwhile."""
        with self._wake:
            request, self._waiting = self._waiting, None
            if request is not None:
                self._current, self._begun = request, time.monotonic()
                self._state = JobState(running=True, stage=request.title)
            return request

    def _run(self, request: _Request, turn: ExitStack) -> None:
        """Frame by frame; between two of them others have their turn."""
        self._tell(request, self._state)
        error = None
        try:
            with closing(request.make_frames(request.token)) as frames:
                for frame in frames:
                    turn.close()
                    request.token.check()
                    self._on_frame(request.revision, frame)
                    self._tell(request, replace(self._state, done=frame.done))
                    turn.enter_context(self._turns.turn(request.token, self._behind))
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
