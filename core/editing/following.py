"""Streams that one thread makes and several follow: all see the newest value, nobody waits for another's look at it."""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.types.protocols import CancelToken

Value = TypeVar("Value")
Make = Callable[[CancelToken], Iterator[Value]]

# Who follows may stop and begin again, as when an edit changes what is asked for around the stream.
_GRACE_SECONDS = 0.5
_POLL_SECONDS = 0.05
# Networks work much more slowly beside others on the same cores: while values are looked at, none is made, for so long.
_LOOK_SECONDS = 0.3
# And who took some time to look lets so many times that go by.
_REST = 3.0


class Streams:
    """Running streams by key; safe to share between threads."""

    def __init__(self) -> None:
        self._running: dict[Hashable, _Stream] = {}
        self._lock = threading.Lock()

    def follow(self, key: Hashable, make: Make[Value], cancel: CancelToken) -> Iterator[Value]:
        """The values of the stream that runs under `key`, from its newest on, else of `make`, which then runs.

        Who takes long with a value misses some of the next ones, never the last. What `make` raises is raised to all
        who follow; it is cancelled soon after the last of them has left. Raises Cancelled soon after `cancel` was set.
        """
        stream, follower = self._joined(key, make)
        try:
            yield from stream.values(follower, cancel)
        finally:
            stream.leave(follower)

    def _joined(self, key: Hashable, make: Make[Value]) -> "tuple[_Stream[Value], _Follower]":
        with self._lock:
            found = self._running.get(key)
            follower = None if found is None else found.join()
            if found is not None and follower is not None:
                return found, follower
            stream = self._running[key] = _Stream(make)
            follower = stream.join()
            assert follower is not None

        def run() -> None:
            stream.run()
            with self._lock:
                if self._running.get(key) is stream:
                    del self._running[key]

        threading.Thread(target=run, name="stream").start()
        return stream, follower


@dataclass(eq=False)
class _Follower:
    """How many values were there when it joined and when it looked last; whether it looks, and until when it rests."""

    missed: int
    seen: int = 0
    looks: bool = False
    rests_until: float = 0.0

    def is_ready(self, count: int) -> bool:
        return self.seen < count and time.monotonic() >= self.rests_until


class _Stream(Generic[Value]):
    """One making of values; `_count` numbers them."""

    def __init__(self, make: Make[Value]) -> None:
        self._make = make
        self._token = CancelToken()
        self._changed = threading.Condition()
        self._first: Value | None = None
        self._newest: Value | None = None
        self._count = 0
        self._ended = False
        self._failure: BaseException | None = None
        self._followers: list[_Follower] = []

    def join(self) -> _Follower | None:
        """A new follower; None when there is nothing to follow any more."""
        with self._changed:
            if self._ended or self._token.cancelled:
                return None
            self._followers.append(_Follower(self._count))
            return self._followers[-1]

    def leave(self, follower: _Follower) -> None:
        """The last one to leave ends the stream, unless somebody joins soon."""
        with self._changed:
            self._followers.remove(follower)
            self._changed.notify_all()
            if not self._followers and not self._ended:
                timer = threading.Timer(_GRACE_SECONDS, self._end_if_left)
                timer.daemon = True
                timer.start()

    def run(self) -> None:
        """Make all values, in the thread that calls."""
        failure: BaseException | None = None
        try:
            for value in self._make(self._token):
                self._give(value)
        except BaseException as raised:  # noqa: BLE001 - the thread's boundary: raised again to all who follow
            failure = raised
        with self._changed:
            self._failure, self._ended = failure, True
            self._changed.notify_all()

    def values(self, follower: _Follower, cancel: CancelToken) -> Iterator[Value]:
        """The first one for who has not missed it, then the newest, until the end."""
        while True:
            with self._changed:
                while not self._ended and not follower.is_ready(self._count):
                    cancel.check()
                    self._changed.wait(_POLL_SECONDS)
                cancel.check()
                if follower.seen == self._count:
                    break
                is_first = follower.seen == follower.missed == 0
                value = self._first if is_first else self._newest
                assert value is not None
                follower.seen, follower.looks = 1 if is_first else self._count, True
            begun = time.monotonic()
            yield value
            now = time.monotonic()
            with self._changed:
                follower.looks, follower.rests_until = False, now + _REST * (now - begun)
                self._changed.notify_all()
        if self._failure is not None:
            raise self._failure

    def _give(self, value: Value) -> None:
        with self._changed:
            self._first = value if self._count == 0 else self._first
            self._newest, self._count = value, self._count + 1
            self._changed.notify_all()
            self._changed.wait_for(self._is_looked_at_by_all, _LOOK_SECONDS)

    def _is_looked_at_by_all(self) -> bool:
        return not any(follower.looks or follower.is_ready(self._count) for follower in self._followers)

    def _end_if_left(self) -> None:
        with self._changed:
            if not self._followers:
                self._token.cancel()
