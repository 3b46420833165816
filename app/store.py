"""All sessions of a process: made, found by key, brought back from what they left on disk, ended."""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from app.keeping import Keeper
from app.services import Services
from app.session import Session
from app.unsaved import Unsaved, owner_of
from core.errors import InvalidInput

_CLEAN_SECONDS = 3600.0


class SessionStore:
    """Creates, finds, revives and expires sessions; keys cannot be guessed."""

    def __init__(self, services: Services, unsaved_folder: Path, idle_seconds: float = 6 * 3600) -> None:
        self.services = services
        self.unsaved = Unsaved(unsaved_folder)
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._reviving = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._used: dict[str, float] = {}
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
        return self._living(key) or self.revive(key)

    def revive(self, key: str) -> Session:
        """The session of that key with the work that it left on disk. Raises KeyError when there is none."""
        with self._reviving:
            living = self._living(key)
            if living is not None:
                return living
            left = self.unsaved.last_of(owner_of(key))
            if left is None:
                raise KeyError(key)
            try:
                entry, restored = self.unsaved.open(left, owner_of(key))
            except InvalidInput as problem:
                raise KeyError(key) from problem
            session = self._made(key)
            session.resume(entry, restored)
            return self._add(session)

    def open_unsaved(self, key: str, entry_id: str) -> None:
        """Go on with unsaved work in the session of that key. Raises KeyError, and InvalidInput as `Unsaved.open`."""
        session = self.get(key)
        entry, restored = self.unsaved.open(entry_id, owner_of(key))
        session.resume(entry, restored)

    def close(self, key: str) -> None:
        """End a session; its work stays on disk."""
        with self._lock:
            session = self._sessions.pop(key, None)
            self._used.pop(key, None)
        if session is not None:
            for closer in self._closers:
                closer(key)
            session.close()
            session.services.memo.close()

    def expire(self) -> None:
        """End the sessions nobody has used for long, and now and then remove unsaved work that is too old."""
        now = time.monotonic()
        with self._lock:
            stale = [key for key, used in self._used.items() if now - used > self._idle_seconds]
        for key in stale:
            self.close(key)
        if self._cleaned is None or now - self._cleaned > _CLEAN_SECONDS:
            self._cleaned = now
            with contextlib.suppress(OSError):
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

    def _add(self, session: Session) -> Session:
        with self._lock:
            self._sessions[session.key] = session
            self._used[session.key] = time.monotonic()
        return session

    def _living(self, key: str) -> Session | None:
        with self._lock:
            session = self._sessions.get(key)
            if session is not None:
                self._used[key] = time.monotonic()
        return session
