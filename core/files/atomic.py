"""Files that are written whole or not at all."""

import os
import tempfile
from pathlib import Path

from core.errors import EditorError

_NEW_FILE_MODE = 0o644


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`; whatever goes wrong, the old file or none stays, never half of the new one.

    Raises EditorError when the folder is missing, not writable or the disk is full.
    """
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, _mode_for(path))
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise EditorError(
            f"{path} could not be written ({error.strerror or error}); choose another place or make room."
        ) from error


def _mode_for(path: Path) -> int:
    """The permissions of the file that is replaced; mkstemp would make every file private."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        return _NEW_FILE_MODE
