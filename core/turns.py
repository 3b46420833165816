"""Who may compute next: first come, first served, so that no session starves another."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from core.types.protocols import CancelToken

_POLL_SECONDS = 0.05


class Turns:
    """Lets `at_once` threads in at a time, in the order in which they asked.

    Work that nobody waits for yet stands `behind` all other, and never takes the last place but where there is one.
    """

    def __init__(self, at_once: int = 1) -> None:
        self._at_once = at_once
        self._inside = {False: 0, True: 0}
        self._waiting: dict[bool, deque[object]] = {False: deque(), True: deque()}
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """How many wait for a turn now."""
        return sum(map(len, self._waiting.values()))

    @contextmanager
    def turn(self, cancel: CancelToken, behind: bool = False) -> Iterator[None]:
        """Wait for a turn and keep it for the block. Raises Cancelled soon after `cancel` while waiting."""
        self._wait(cancel, behind)
        try:
            yield
        finally:
            with self._changed:
                self._inside[behind] -= 1
                self._changed.notify_all()

    def _wait(self, cancel: CancelToken, behind: bool) -> None:
        ticket, queue = object(), self._waiting[behind]
        with self._changed:
            queue.append(ticket)
            try:
                while not (queue[0] is ticket and self._has_room(behind)):
                    self._changed.wait(_POLL_SECONDS)
                    cancel.check()
                self._inside[behind] += 1
            finally:
                queue.remove(ticket)
                self._changed.notify_all()

    def _has_room(self, behind: bool) -> bool:
        if behind and (self._waiting[False] or self._inside[True] >= max(1, self._at_once - 1)):
            return False
        return sum(self._inside.values()) < self._at_once
