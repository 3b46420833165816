"""All sessions of a process, and the autosaves that outlive it."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.services import Services
from app.session import Session
from app.state import Event
from core.errors import EditorError
from core.files.atomic import write_atomically
from core.files.project import save_project
from core.types.project import Project

log = logging.getLogger(__name__)

_QUIET_SECONDS = 2.0


@dataclass(frozen=True)
class Autosave:
    """A project left behind by an earlier session."""

    path: Path
    saved_at: float


class SessionStore:
    """Creates, finds, expires and autosaves sessions; keys cannot be guessed."""

    def __init__(self, services: Services, autosave_folder: Path, idle_seconds: float = 6 * 3600) -> None:
        self.services = services
        self._folder = autosave_folder
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._used: dict[str, float] = {}
        self._savers: dict[str, _Autosaver] = {}
        self._closers: list[Callable[[str], None]] = []

    def on_close(self, closer: Callable[[str], None]) -> None:
        """Call `closer` with the key of every session that is about to end."""
        self._closers.append(closer)

    def create(self) -> Session:
        """A new, empty session."""
        session = Session(secrets.token_urlsafe(16), self.services)
        saver = _Autosaver(session, self._folder / f"{session.key}.lras")
        with self._lock:
            self._sessions[session.key] = session
            self._used[session.key] = time.monotonic()
            self._savers[session.key] = saver
        return session

    def get(self, key: str) -> Session:
        """The session of that key. Raises KeyError when it is gone."""
        with self._lock:
            session = self._sessions[key]
            self._used[key] = time.monotonic()
        return session

    def close(self, key: str) -> None:
        """End a session; its autosave stays."""
        with self._lock:
            session = self._sessions.pop(key, None)
            self._used.pop(key, None)
            saver = self._savers.pop(key, None)
        if session is not None:
            for closer in self._closers:
                closer(key)
        if saver is not None:
            saver.close()
        if session is not None:
            session.close()

    def expire(self) -> None:
        """End the sessions nobody has used for long."""
        now = time.monotonic()
        with self._lock:
            stale = [key for key, used in self._used.items() if now - used > self._idle_seconds]
        for key in stale:
            self.close(key)

    def give_up(self) -> None:
        """Ask every session to stop its work; sessions and what is unsaved stay."""
        with self._lock:
            sessions = list(self._sessions.values())
        for session in sessions:
            session.give_up()

    def close_all(self) -> None:
        """End every session, saving what is unsaved."""
        for key in list(self._sessions):
            self.close(key)

    def autosaves(self) -> list[Autosave]:
        """Projects on disk that no open session is writing, newest first."""
        if not self._folder.is_dir():
            return []
        found = [Autosave(p, p.stat().st_mtime) for p in self._folder.glob("*.lras") if p.stem not in self._sessions]
        return sorted(found, key=lambda a: a.saved_at, reverse=True)


class _Autosaver:
    """Writes a session's project a moment after its last change."""

    def __init__(self, session: Session, path: Path) -> None:
        self._session, self._path = session, path
        self._wake = threading.Event()
        self._closed = False
        self._saved: Project | None = None
        self._encoded: dict[str, bytes] = {}
        self._thread: threading.Thread | None = None
        self._unsubscribe = session.subscribe(self._heard)

    def close(self) -> None:
        self._unsubscribe()
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _heard(self, event: Event) -> None:
        if event.kind != "changed":
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="autosave", daemon=True)
            self._thread.start()
        self._wake.set()

    def _work(self) -> None:
        while not self._closed:
            self._wake.wait()
            while not self._closed and self._wake.is_set():
                self._wake.clear()
                self._wake.wait(_QUIET_SECONDS)
            self._save()

    def _save(self) -> None:
        history = self._session.history
        if history is None or history.project is self._saved or not history.can_undo:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, save_project(history.project, self._encoded))
            self._saved = history.project
        except (EditorError, OSError) as failure:
            log.warning("autosave failed: %s", failure)
