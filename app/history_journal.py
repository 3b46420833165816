"""One history on disk: a file of records that grows by a line per gesture, and the arrays they refer to beside it.

A record is a whole step with its label, or which step is shown; a step's arrays lie in blobs, so that a record stays
small whatever the photo's size and the history's length, and reading needs no edit to be done again.
"""

import contextlib
import errno
import functools
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.history_records import Record, StepRecord, replayed, understood
from core.editing.history import History, Step
from core.errors import BadProjectFile, InvalidInput
from core.files.journal import (
    PRIVATE_FOLDER,
    BlobFolder,
    JournalReader,
    JournalWriter,
    encode_line,
    read_lines,
    sync_folder,
    write_whole,
)
from core.files.records import record_from_json, record_to_json
from core.types.project import SCHEMA_VERSION, Project

_VERSION = 1
_BLOBS = "blobs"
_LOG = re.compile(r"[0-9]{6,12}\.log")
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
            self._blobs.accept()
        finally:
            self._blobs.take_back()

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
        return _outline(folder, tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in _files(folder)))
    except OSError:
        return None


@functools.lru_cache(maxsize=1000)
def _outline(folder: Path, _: tuple[tuple[Path, int, int], ...]) -> Outline | None:
    """The same, read again when a file has changed: pages that show the list ask every few seconds."""
    try:
        records = _written(folder).records
    except BadProjectFile:
        return None
    steps = replayed(records, lambda record: record).steps
    return Outline(_name(steps[0]), len(steps) - 1, records[-1].time) if steps else None


def restore(folder: Path) -> Restored:
    """The history as it was last written. Steps that are damaged are left out.

    Raises OSError where it cannot be read, BadProjectFile when nothing of it can be used.
    """
    written, reader = _written(folder), JournalReader(BlobFolder(folder / _BLOBS))

    def step(record: StepRecord) -> Step | None:
        try:
            return Step(record.label, record_from_json(Project, record.project, "The step", reader))
        except InvalidInput:
            return None

    found = replayed(written.records, step)
    if not found.steps:
        raise BadProjectFile("This unsaved work is damaged and none of it can be read; discard it.")
    lost = max(found.lost, written.damaged)
    return Restored(History(found.steps, found.index), lost, clean=written.is_whole and not lost)


@dataclass(frozen=True)
class _Written:
    """A file's records, how many of its lines were none, and whether it can be written on."""

    records: tuple[Record, ...]
    damaged: int
    is_whole: bool


def _written(folder: Path) -> _Written:
    """The newest file that has records, else the newest.

    Raises FileNotFoundError without a journal, BadProjectFile for a newer version's.
    """
    files = _files(folder)
    if not files:
        raise FileNotFoundError(errno.ENOENT, "nothing was written there yet")
    found = [_read(path) for path in files]
    newest = next((written for written in reversed(found) if written.records), found[-1])
    return newest if newest is found[-1] else replace(newest, is_whole=False)


def _read(path: Path) -> _Written:
    """Raises BadProjectFile for a newer version's."""
    lines = read_lines(path.read_bytes())
    heads = [line for line in lines.records if _is_head(line)]
    if any(line["journal"] > _VERSION or line["schema"] > SCHEMA_VERSION for line in heads):
        raise BadProjectFile("This unsaved work is of a newer version of the studio; open it with that one.")
    said = [understood(line) for line in lines.records if not _is_head(line)]
    records = tuple(record for record in said if record is not None)
    return _Written(records, lines.damaged + said.count(None), not lines.torn)


def _is_head(line: dict[str, Any]) -> bool:
    return all(isinstance(line.get(name), int) for name in ("journal", "schema"))


def _name(record: StepRecord) -> str:
    photo = record.project.get("photo")
    return str(photo.get("name", "")) if isinstance(photo, dict) else ""


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.log") if _LOG.fullmatch(path.name))


def _shown(history: History) -> dict[str, Any]:
    return {"time": time.time(), "show": history.index}
