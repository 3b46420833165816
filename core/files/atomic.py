"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from core.errors import EditorError

_NEW_FILE_MODE = 0o644


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`; whatever goes wrong, the old file or none stays, never half of the new one.

    Raises EditorError when the folder is missing, not writable or the disk is full.
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
            handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
            staged.append((temporary, path))
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, _mode_for(path))
        for temporary, path in staged:
            os.replace(temporary, path)
    except OSError as error:
        raise EditorError(
            f"{path} could not be written ({error.strerror or error}); choose another place or make room."
        ) from error
    finally:
        for temporary, _ in staged:
            Path(temporary).unlink(missing_ok=True)


def _mode_for(path: Path) -> int:
    """The permissions of the file that is replaced; mkstemp would make every file private."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        return _NEW_FILE_MODE
