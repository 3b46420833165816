"""Files that are written whole or not at all."""

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from core.errors import EditorError, InvalidInput

_NEW_FILE_MODE = 0o644
_ANY_WRITE = 0o222


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`; whatever goes wrong, the old file or none stays, never half of the new one.

    Of a symbolic link the file that it names is replaced. Raises EditorError when the folder is missing, not
    writable or the disk is full.
    """
    write_all({path: data})


def write_all(files: Mapping[Path, bytes]) -> None:
    """Write every file beside its place first and only then put them there, in order: a full disk changes nothing.

    Raises EditorError as `write_atomically` does.
    """
    staged: list[tuple[str, Path]] = []
    path = Path()
    try:
        for path, data in files.items():
            place = Path(os.path.realpath(path))
            handle, temporary = _temporary_in(place.parent)
            staged.append((temporary, place))
            put_on_disk(handle, data)
            os.chmod(temporary, _mode_for(place))
        for temporary, path in staged:
            os.replace(temporary, path)
    except OSError as error:
        raise EditorError(
            f"{path} could not be written ({error.strerror or error}); choose another place or make room."
        ) from error
    finally:
        for temporary, _ in staged:
            Path(temporary).unlink(missing_ok=True)


def put_on_disk(handle: int, *parts: bytes | memoryview) -> None:
    """Write an open file, which is on disk and closed then. Raises OSError."""
    with open(handle, "wb") as stream:
        stream.writelines(parts)
        stream.flush()
        os.fsync(stream.fileno())


def check_place(path: Path) -> None:
    """Try whether `write_atomically` could put a file there, without changing anything.

    Raises InvalidInput for a missing folder, what is no ordinary file, a name that is too long and what may not be
    written.
    """
    place = Path(os.path.realpath(path))
    try:
        if not place.parent.is_dir():
            raise InvalidInput(
                f"{path} lies in {place.parent}, which does not exist; name a file in a folder that exists."
            )
        existing = _mode_of(place)
        if existing is not None and stat.S_ISDIR(existing):
            raise InvalidInput(f"{path} is a folder; name a file in a folder that exists.")
        if existing is not None and not stat.S_ISREG(existing):
            raise InvalidInput(f"{path} is no ordinary file and cannot be replaced; choose another name.")
        if existing is not None and not existing & _ANY_WRITE:
            raise InvalidInput(f"{path} is write-protected; choose another name, or allow writing to it.")
        handle, temporary = _temporary_in(place.parent)
        os.close(handle)
        os.unlink(temporary)
        if existing is not None:
            with place.open("r+b"):
                pass
    except OSError as error:
        reason = error.strerror or error
        raise InvalidInput(f"{path} cannot be written ({reason}); choose another name or place.") from error


def _temporary_in(folder: Path) -> tuple[int, str]:
    """An open file for what is not complete yet; its name is short, whatever the last name will be."""
    return tempfile.mkstemp(prefix=".lras-", suffix=".part", dir=folder)


def _mode_of(path: Path) -> int | None:
    """None where there is nothing. Raises OSError, for a name that is too long too."""
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return None


def _mode_for(path: Path) -> int:
    """The permissions of the file that is replaced; mkstemp would make every file private."""
    mode = _mode_of(path)
    return _NEW_FILE_MODE if mode is None else mode & 0o777
