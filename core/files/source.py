"""The one door through which files that a person names are read: regular files only, and never more than allowed."""

import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

import cv2
from PIL import Image

from core.errors import InvalidInput
from core.memory import memory_for
from core.types.names import shown

SNIFFED_BYTES = 256
"""As many from a file's begin tell its format."""

_PIECE = 1 << 20
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

# OpenCV would print what it thinks of damaged files, with paths of its makers' machine; they are refused in a sentence.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

# What Pillow, libheif and OpenCV raise on damaged files; their parsers let any of these through.
DECODER_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    struct.error,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    RuntimeError,
    Image.DecompressionBombError,
    cv2.error,
)


def read_source(source: Path | bytes, name: str, max_bytes: int) -> bytes:
    """The bytes of a regular file, at most `max_bytes` of them, whatever the file system says of its size.

    Raises InvalidInput when it is missing, unreadable, no regular file, empty or larger, NotEnoughMemory.
    """
    if isinstance(source, Path):
        with opened(source, name, max_bytes) as (stream, size), memory_for(size, name):
            data = _bounded(stream, size, name, max_bytes)
    else:
        data = source
        _check_bytes(len(data), name, max_bytes)
    return _needed(data, name)


def read_head(path: Path, name: str, max_bytes: int) -> bytes:
    """What tells a file's format, of one that could be read whole. Raises as `read_source` does."""
    with opened(path, name, max_bytes) as (stream, _):
        return _needed(stream.read(SNIFFED_BYTES), name)


@contextmanager
def opened(path: Path, name: str, max_bytes: int) -> Iterator[tuple[BufferedReader, int]]:
    """A regular file, open for reading, and its size by the file system. Raises as `read_source` does.

    For who needs only some of it; what goes wrong while it is read is told alike.
    """
    try:
        _check_kind(path.stat(), name)
        # A pipe put in the file's place meanwhile must not hold the program up.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as stream:
            status = os.fstat(handle)
            _check_kind(status, name)
            _check_bytes(status.st_size, name, max_bytes)
            yield stream, status.st_size
    except (OSError, ValueError) as error:  # a path with NUL or half a surrogate is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"{shown(path)} cannot be read ({reason}); check the path and its permissions.") from error


def sniffed_format(data: bytes) -> str | None:
    """JPEG, PNG, WEBP, TIFF, HEIF or AVIF by the first bytes; None for anything else."""
    for prefix, file_format in ((b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG")):
        if data.startswith(prefix):
            return file_format
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if data[4:8] == b"ftyp":
        brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in brands for brand in (b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1")):
            return "HEIF"
    return None


def name_of(source: Path | bytes, otherwise: str) -> str:
    """What messages call a source: the file's name, fit to be shown, or `otherwise` for bytes."""
    return shown(source.name) if isinstance(source, Path) else otherwise


def _needed(data: bytes, name: str) -> bytes:
    if not data:
        raise InvalidInput(f"{name} is empty; save or download it again.")
    return data


def _bounded(stream: BufferedReader, expected: int, name: str, max_bytes: int) -> bytes:
    """What a stream holds, also if that is more than expected: files grow, and those of /proc say 0."""
    data = stream.read(expected + 1)
    if data is None:  # a special file that would have kept a reader waiting
        raise InvalidInput(f"{name} has nothing to be read now; save its content as a file first.")
    if len(data) <= expected:
        return data
    pieces, size = [data], len(data)
    while piece := stream.read(_PIECE):
        pieces.append(piece)
        size += len(piece)
        _check_bytes(size, name, max_bytes)
    _check_bytes(size, name, max_bytes)
    return b"".join(pieces)


def _check_kind(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = next((title for is_kind, title in _KINDS if is_kind(status.st_mode)), "no ordinary file")
        raise InvalidInput(f"{name} is {kind}, and only ordinary files are read; save its content as a file first.")


def _check_bytes(size: int, name: str, max_bytes: int) -> None:
    if size > max_bytes:
        raise InvalidInput(
            f"{name} has {size / 1e6:.0f} MB and the limit is {max_bytes / 1e6:g} MB; make the file smaller."
        )
