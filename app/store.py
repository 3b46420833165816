"""All sessions of a process: made, found by key, brought back from what they left on disk, ended."""

import contextlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

from app.keeping import Keeper
from app.presence import LIFETIMES, Lifetimes, Presence
from app.services import Services
from app.session import Session
from app.unsaved import Unsaved, owner_of
from core.errors import InvalidInput
from core.memory import return_freed

_CLEAN_SECONDS = 3600.0
# Keys of ended sessions that had no work to leave: a page that wakes after long still finds its empty session.
_REMEMBERED = 10_000


class SessionStore:
    """Creates, finds and revives sessions, and ends those that nobody is at; keys cannot be guessed."""

    def __init__(
        self,
        services: Services,
        unsaved_folder: Path,
        lifetimes: Lifetimes = LIFETIMES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.services = services
        self.unsaved = Unsaved(unsaved_folder)
        self._presence, self._clock = Presence(lifetimes, clock), clock
        self._lock = threading.Lock()
        self._reviving = threading.Lock()
        self._has_ended = threading.Condition(self._lock)
        self._ending: set[str] = set()
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._sessions: dict[str, Session] = {}
        self._closers: list[Callable[[str], None]] = []
        self._cleaned: float | None = None

    def on_close(self, closer: Callable[[str], None]) -> None:
        """Call `closer` with the key of every session that is about to end."""
        self._closers.append(closer)

    def create(self) -> Session:
        """A new, empty session."""
        return self._add(self._made(secrets.token_urlsafe(16)))

    def get(self, key: str) -> Session:
        """The session of that key, as it was left if it has ended. Raises KeyError when nothing is known of it."""
        return self._living(key) or self._revived(key)

    def open_unsaved(self, key: str, entry_id: str) -> None:
        """Go on with unsaved work in the session of that key. Raises KeyError, and InvalidInput as `Unsaved.open`."""
        session = self.get(key)
        session.resume(lambda: self.unsaved.open(entry_id, owner_of(key)))

    @contextlib.contextmanager
    def visit(self, key: str, page: bool) -> Iterator[None]:
        """Somebody is at a session, known or not: an open page, or a request. It does not end meanwhile."""
        self._presence.enter(key, page)
        self._look_at(key)
        try:
            yield
        finally:
            self._presence.leave(key, page)
            self._look_at(key)

    def close(self, key: str) -> None:
        """End a session; its work stays on disk."""
        self._end(key, lambda _: True)

    def expire(self) -> None:
        """End the sessions that nobody is at any more, and now and then remove unsaved work that is too old.

        What runs for its user, or could not be put on disk, is waited for.
        """
        with self._lock:
            keys = [key for key in self._sessions if self._presence.is_over(key)]
        ended = [self._end(key, self._is_left) for key in keys]
        if any(ended):
            return_freed()
        now = self._clock()
        if self._cleaned is None or now - self._cleaned > _CLEAN_SECONDS:
            self._cleaned = now
            with contextlib.suppress(OSError, InvalidInput):
                self.unsaved.clean()

    def give_up(self) -> None:
        """Ask every session to stop its work; sessions and what is unsaved stay."""
        with self._lock:
            sessions = list(self._sessions.values())
        for session in sessions:
            session.give_up()

    def close_all(self) -> None:
        """End every session."""
        for key in list(self._sessions):
            self.close(key)

    def _made(self, key: str) -> Session:
        return Session(key, self.services.for_session(), Keeper(self.unsaved, owner_of(key)))

    def _revived(self, key: str) -> Session:
        """The session of that key with the work that it left on disk. Raises KeyError when nothing is known of it."""
        with self._reviving:
            with self._has_ended:
                self._has_ended.wait_for(lambda: key not in self._ending)
            living = self._living(key)
            if living is not None:
                return living
            try:
                left = self.unsaved.last_of(owner_of(key))
                work = None if left is None else self.unsaved.open(left, owner_of(key))
            except InvalidInput as problem:
                raise KeyError(key) from problem
            if work is None and key not in self._ended:
                raise KeyError(key)
            session = self._made(key)
            if work is not None:
                session.resume(lambda: work)
            return self._add(session)

    def _add(self, session: Session) -> Session:
        self._presence.touch(session.key)
        with self._lock:
            self._sessions[session.key] = session
        self._look_at(session.key)
        return session

    def _living(self, key: str) -> Session | None:
        with self._lock:
            session = self._sessions.get(key)
        if session is not None:
            self._presence.touch(key)
        return session

    def _look_at(self, key: str) -> None:
        with self._lock:
            session = self._sessions.get(key)
        if session is None:
            self._presence.forget(key)
        else:
            session.services.memo.watched = self._presence.is_watched(key)

    def _is_left(self, session: Session) -> bool:
        return self._presence.is_over(session.key) and not session.is_needed

    def _end(self, key: str, may_end: Callable[[Session], bool]) -> bool:
        """End a session if it still may, and let it be revived only once it has let go of its work."""
        with self._lock:
            session = self._sessions.get(key)
            if session is None or not may_end(session):
                return False
            del self._sessions[key]
            self._ending.add(key)
            self._ended[key] = None
            while len(self._ended) > _REMEMBERED:
                self._ended.popitem(last=False)
        self._presence.forget(key)
        try:
            session.give_up()
            for closer in self._closers:
                closer(key)
            session.close()
            session.services.memo.close()
        finally:
            with self._has_ended:
                self._ending.discard(key)
                self._has_ended.notify_all()
        return True
