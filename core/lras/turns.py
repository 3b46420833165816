"""Who may use a network next: first come, first served, so that no session starves another."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from core.types.protocols import CancelToken

_POLL_SECONDS = 0.05


class Turns:
    """Lets `at_once` threads in at a time, in the order in which they asked."""

    def __init__(self, at_once: int = 1) -> None:
        self._free = at_once
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """How many wait for a turn now."""
        return len(self._waiting)

    @contextmanager
    def turn(self, cancel: CancelToken) -> Iterator[None]:
        """Wait for a turn and keep it for the block. Raises Cancelled soon after `cancel` while waiting."""
        self._wait(cancel)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _wait(self, cancel: CancelToken) -> None:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while not (self._free and self._waiting[0] is ticket):
                    self._changed.wait(_POLL_SECONDS)
                    cancel.check()
                self._free -= 1
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
