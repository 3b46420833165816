"""Exports are watched, follow one another, and are given up at once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from app.export_jobs import ExportJobs, Tell
from core.errors import Cancelled, InvalidInput
from core.types.protocols import CancelToken

PATIENCE = 30.0


class Stuck:
    """Work in a step that cannot be stopped, until `go_on` is set."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, tell: Tell) -> str:
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        tell("later")
        return "file"


@pytest.fixture
def exports() -> Iterator[ExportJobs]:
    made = ExportJobs(lambda: None)
    yield made
    made.close()


@pytest.fixture
def ask(exports: ExportJobs) -> Iterator[Callable[..., "Future[str]"]]:
    """Calls `run` as a browser's request does: on a thread that waits for the answer."""
    with ThreadPoolExecutor() as browsers:
        yield lambda work, expected=None: browsers.submit(exports.run, "making", expected, work, CancelToken())


def test_the_state_follows_the_work_and_the_answer_is_its_own(exports: ExportJobs, ask):
    work = Stuck()
    answer = ask(work, expected=1e6)
    assert work.begun.wait(PATIENCE)
    state = exports.state
    assert (state.running, state.stage) == (True, "making")
    assert state.remaining == pytest.approx(1e6 - state.elapsed)
    assert state.done == pytest.approx(state.elapsed / 1e6)
    work.go_on.set()
    assert answer.result(PATIENCE) == "file"
    assert not exports.state.running


def test_nobody_promises_a_time_that_has_passed(exports: ExportJobs, ask):
    work = Stuck()
    answer = ask(work, expected=1e-9)
    assert work.begun.wait(PATIENCE)
    assert exports.state.remaining is None
    assert 0 < exports.state.done < 1
    work.go_on.set()
    answer.result(PATIENCE)


def test_a_stopped_export_ends_while_its_step_still_goes_on(exports: ExportJobs, ask):
    work = Stuck()
    answer = ask(work)
    assert work.begun.wait(PATIENCE)
    exports.cancel()
    with pytest.raises(Cancelled):
        answer.result(PATIENCE)
    assert not work.go_on.is_set()
    assert not exports.state.running
    after = ask(lambda tell: "next")
    work.go_on.set()
    assert after.result(PATIENCE) == "next"


def test_exports_follow_one_another_and_all_of_them_stop(exports: ExportJobs, ask):
    first, second = Stuck(), Stuck()
    answers = [ask(first)]
    assert first.begun.wait(PATIENCE)
    answers.append(ask(second))
    assert not second.begun.is_set()
    first.go_on.set()
    assert answers[0].result(PATIENCE) == "file"
    assert second.begun.wait(PATIENCE)
    exports.cancel()
    with pytest.raises(Cancelled):
        answers[1].result(PATIENCE)
    second.go_on.set()


def test_a_failure_is_the_caller_s(exports: ExportJobs, ask):
    def fail(tell: Tell) -> str:
        raise InvalidInput("There is nothing to write.")

    with pytest.raises(InvalidInput, match="nothing to write"):
        ask(fail).result(PATIENCE)
    assert not exports.state.running
