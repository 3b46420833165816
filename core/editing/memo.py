"""Caches of derived results, keyed by the content of what they came from, bounded in bytes all together."""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from core.editing.following import Streams
from core.memory import free_bytes
from core.types.protocols import CancelToken, Embedding

Value = TypeVar("Value")

_DEFAULT_BYTES = 1 << 30
_LEAST_BYTES = 1 << 29
_SHARE_OF_FREE = 8


class MemoPool:
    """The room that several memos share: past `max_bytes` the least recently used values go first.

    Before any of them go those of memos that nobody looks at.
    """

    def __init__(self, max_bytes: int = _DEFAULT_BYTES) -> None:
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._values: OrderedDict[tuple[int, Hashable], tuple[Any, int, Memo]] = OrderedDict()
        self._bytes = 0

    @property
    def size_bytes(self) -> int:
        """Bytes of all values of all memos."""
        return self._bytes

    def find(self, memo: "Memo", key: Hashable) -> tuple[Any, int, "Memo"] | None:
        """A memo's value with its size, the last to go from now on."""
        place = (id(memo), key)
        with self._lock:
            if place in self._values:
                self._values.move_to_end(place)
            return self._values.get(place)

    def put(self, memo: "Memo", key: Hashable, value: Any) -> None:
        """Keep a memo's value, unless that is closed, and make room for it."""
        place, size = (id(memo), key), bytes_held(value)
        with self._lock:
            if memo.closed:
                return
            self._drop(place)
            self._values[place] = (value, size, memo)
            self._grow(memo, size)
            while self._bytes > self.max_bytes and len(self._values) > 1:
                self._drop(self._next_to_go(place))

    def shed(self, count: int) -> None:
        """Drop values until `count` bytes are freed, or all are."""
        with self._lock:
            left = self._bytes - count
            while self._values and self._bytes > left:
                self._drop(self._next_to_go(None))

    def close(self, memo: "Memo") -> None:
        """Drop all values of a memo, which gets none any more."""
        with self._lock:
            memo.closed = True
            for place in [place for place in self._values if place[0] == id(memo)]:
                self._drop(place)

    def _next_to_go(self, newest: tuple[int, Hashable] | None) -> tuple[int, Hashable]:
        forgotten = (place for place, (*_, memo) in self._values.items() if not memo.watched and place != newest)
        return next(forgotten, next(iter(self._values)))

    def _drop(self, place: tuple[int, Hashable]) -> None:
        entry = self._values.pop(place, None)
        if entry is not None:
            self._grow(entry[2], -entry[1])

    def _grow(self, memo: "Memo", size: int) -> None:
        self._bytes += size
        memo.size_bytes += size


class Memo:
    """One user's part of a pool, of one of its own by default; safe to share between threads.

    `watched` says that somebody looks at what it is for. Two threads that miss the same key at once both compute it;
    results are equal, so either may stay.
    """

    def __init__(self, pool: MemoPool | None = None) -> None:
        self.watched = True
        self.size_bytes = 0
        self.pool = pool or MemoPool()
        self.closed = False
        self._streams = Streams()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of `key`, made on first use."""
        entry = self.pool.find(self, key)
        if entry is not None:
            return entry[0]
        value = make()
        self.put(key, value)
        return value

    def find(self, key: Hashable) -> Any | None:
        """The value of `key` if it is here."""
        entry = self.pool.find(self, key)
        return None if entry is None else entry[0]

    def put(self, key: Hashable, value: Any) -> None:
        """Keep `value`, dropping the least recently used ones of the pool to make room."""
        self.pool.put(self, key, value)

    def close(self) -> None:
        """Forget all values and keep none any more."""
        self.pool.close(self)

    def stream(
        self, key: Hashable, make: Callable[[CancelToken], Iterator[Value]], cancel: CancelToken
    ) -> Iterator[Value]:
        """What `make` yields, its last value kept; only that when it is here, the newest and later ones while it runs.

        Whoever asks for the same key meanwhile follows the same making. Raises Cancelled soon after `cancel` was set.
        """
        kept = self.find(key)
        if kept is not None:
            yield kept
            return

        def keeping(token: CancelToken) -> Iterator[Value]:
            last = None
            for last in make(token):
                yield last
            self.put(key, last)

        yield from self._streams.follow(key, keeping, cancel)


def ceiling_bytes() -> int:
    """What memos may hold on this machine as it is now: an eighth of the free memory, never less than half a GiB."""
    free = free_bytes()
    return _DEFAULT_BYTES if free is None else max(_LEAST_BYTES, free // _SHARE_OF_FREE)


def bytes_held(value: Any) -> int:
    """Bytes of all arrays reachable through records, sequences and mappings."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, Embedding):
        return value.size_bytes
    if dataclasses.is_dataclass(value):
        return sum(bytes_held(getattr(value, f.name)) for f in dataclasses.fields(value))
    if isinstance(value, Mapping):
        return sum(bytes_held(v) for v in value.values())
    if isinstance(value, (tuple, list)):
        return sum(bytes_held(v) for v in value)
    return 0
