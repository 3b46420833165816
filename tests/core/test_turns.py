"""Turns: in order, never too many at once, and nobody who waits is stuck."""

import threading
from collections.abc import Callable

import pytest

from core.errors import Cancelled
from core.turns import Turns
from core.types.protocols import CancelToken

PATIENCE = 10.0


class Visitor:
    """A thread that takes a turn and keeps it until it is told to go."""

    def __init__(self, turns: Turns, tell: Callable[[str], None], name: str, behind: bool = False) -> None:
        self.cancel = CancelToken()
        self.inside, self.may_go = threading.Event(), threading.Event()
        self.failed: Exception | None = None
        self._thread = threading.Thread(target=self._visit, args=(turns, tell, name, behind))
        self._thread.start()

    def _visit(self, turns: Turns, tell: Callable[[str], None], name: str, behind: bool) -> None:
        try:
            with turns.turn(self.cancel, behind):
                tell(name)
                self.inside.set()
                self.may_go.wait(PATIENCE)
        except Cancelled as failure:
            self.failed = failure

    def leave(self) -> None:
        self.may_go.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def queue(turns: Turns, names: str, order: list[str], behind: bool = False) -> list[Visitor]:
    """Visitors who ask one after another."""
    visitors = []
    before = turns.waiting + len(order)
    for count, name in enumerate(names, before + 1):
        visitors.append(Visitor(turns, order.append, name, behind))
        pause = threading.Event()
        while turns.waiting + len(order) < count:
            pause.wait(0.005)
    return visitors


def test_who_comes_first_goes_first() -> None:
    order: list[str] = []
    visitors = queue(Turns(), "abcd", order)
    assert visitors[0].inside.wait(PATIENCE)
    assert order == ["a"]
    for visitor in visitors:
        assert visitor.inside.wait(PATIENCE)
        visitor.leave()
    assert order == ["a", "b", "c", "d"]


def test_so_many_at_once_and_no_more() -> None:
    order: list[str] = []
    visitors = queue(Turns(2), "abc", order)
    assert visitors[1].inside.wait(PATIENCE)
    assert not visitors[2].inside.wait(0.2)
    visitors[1].leave()
    assert visitors[2].inside.wait(PATIENCE)
    visitors[0].leave()
    visitors[2].leave()


def test_who_gives_up_lets_the_next_one_in() -> None:
    order: list[str] = []
    first, second, third = queue(Turns(), "abc", order)
    second.cancel.cancel()
    second.leave()
    assert isinstance(second.failed, Cancelled)
    first.leave()
    assert third.inside.wait(PATIENCE)
    third.leave()
    assert order == ["a", "c"]


def test_a_failure_inside_frees_the_turn() -> None:
    turns, cancel = Turns(), CancelToken()
    with pytest.raises(ValueError, match="broken"), turns.turn(cancel):
        raise ValueError("broken")
    with turns.turn(cancel):
        pass


def test_what_nobody_waits_for_stands_behind_all_others() -> None:
    turns, order = Turns(), list[str]()
    (first,) = queue(turns, "a", order)
    (later,) = queue(turns, "b", order, behind=True)
    (asked,) = queue(turns, "c", order)
    assert first.inside.wait(PATIENCE)
    first.leave()
    assert asked.inside.wait(PATIENCE)
    assert not later.inside.is_set()
    asked.leave()
    later.leave()
    assert order == ["a", "c", "b"]


def test_what_nobody_waits_for_leaves_a_place_to_others() -> None:
    turns, order = Turns(2), list[str]()
    first, second = queue(turns, "ab", order, behind=True)
    assert first.inside.wait(PATIENCE)
    assert not second.inside.wait(0.2)
    (asked,) = queue(turns, "c", order)
    assert asked.inside.wait(PATIENCE)
    for visitor in (first, second, asked):
        visitor.leave()
