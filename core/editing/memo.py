"""A cache of derived results, keyed by the content of what they came from, bounded in bytes."""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from core.editing.following import Streams
from core.types.protocols import CancelToken

Value = TypeVar("Value")


class Memo:
    """Least recently used values go first once `max_bytes` is passed; safe to share between threads.

    Two threads that miss the same key at once both compute it; results are equal, so either may stay.
    """

    def __init__(self, max_bytes: int = 1 << 30) -> None:
        self._max_bytes = max_bytes
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._streams = Streams()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of `key`, made on first use."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
        value = make()
        self.put(key, value)
        return value

    def find(self, key: Hashable) -> Any | None:
        """The value of `key` if it is here."""
        with self._lock:
            entry = self._values.get(key)
            if entry is None:
                return None
            self._values.move_to_end(key)
            return entry[0]

    def put(self, key: Hashable, value: Any) -> None:
        """Keep `value`, dropping the least recently used ones to make room."""
        size = bytes_held(value)
        with self._lock:
            if key in self._values:
                self._bytes -= self._values.pop(key)[1]
            self._values[key] = (value, size)
            self._bytes += size
            while self._bytes > self._max_bytes and len(self._values) > 1:
                _, (_, freed) = self._values.popitem(last=False)
                self._bytes -= freed

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

    @property
    def size_bytes(self) -> int:
        return self._bytes


def bytes_held(value: Any) -> int:
    """Bytes of all arrays reachable through records, sequences and mappings."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, bytes):
        return len(value)
    if dataclasses.is_dataclass(value):
        return sum(bytes_held(getattr(value, f.name)) for f in dataclasses.fields(value))
    if isinstance(value, Mapping):
        return sum(bytes_held(v) for v in value.values())
    if isinstance(value, (tuple, list)):
        return sum(bytes_held(v) for v in value)
    return 0
