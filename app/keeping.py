"""Keeping a session's work: every change goes to its journal before it is acknowledged, and failing to is told."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.unsaved import Entry, Unsaved
from core.editing.history import History

log = logging.getLogger(__name__)

RETRY_SECONDS = 3.0


@dataclass(frozen=True)
class NotKept:
    """Edits since then (seconds since 1970) would be lost if the studio ended now, and why."""

    since: float
    reason: str


class NoKeeper:
    """What a session tells its keeper; this one keeps nothing, for sessions that end with their process.

    `on_change` is called when `not_kept` changes.
    """

    def __init__(self) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self.not_kept: NotKept | None = None

    @property
    def entry_id(self) -> str | None:
        """The entry that is written."""
        return None

    def begin(self, history: History, entry: Entry | None = None) -> None:
        """Another photo is open; `entry`, which was opened, is where it was kept until now."""

    def change(self, history: History) -> None:
        """Another step is shown, or a new one that came after the one that was."""

    def show(self, jpeg: bytes) -> None:
        """A small picture of the shown step."""

    def close(self) -> None:
        """Leave the work to whoever opens it next."""


class Keeper(NoKeeper):
    """Writes one session's histories, an entry for each photo; a write that failed is tried again and again.

    No method raises for a disk that refuses.
    """

    def __init__(self, unsaved: Unsaved, owner: str) -> None:
        super().__init__()
        self._unsaved, self._owner = unsaved, owner
        self._lock = threading.Lock()
        self._told: NotKept | None = None
        self._history: History | None = None
        self._former: list[tuple[Entry | None, History]] = []
        self._entry: Entry | None = None
        self._closed = threading.Event()
        self._retrying: threading.Thread | None = None

    @property
    def entry_id(self) -> str | None:
        """The entry that is written."""
        entry = self._entry
        return None if entry is None else entry.id

    def begin(self, history: History, entry: Entry | None = None) -> None:
        """Without an `entry` the photo gets one of its own; the former photo's stays if that was edited."""
        with self._lock:
            self._leave()
            self._history, self._entry = history, entry
            if entry is None:
                self._keep(self._write_all)
            elif not self._former:
                self.not_kept = None
        self._settle()

    def change(self, history: History) -> None:
        """One record says it all, unless there is more that is not on disk."""
        with self._lock:
            before, self._history = self._history, history
            entry = self._entry
            if entry is None or before is None or self.not_kept is not None:
                self._keep(self._write_all)
            elif history.steps is before.steps:
                self._keep(lambda: entry.journal.move(history), self._write_all)
            else:
                self._keep(lambda: entry.journal.step(history, before.index), self._write_all)
        self._settle()

    def show(self, jpeg: bytes) -> None:
        """A small picture of the shown step."""
        with self._lock, contextlib.suppress(OSError):
            if self._entry is not None and not self._closed.is_set():
                self._entry.show(jpeg)

    def close(self) -> None:
        """Try once more what could not be kept, and leave the work to whoever opens it next."""
        with self._lock:
            if self.not_kept is not None:
                self._keep(self._write_all)
            self._closed.set()
            for entry in (self._entry, *(former for former, _ in self._former)):
                if entry is not None:
                    entry.release()
            self._entry, self._former = None, []

    def _keep(self, *attempts: Callable[[], None]) -> None:
        """Write by the first attempt that succeeds."""
        for write in () if self._closed.is_set() else attempts:
            try:
                write()
                self.not_kept = None
                return
            except (OSError, MemoryError) as failure:
                reason = getattr(failure, "strerror", None) or str(failure) or type(failure).__name__
                if self.not_kept is None:
                    log.warning("unsaved work could not be written: %s", reason)
                since = time.time() if self.not_kept is None else self.not_kept.since
                self.not_kept = NotKept(since, reason)

    def _write_all(self) -> None:
        """All that is not on disk: photos that were left meanwhile, and the open one's whole history."""
        while self._former:
            self._written(*self._former[0]).give_away()
            self._former.pop(0)
        if self._history is not None:
            self._entry = self._written(self._entry, self._history)

    def _written(self, entry: Entry | None, history: History) -> Entry:
        """The history in its entry, or in a new one where there is none any more. Raises OSError."""
        if entry is not None and entry.folder.is_dir():
            entry.journal.write(history)
            return entry
        if entry is not None:
            entry.release()
        return self._unsaved.begin(self._owner, history)

    def _leave(self) -> None:
        """Leave the open photo's entry behind, unless nothing was done to the photo."""
        history, entry = self._history, self._entry
        self._history = self._entry = None
        if history is not None and len(history.steps) > 1:
            if self.not_kept is not None:
                self._former.append((entry, history))
            elif entry is not None:
                entry.give_away()
        elif entry is not None:
            entry.remove()

    def _settle(self) -> None:
        """Tell of a change, and go on trying. Without the lock: listeners may ask for what it guards."""
        if self.not_kept != self._told:
            self._told = self.not_kept
            self.on_change()
        with self._lock:
            if self.not_kept is None or self._retrying is not None or self._closed.is_set():
                return
            self._retrying = threading.Thread(target=self._retry, name="keeping", daemon=True)
            self._retrying.start()

    def _retry(self) -> None:
        while not self._closed.wait(RETRY_SECONDS):
            with self._lock:
                self._keep(self._write_all)
                done = self.not_kept is None
                if done:
                    self._retrying = None
            if done:
                self._settle()
                return
