"""The parts of a journal: records as checksummed lines, and arrays as blobs in a folder, each on disk before it counts.

A line is 16 hex digits of its JSON's hash, a space, the JSON. Arrays are NPY, masks packed by zlib: quick to write
rather than small.
"""

import contextlib
import io
import json
import os
import re
import weakref
import zlib
from collections.abc import Set
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import BadProjectFile
from core.files.atomic import put_on_disk
from core.files.blobs import BlobReader, BlobWriter
from core.files.npy import NPY_MAGIC, decode_npy

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
Buffer = bytes | memoryview

_BLOB_ID = re.compile(r"[0-9a-f]{32}")
_OURS = re.compile(rf"{_BLOB_ID.pattern}|\.{_BLOB_ID.pattern}\.part")
_QUICK = 1  # zlib's level
_UNLIMITED = 1 << 62  # what the studio wrote itself was in its memory once


@dataclass(frozen=True)
class Lines:
    """What a journal file holds: its whole records, how many were damaged, and whether it ends within one."""

    records: tuple[dict[str, Any], ...]
    damaged: int
    torn: bool


def encode_line(record: dict[str, Any]) -> bytes:
    """The record as one line."""
    text = json.dumps(record, allow_nan=False, separators=(",", ":")).encode()
    return _checksum(text) + b" " + text + b"\n"


def read_lines(data: bytes) -> Lines:
    """The records of a journal file. A last line that is not whole was being written when all ended: it is left out."""
    *lines, rest = data.split(b"\n")
    found = [_record(line) for line in lines]
    torn = bool(rest)
    if found and found[-1] is None:
        torn = True
        found.pop()
    return Lines(tuple(record for record in found if record is not None), found.count(None), torn)


def _record(line: bytes) -> dict[str, Any] | None:
    checksum, _, text = line.partition(b" ")
    if checksum != _checksum(text):
        return None
    record = json.loads(text)
    return record if isinstance(record, dict) else None


def _checksum(text: bytes) -> bytes:
    return blake2b(text, digest_size=8).hexdigest().encode()


def write_whole(path: Path, *parts: Buffer) -> None:
    """Put `parts` there in one step and on disk; the caller syncs the folder. Raises OSError; then nothing changed."""
    part = path.with_name(f".{path.name}.part")
    try:
        put_on_disk(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), *parts)
        os.replace(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make names that were put into a folder last; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class BlobFolder:
    """Blobs as files of a folder: put in, made last by `sync`, and then kept by `accept` or removed by `take_back`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._new: list[Path] = []

    def put(self, *parts: Buffer) -> str:
        """Write a blob unless it is there; its id. Raises OSError."""
        digest = blake2b(digest_size=16)
        for part in parts:
            digest.update(part)
        blob_id = digest.hexdigest()
        if not self.has(blob_id):
            path = self._folder / blob_id
            write_whole(path, *parts)
            self._new.append(path)
        return blob_id

    def read(self, blob_id: str, where: str) -> bytes:
        """Raises BadProjectFile when there is none or it is damaged, OSError when it cannot be read now."""
        try:
            data = (self._folder / blob_id).read_bytes()
        except FileNotFoundError as problem:
            raise BadProjectFile(f"The stored array {blob_id} of {where} is missing.") from problem
        if blake2b(data, digest_size=16).hexdigest() != blob_id:
            raise BadProjectFile(f"The stored array {blob_id} of {where} has been altered or damaged.")
        return data

    def has(self, blob_id: str) -> bool:
        """Whether it is there."""
        return (self._folder / blob_id).exists()

    def keep_only(self, used: Set[str]) -> None:
        """Remove the blobs, and the parts of blobs, that are not in use. Raises OSError."""
        for path in list(self._folder.iterdir()):
            if path.name not in used and _OURS.fullmatch(path.name):
                path.unlink()

    def sync(self) -> None:
        """Bring what was put in to disk, names included. Raises OSError."""
        if self._new:
            sync_folder(self._folder)

    def accept(self) -> None:
        """Keep what was put in."""
        self._new = []

    def take_back(self) -> None:
        """Remove what was put in since `accept`, where that can be done."""
        for path in self._new:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        self._new = []


class JournalWriter(BlobWriter):
    """Puts arrays into a folder, quickly; an array that was put in before costs nothing."""

    def __init__(self, blobs: BlobFolder) -> None:
        super().__init__({})
        self._folder = blobs
        self._known: dict[int, tuple[weakref.ref[np.ndarray], dict[str, Any]]] = {}

    def put_bytes(self, data: bytes) -> dict[str, Any]:
        """Raises OSError when they cannot be written."""
        return {"blob": self._folder.put(data)}

    def put_array(self, array: np.ndarray) -> dict[str, Any]:
        """The JSON that refers to the array. Raises OSError when it cannot be written."""
        key = id(array)
        known = self._known.get(key)
        if known is not None and known[0]() is array and self._folder.has(known[1]["blob"]):
            return known[1]
        blob_id = self._folder.put(*_packed(array))
        reference = {"blob": blob_id, "dtype": array.dtype.name, "shape": list(array.shape)}
        self._known[key] = (weakref.ref(array, lambda _: self._known.pop(key, None)), reference)
        return reference


class JournalReader(BlobReader):
    """Takes out what `JournalWriter` put in."""

    def __init__(self, blobs: BlobFolder) -> None:
        super().__init__({}, _UNLIMITED)
        self._folder = blobs

    def take_bytes(self, blob_id: object, where: str) -> bytes:
        """Raises BadProjectFile when they are missing or damaged."""
        if not isinstance(blob_id, str) or not _BLOB_ID.fullmatch(blob_id):
            raise BadProjectFile(f"{where} refers to no stored array.")
        return self._folder.read(blob_id, where)

    def decode(self, data: bytes, dtype: str, shape: list[int], where: str) -> np.ndarray:  # noqa: ARG002 - NPY says both
        """The array in a blob. Raises InvalidInput when it is damaged."""
        if not data.startswith(NPY_MAGIC):
            try:
                data = zlib.decompress(data)
            except zlib.error as error:
                raise BadProjectFile(f"The stored array of {where} is damaged.") from error
        return decode_npy(data, where)


def _packed(array: np.ndarray) -> tuple[Buffer, ...]:
    """The array as an NPY file, without a copy of it; masks, which are mostly one value, are packed."""
    array = np.ascontiguousarray(array)
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
    is_mask = array.ndim == 2 and array.dtype.itemsize == 1
    return (zlib.compress(head.getvalue() + array.tobytes(), _QUICK),) if is_mask else (head.getvalue(), array.data)
