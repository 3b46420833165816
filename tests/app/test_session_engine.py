"""Choosing an engine, which is loaded first: what is done and seen meanwhile."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from conftest import PATIENCE, idle

from core.errors import Cancelled
from core.types.project import Settings


@pytest.fixture
def choosing(coffee) -> Iterator[tuple[threading.Thread, threading.Event]]:
    """An engine is being loaded until the event."""
    idle(coffee)
    loading, loaded = threading.Event(), threading.Event()
    engine_of = coffee.services.engine

    def slowly(choice):
        if choice == "warp" and not loaded.is_set():
            loading.set()
            assert loaded.wait(PATIENCE)
        return engine_of(choice)

    coffee.services.engine = slowly

    def choose() -> None:
        with suppress(Cancelled):
            coffee.set_settings(Settings("warp"))

    thread = threading.Thread(target=choose)
    thread.start()
    assert loading.wait(PATIENCE)
    yield thread, loaded
    loaded.set()
    thread.join(PATIENCE)
    idle(coffee)


def meanwhile(choosing, act: Callable[[], object]) -> None:
    thread, loaded = choosing
    acting = threading.Thread(target=act)
    acting.start()
    acting.join(0.3)
    loaded.set()
    thread.join(PATIENCE)
    acting.join(PATIENCE)


def test_what_is_done_while_an_engine_is_loaded_comes_after_it(coffee, choosing):
    meanwhile(choosing, lambda: coffee.slide(coffee.state.selected, -0.2, 0.0))
    assert [step.split()[0] for step in coffee.state.steps[-2:]] == ["Engine:", "Object"]


def test_a_step_back_while_an_engine_is_loaded_takes_that_choice_back(coffee, choosing):
    meanwhile(choosing, coffee.undo)
    assert coffee.state.steps[-1] == "Engine: Geometric warp"
    assert coffee.state.step == len(coffee.state.steps) - 2


def test_who_only_looks_does_not_wait_for_an_engine_and_sees_that_it_is_loaded(coffee, choosing):
    with ThreadPoolExecutor(1) as page:
        seen = page.submit(lambda: coffee.state).result(PATIENCE)
    assert seen.models.running
    assert seen.models.stage == "Loading Geometric warp"
    assert not seen.steps[-1].startswith("Engine")


def test_an_engine_that_is_given_up_while_it_is_loaded_is_not_chosen(coffee, choosing):
    thread, loaded = choosing
    coffee.cancel()
    loaded.set()
    thread.join(PATIENCE)
    assert not coffee.state.steps[-1].startswith("Engine")
