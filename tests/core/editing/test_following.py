"""Streams are made once, seen by all who follow, and end when nobody does."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from core.editing.following import Streams
from core.editing.memo import Memo
from core.errors import Cancelled, EngineFailed
from core.types.protocols import CancelToken

_PATIENCE = 10.0


class Made:
    """A stream that goes on when told to, and notes what becomes of it."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.begun = 0
        self.token = CancelToken()
        self.ended = threading.Event()
        self._steps = threading.Semaphore(0)
        self._failure = failure

    def go_on(self, steps: int) -> None:
        for _ in range(steps):
            self._steps.release()

    def __call__(self, token: CancelToken) -> Iterator[int]:
        self.begun += 1
        self.token = token
        try:
            for number in range(3):
                while not self._steps.acquire(timeout=0.01):
                    token.check()
                yield number
            if self._failure is not None:
                raise self._failure
        finally:
            self.ended.set()


class Follower:
    """Follows in a thread of its own."""

    def __init__(self, streams: Streams, make: Callable[[CancelToken], Iterator[int]]) -> None:
        self.cancel = CancelToken()
        self.seen: list[int] = []
        self.failure: Exception | None = None
        self._arrived = threading.Condition()
        self._thread = threading.Thread(target=self._follow, args=(streams, make))
        self._thread.start()

    def _follow(self, streams: Streams, make: Callable[[CancelToken], Iterator[int]]) -> None:
        try:
            for value in streams.follow("key", make, self.cancel):
                with self._arrived:
                    self.seen.append(value)
                    self._arrived.notify_all()
        except (Cancelled, EngineFailed) as failure:
            self.failure = failure

    def wait_for(self, value: int) -> None:
        with self._arrived:
            assert self._arrived.wait_for(lambda: value in self.seen, _PATIENCE)

    def end(self) -> None:
        self._thread.join(_PATIENCE)
        assert not self._thread.is_alive()


def come_and_gone(streams: Streams, made: Made, values: int) -> None:
    """Somebody follows for so many values and leaves."""
    follower = Follower(streams, made)
    made.go_on(values)
    follower.wait_for(values - 1)
    follower.cancel.cancel()
    follower.end()


def test_a_second_follower_joins_at_the_newest_value() -> None:
    streams, made = Streams(), Made()
    first = Follower(streams, made)
    made.go_on(2)
    first.wait_for(1)
    second = Follower(streams, made)
    second.wait_for(1)
    made.go_on(1)
    first.end()
    second.end()
    assert made.begun == 1
    assert first.seen[-1] == second.seen[-1] == 2
    assert 0 not in second.seen


def test_the_stream_goes_on_for_those_who_stay() -> None:
    streams, made = Streams(), Made()
    first, second = Follower(streams, made), Follower(streams, made)
    made.go_on(1)
    first.wait_for(0)
    second.wait_for(0)
    first.cancel.cancel()
    first.end()
    assert isinstance(first.failure, Cancelled)
    time.sleep(0.7)
    made.go_on(2)
    second.end()
    assert second.seen[-1] == 2
    assert not made.token.cancelled


def test_it_ends_soon_after_the_last_has_left() -> None:
    streams, made = Streams(), Made()
    come_and_gone(streams, made, 1)
    assert made.ended.wait(_PATIENCE)
    assert made.token.cancelled
    again = Follower(streams, made)
    made.go_on(3)
    again.end()
    assert again.seen[-1] == 2
    assert made.begun == 2


def test_leaving_and_coming_back_at_once_goes_on_with_the_same() -> None:
    streams, made = Streams(), Made()
    come_and_gone(streams, made, 2)
    second = Follower(streams, made)
    second.wait_for(1)
    time.sleep(0.7)
    made.go_on(1)
    second.end()
    assert made.begun == 1
    assert second.seen == [1, 2]


def test_a_failure_reaches_everybody_and_the_next_one_tries_again() -> None:
    streams, made = Streams(), Made(EngineFailed("It broke."))
    followers = [Follower(streams, made), Follower(streams, made)]
    made.go_on(1)
    for follower in followers:
        follower.wait_for(0)
    made.go_on(2)
    for follower in followers:
        follower.end()
        assert isinstance(follower.failure, EngineFailed)
    healthy = Made()
    healthy.go_on(3)
    assert list(streams.follow("key", healthy, CancelToken()))[-1] == 2


def test_a_memo_keeps_the_last_value() -> None:
    memo, made = Memo(), Made()
    made.go_on(3)
    assert list(memo.stream("key", made, CancelToken()))[-1] == 2
    assert list(memo.stream("key", made, CancelToken())) == [2]
    assert made.begun == 1


def test_a_memo_keeps_nothing_of_what_failed() -> None:
    memo, made = Memo(), Made(EngineFailed("It broke."))
    made.go_on(3)
    with pytest.raises(EngineFailed):
        list(memo.stream("key", made, CancelToken()))
    assert memo.find("key") is None
