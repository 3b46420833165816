"""Renders of several sessions have their turns, whoever asks more often or takes longer."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from app.jobs import RenderJobs
from core.turns import Turns
from core.types.flow import FlowField
from core.types.frame import Frame
from core.types.protocols import CancelToken

PATIENCE = 20.0
_GRAY, _FAR, _ALL = np.zeros((2, 2, 3), np.uint8), np.ones((2, 2), np.float32), np.ones((2, 2), bool)
_STILL = FlowField(np.zeros((2, 2, 2), np.float32), _ALL, ~_ALL)
FRAME = Frame(_GRAY, None, _FAR, _ALL, _STILL, ~_ALL, ~_ALL, _FAR, "final", "flat", 0)


@dataclass
class Sessions:
    """Renders that share one place to compute; `order` is what came out of it."""

    turns: Turns = field(default_factory=Turns)
    order: list[str] = field(default_factory=list)
    made: list[RenderJobs] = field(default_factory=list)

    def new(self, behind: bool = False) -> RenderJobs:
        self.made.append(RenderJobs(self.turns, lambda *_: None, lambda *_: None, behind))
        return self.made[-1]

    def until_waiting(self, count: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.turns.waiting < count:
            assert time.monotonic() < deadline, "nobody queues"
            time.sleep(0.002)

    def frames(self, name: str, count: int, each: Callable[[], None] = lambda: None):
        def make(cancel: CancelToken) -> Generator[Frame, None, None]:
            for number in range(count):
                each()
                cancel.check()
                self.order.append(f"{name}{number}")
                yield FRAME

        return make


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    made = Sessions()
    yield made
    for jobs in made.made:
        jobs.close()


def test_a_long_render_lets_the_others_in_between_its_frames(sessions: Sessions) -> None:
    long, short = sessions.new(), sessions.new()
    begun = threading.Event()

    def until_the_other_waits() -> None:
        begun.set()
        if len(sessions.order) < 3:
            sessions.until_waiting(1)

    long.start(1, "long", sessions.frames("long", 4, until_the_other_waits))
    assert begun.wait(PATIENCE)
    short.start(1, "short", sessions.frames("short", 2, lambda: sessions.until_waiting(1)))
    assert long.wait_idle(PATIENCE)
    assert short.wait_idle(PATIENCE)
    assert sessions.order == ["long0", "short0", "long1", "short1", "long2", "long3"]


def test_who_edits_on_while_waiting_keeps_the_place_and_gets_the_newest(sessions: Sessions) -> None:
    quick, patient = sessions.new(), sessions.new()
    with sessions.turns.turn(CancelToken()):
        quick.start(1, "one", sessions.frames("quick-old", 1))
        sessions.until_waiting(1)
        patient.start(1, "one", sessions.frames("patient", 1))
        sessions.until_waiting(2)
        quick.start(2, "two", sessions.frames("quick", 1))
    assert quick.wait_idle(PATIENCE)
    assert patient.wait_idle(PATIENCE)
    assert sessions.order == ["quick0", "patient0"]


def test_painting_ahead_waits_for_what_others_look_at(sessions: Sessions) -> None:
    ahead, asked = sessions.new(behind=True), sessions.new()
    with sessions.turns.turn(CancelToken()):
        ahead.start(1, "ahead", sessions.frames("ahead", 1))
        sessions.until_waiting(1)
        asked.start(1, "asked", sessions.frames("asked", 1))
        sessions.until_waiting(2)
    assert ahead.wait_idle(PATIENCE)
    assert sessions.order == ["asked0", "ahead0"]


def test_what_is_cancelled_while_it_waits_is_never_made(sessions: Sessions) -> None:
    jobs = sessions.new()
    with sessions.turns.turn(CancelToken()):
        jobs.start(1, "one", sessions.frames("one", 1))
        sessions.until_waiting(1)
        assert jobs.state.running
        jobs.cancel()
        assert jobs.wait_idle(PATIENCE)
    jobs.start(2, "two", sessions.frames("two", 1))
    assert jobs.wait_idle(PATIENCE)
    assert sessions.order == ["two0"]


def test_closing_does_not_wait_for_a_turn(sessions: Sessions) -> None:
    jobs = sessions.new()
    with sessions.turns.turn(CancelToken()):
        jobs.start(1, "one", sessions.frames("one", 1))
        sessions.until_waiting(1)
        jobs.close()
        assert sessions.turns.waiting == 0


def test_a_session_that_rests_has_no_thread(sessions: Sessions) -> None:
    jobs, before = sessions.new(), threading.active_count()
    for revision in range(3):
        jobs.start(revision, "one", sessions.frames("one", 1))
        assert jobs.wait_idle(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while threading.active_count() > before:
        assert time.monotonic() < deadline, "a thread stays"
        time.sleep(0.002)
