"""One history on disk: a file of records that grows by a line per gesture, and the arrays they refer to beside it.

A record is a whole step with its label, or which step is shown; a step's arrays lie in blobs, so that a record stays
small whatever the photo's size and the history's length, and reading needs no edit to be done again.
"""

import contextlib
import errno
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.editing.history import History
from core.errors import BadProjectFile, InvalidInput
from core.files.journal import (
    PRIVATE_FOLDER,
    BlobFolder,
    JournalReader,
    JournalWriter,
    Lines,
    encode_line,
    read_lines,
    sync_folder,
    write_whole,
)
from core.files.records import record_from_json, record_to_json
from core.types.project import SCHEMA_VERSION, Project

_VERSION = 1
_BLOBS = "blobs"
_REFERENCE = re.compile(r'"blob":"([0-9a-f]{32})"')
# So many lines are written anew as the history that is left of them.
_MOST_RECORDS = 1000


@dataclass(frozen=True)
class Outline:
    """What a journal tells without its arrays. `steps` without the original; `saved` in seconds since 1970."""

    name: str
    steps: int
    saved: float


@dataclass(frozen=True)
class Restored:
    """A history as it was; `lost` steps could not be read."""

    history: History
    lost: int
    clean: bool


class Journal:
    """Writes one history into a folder that nobody else writes. What a method wrote is on disk when it returns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / _BLOBS).mkdir(PRIVATE_FOLDER, exist_ok=True)
        self._blobs = BlobFolder(folder / _BLOBS)
        self._writer = JournalWriter(self._blobs)
        self._handle: int | None = None
        self._records = 0

    def write(self, history: History) -> None:
        """The whole history, in place of what was there. Raises OSError; what was there is there still."""
        before = _files(self.folder)
        path = self.folder / f"{1 + max((int(path.stem) for path in before), default=0):06}.log"
        (self.folder / _BLOBS).mkdir(PRIVATE_FOLDER, exist_ok=True)
        with self._whole():
            steps = [self._step(history.at(index), index - 1) for index in range(len(history.steps))]
            records = [{"journal": _VERSION, "schema": SCHEMA_VERSION}, *steps, _shown(history)]
            text = b"".join(map(encode_line, records))
            self._blobs.sync()
            write_whole(path, text)
            sync_folder(self.folder)
            self.close()
            self._handle = os.open(path, os.O_WRONLY | os.O_APPEND)
        self._records = len(records)
        self._prune(before, set(_REFERENCE.findall(text.decode())))

    def go_on(self) -> None:
        """Write after what is there, which must be whole. Raises OSError."""
        newest = _files(self.folder)[-1]
        self._handle = os.open(newest, os.O_WRONLY | os.O_APPEND)
        self._records = newest.read_bytes().count(b"\n")

    def step(self, history: History, after: int) -> None:
        """The history's shown step is new and came after what was step `after`. Raises OSError."""
        self._append(history, lambda: self._step(history, after))

    def move(self, history: History) -> None:
        """Another step is shown. Raises OSError."""
        self._append(history, lambda: _shown(history))

    def close(self) -> None:
        """Write no more."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _append(self, history: History, record: Callable[[], dict[str, Any]]) -> None:
        if self._records >= _MOST_RECORDS:
            self.write(history)
            return
        handle = self._handle
        if handle is None or os.fstat(handle).st_nlink == 0:
            raise FileNotFoundError(None, "the folder for unsaved work was removed")
        with self._whole():
            line = encode_line(record())
            self._blobs.sync()
            _append_whole(handle, line)
        self._records += 1

    def _step(self, history: History, after: int) -> dict[str, Any]:
        label, project = history.steps[history.index].label, record_to_json(history.project, self._writer)
        return {"time": time.time(), "after": after, "label": label, "project": project}

    @contextlib.contextmanager
    def _whole(self) -> Iterator[None]:
        """Arrays of a record that could not be written do not stay: the disk may be full."""
        try:
            yield
        except BaseException:
            self._blobs.take_back()
            raise
        self._blobs.accept()

    def _prune(self, before: list[Path], used: set[str]) -> None:
        """Remove what the newest file does not need, as far as that can be done."""
        with contextlib.suppress(OSError):
            for path in before:
                path.unlink(missing_ok=True)
            self._blobs.keep_only(used)


def _append_whole(handle: int, line: bytes) -> None:
    """Raises OSError; the file is then as it was, where that can be done."""
    end = os.fstat(handle).st_size
    try:
        if os.write(handle, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(handle)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(handle, end)
        raise


def is_journal(folder: Path) -> bool:
    """Whether anything was written there, by whatever version."""
    return bool(_files(folder))


def outline(folder: Path) -> Outline | None:
    """What is known of a journal; None where there is none, or none that this version reads."""
    try:
        records = _lines(folder).records
    except (OSError, BadProjectFile):
        return None
    steps, name, saved = -1, "", 0.0
    for record in records:
        if "project" in record:
            name = name or str(record["project"]["photo"]["name"])
            steps = min(min(steps, record["after"]) + 1, History.limit - 1)
        saved = record.get("time", saved)
    return Outline(name, steps, saved) if steps >= 0 else None


def restore(folder: Path) -> Restored:
    """The history as it was last written. Steps that are damaged are left out.

    Raises OSError where it cannot be read, BadProjectFile when nothing of it can be used.
    """
    lines = _lines(folder)
    history: History | None = None
    lost = lines.damaged
    reader = JournalReader(BlobFolder(folder / _BLOBS))
    for record in lines.records:
        if "project" in record:
            try:
                project = record_from_json(Project, record["project"], "The step", reader)
            except InvalidInput:
                lost += 1
                continue
            label = str(record["label"])
            history = history.at(record["after"]).push(project, label) if history else History.begin(project, label)
        elif "show" in record and history is not None:
            history = history.at(record["show"])
    if history is None:
        raise BadProjectFile("This unsaved work is damaged and none of it can be read; discard it.")
    return Restored(history, lost, clean=not (lost or lines.torn))


def _lines(folder: Path) -> Lines:
    """Raises FileNotFoundError without a journal, BadProjectFile for a newer version's."""
    files = _files(folder)
    if not files:
        raise FileNotFoundError(folder)
    lines = read_lines(files[-1].read_bytes())
    head = next(iter(lines.records), {})
    if head.get("journal", _VERSION) > _VERSION or head.get("schema", SCHEMA_VERSION) > SCHEMA_VERSION:
        raise BadProjectFile("This unsaved work is of a newer version of the studio; open it with that one.")
    return lines


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.log"))


def _shown(history: History) -> dict[str, Any]:
    return {"time": time.time(), "show": history.index}
