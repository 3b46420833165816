"""Who is at which session: open pages, running requests, and when it was used last."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Lifetimes:
    """After how many seconds a session ends: once its last page has closed, or unused where it never had a page."""

    after_page: float = 30.0
    without_page: float = 300.0


LIFETIMES = Lifetimes()


@dataclass
class _Use:
    last: float
    pages: int = 0
    requests: int = 0
    had_page: bool = False


class Presence:
    """Counts by session key; thread-safe. A session with a page or a running request is never over."""

    def __init__(self, lifetimes: Lifetimes, clock: Callable[[], float] = time.monotonic) -> None:
        self._lifetimes, self._clock = lifetimes, clock
        self._lock = threading.Lock()
        self._uses: dict[str, _Use] = {}

    def touch(self, key: str) -> None:
        """The session is used now."""
        with self._lock:
            self._used(key)

    def enter(self, key: str, page: bool) -> None:
        """A page opens, or a request begins; `leave` ends it."""
        with self._lock:
            use = self._used(key)
            use.pages += page
            use.requests += not page
            use.had_page |= page

    def leave(self, key: str, page: bool) -> None:
        """The page has closed, or the request has been answered."""
        with self._lock:
            use = self._used(key)
            use.pages -= page
            use.requests -= not page

    def forget(self, key: str) -> None:
        """The session has ended, or never was; whoever is still there goes on being counted."""
        with self._lock:
            use = self._uses.get(key)
            if use is not None and not use.pages and not use.requests:
                del self._uses[key]

    def is_watched(self, key: str) -> bool:
        """Whether a page is open."""
        with self._lock:
            use = self._uses.get(key)
            return use is not None and use.pages > 0

    def is_over(self, key: str) -> bool:
        """Whether nobody has been there for long."""
        with self._lock:
            use = self._uses.get(key)
            if use is None or use.pages or use.requests:
                return use is None
            longest = self._lifetimes.after_page if use.had_page else self._lifetimes.without_page
            return self._clock() - use.last > longest

    def _used(self, key: str) -> _Use:
        use = self._uses.setdefault(key, _Use(0.0))
        use.last = self._clock()
        return use
