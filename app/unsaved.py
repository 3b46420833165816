"""The folder of unsaved work: an entry for each photo somebody edits or edited, held by one session at a time."""

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from app.history_journal import Journal, Restored, is_journal, outline, restore
from core.editing.history import History
from core.errors import EditorError, InvalidInput
from core.files.folders import user_folder
from core.files.journal import PRIVATE_FOLDER, sync_folder, write_whole
from core.files.locks import FileLock

NOBODY = ""
KEPT_DAYS = 30
KEPT_BYTES = 5_000_000_000
_DAY = 24 * 3600.0
_KEPT, _KEPT_WITHOUT_A_STEP, _HALF_MADE = KEPT_DAYS * _DAY, _DAY, 3600.0

_ID = re.compile(r"[0-9a-f]{16}")
_LOCK, _OWNER, _THUMBNAIL = "lock", "owner", "thumbnail.jpg"
_PATIENCE, _POLL = 1.0, 0.02


@dataclass(frozen=True)
class UnsavedWork:
    """One entry of the list: `steps` without the original, `saved` in seconds since 1970, `held` by a session."""

    id: str
    name: str
    steps: int
    saved: float
    held: bool


class Entry:
    """An entry that is held: nobody else writes, opens or removes it until it is released or its process ends."""

    def __init__(self, folder: Path, lock: FileLock) -> None:
        self.id = folder.name
        self.folder = folder
        self._lock = lock
        self.journal = Journal(folder)

    def own(self, owner: str) -> None:
        """Say whose session goes on with it. Raises OSError."""
        write_whole(self.folder / _OWNER, owner.encode())
        sync_folder(self.folder)

    def show(self, jpeg: bytes) -> None:
        """Put a small picture of it beside it. Raises OSError."""
        write_whole(self.folder / _THUMBNAIL, jpeg)

    def release(self) -> None:
        """Leave it to others."""
        self.journal.close()
        self._lock.release()

    def give_away(self) -> None:
        """Release it, and let its session's page find what is open there now, whatever the clock says."""
        with contextlib.suppress(OSError):
            self.own(NOBODY)
        self.release()

    def remove(self) -> None:
        """Remove all of it and release it. What cannot be removed stays without being held."""
        self.journal.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()
        if os.name == "nt":  # where an open file, as the lock was, cannot be removed
            shutil.rmtree(self.folder, ignore_errors=True)


class Unsaved:
    """What was edited and not taken away yet, of every session that kept its work in this folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, owner: str, history: History) -> Entry:
        """A new entry with that history, held. Raises OSError; then there is none."""
        if not self.folder.is_dir():
            self.folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
        folder = self.folder / secrets.token_hex(8)
        with contextlib.ExitStack() as begun:
            folder.mkdir(PRIVATE_FOLDER)
            begun.callback(shutil.rmtree, folder, ignore_errors=True)
            lock = FileLock.take(folder / _LOCK)
            assert lock is not None  # nobody knows of it yet
            begun.callback(lock.release)
            entry = Entry(folder, lock)
            begun.callback(entry.remove)
            entry.own(owner)
            entry.journal.write(history)
            sync_folder(self.folder)
            begun.pop_all()
        return entry

    def open(self, entry_id: str, owner: str) -> tuple[Entry, Restored]:
        """Hold an entry and read it; it is written on from where it ends.

        Raises InvalidInput when it is not there, is open elsewhere or cannot be read.
        """
        entry = self._hold(entry_id)
        with contextlib.ExitStack() as held:
            held.callback(entry.release)
            restored = _restored(entry.folder)
            held.pop_all()
        # Work on a full disk can be opened all the same; that it cannot be written is told when there is a change.
        with contextlib.suppress(OSError):
            entry.own(owner)
            if restored.clean:
                entry.journal.go_on()
            else:
                entry.journal.write(restored.history)
        return entry, restored

    def read(self, entry_id: str) -> History:
        """An entry's history, which may be held meanwhile. Raises InvalidInput as `open` does."""
        return _restored(self._place(entry_id)).history

    def listed(self) -> list[UnsavedWork]:
        """Every entry with an edit in it, newest first. Raises InvalidInput when the folder cannot be read."""
        found = []
        for folder in self._folders():
            known = outline(folder)
            if known is not None and known.steps > 0:
                found.append(UnsavedWork(folder.name, known.name, known.steps, known.saved, _is_held(folder)))
        return sorted(found, key=lambda work: work.saved, reverse=True)

    def last_of(self, owner: str) -> str | None:
        """The entry that this owner's session wrote last, with or without an edit. Raises InvalidInput as `listed`."""
        owned = [folder for folder in self._folders() if _owner(folder) == owner]
        saved = {folder.name: known.saved for folder in owned if (known := outline(folder)) is not None}
        return max(saved, key=lambda name: saved[name], default=None)

    def thumbnail(self, entry_id: str) -> bytes | None:
        """A small JPEG; None before there was one. Raises InvalidInput for an entry that is not there."""
        try:
            return (self._place(entry_id) / _THUMBNAIL).read_bytes()
        except FileNotFoundError:
            return None

    def discard(self, entry_id: str) -> None:
        """Remove an entry. Raises InvalidInput when it is not there or open, or cannot be removed."""
        entry = self._hold(entry_id)
        entry.remove()
        if is_journal(entry.folder):
            raise InvalidInput(f"{entry.folder} could not be removed; look at who may write there.")

    def discard_all(self) -> None:
        """Remove every entry that is not open."""
        for work in self.listed():
            if not work.held:
                with contextlib.suppress(InvalidInput):
                    self.discard(work.id)

    def clean(self) -> None:
        """Remove what is older than `KEPT_DAYS`, the oldest above `KEPT_BYTES`, what was never edited; nothing open."""
        now, kept = time.time(), 0
        for folder, saved, longest in sorted(map(_aged, self._folders()), key=lambda aged: -aged[1]):
            size = _size(folder)
            if (now - saved > longest or kept + size > KEPT_BYTES) and not _is_held(folder):
                with contextlib.suppress(InvalidInput):
                    self.discard(folder.name)
            else:
                kept += size

    def _hold(self, entry_id: str) -> Entry:
        """Raises InvalidInput when it is not there or open elsewhere."""
        folder, deadline = self._place(entry_id), time.monotonic() + _PATIENCE
        # Whoever lists entries holds each for a moment.
        while (lock := _taken(folder)) is None:
            if time.monotonic() > deadline:
                raise InvalidInput(
                    "This unsaved work is open in another tab or studio; go on there, or close it first."
                )
            time.sleep(_POLL)
        return Entry(folder, lock)

    def _place(self, entry_id: str) -> Path:
        folder = self.folder / entry_id
        if not _ID.fullmatch(entry_id) or not folder.is_dir():
            raise InvalidInput("This unsaved work is no longer there; it was opened and discarded, or cleaned up.")
        return folder

    def _folders(self) -> list[Path]:
        try:
            return [path for path in self.folder.iterdir() if _ID.fullmatch(path.name) and path.is_dir()]
        except FileNotFoundError:
            return []
        except OSError as problem:
            raise InvalidInput(f"Unsaved work in {self.folder} cannot be read ({problem.strerror}).") from problem


def unsaved_folder() -> Path:
    """Where unsaved work survives a crash: a folder of this user's own."""
    return user_folder("XDG_STATE_HOME", ".local/state") / "unsaved"


def owner_of(key: str) -> str:
    """What an entry says of whose session wrote it: nobody can tell the session's key from it."""
    return hashlib.sha256(key.encode()).hexdigest()


def _taken(folder: Path) -> FileLock | None:
    """The entry's lock; None while it is held. Raises InvalidInput when the entry is gone."""
    try:
        return FileLock.take(folder / _LOCK)
    except OSError as problem:
        raise InvalidInput(f"This unsaved work cannot be opened ({problem.strerror or problem}).") from problem


def _is_held(folder: Path) -> bool:
    try:
        lock = FileLock.take(folder / _LOCK)
    except OSError:
        return False
    if lock is not None:
        lock.release()
    return lock is None


def _owner(folder: Path) -> str:
    try:
        return (folder / _OWNER).read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def _aged(folder: Path) -> tuple[Path, float, float]:
    """When an entry was saved last, and for how many seconds it is kept from then on."""
    known = outline(folder)
    if known is not None:
        return folder, known.saved, _KEPT if known.steps > 0 else _KEPT_WITHOUT_A_STEP
    with contextlib.suppress(OSError):
        return folder, folder.stat().st_mtime, _KEPT if is_journal(folder) else _HALF_MADE
    return folder, time.time(), _HALF_MADE


def _size(folder: Path) -> int:
    sizes = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            sizes.append(path.stat().st_size)
    return sum(sizes)


def _restored(folder: Path) -> Restored:
    """Raises InvalidInput when it cannot be read, now or ever."""
    try:
        return restore(folder)
    except EditorError as problem:
        raise InvalidInput(str(problem)) from problem
    except OSError as problem:
        raise InvalidInput(f"This unsaved work cannot be read ({problem.strerror or problem}).") from problem
