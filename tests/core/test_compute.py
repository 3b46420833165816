"""Whoever asks, networks compute on one thread."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.compute import computes
from core.errors import InvalidInput

PATIENCE = 30


@computes
def thread_of_work() -> int:
    return threading.get_ident()


@computes
def nested() -> int:
    return thread_of_work()


@computes
def refused() -> None:
    raise InvalidInput("Not this.")


def test_all_work_is_done_on_one_thread_and_not_on_the_callers() -> None:
    with ThreadPoolExecutor(4) as callers:
        found = set(callers.map(lambda _: thread_of_work(), range(16)))
    assert len(found) == 1
    assert threading.get_ident() not in found


def test_work_may_ask_for_work() -> None:
    assert nested() == thread_of_work()


def test_failures_reach_the_caller_and_leave_the_thread_usable() -> None:
    with pytest.raises(InvalidInput, match="Not this"):
        refused()
    assert thread_of_work()


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
def test_a_forked_process_has_a_thread_of_its_own() -> None:
    thread_of_work()
    child = multiprocessing.get_context("fork").Process(target=thread_of_work)
    child.start()
    child.join(PATIENCE)
    assert child.exitcode == 0
