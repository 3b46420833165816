"""Files that one process holds at a time; the system lets go when the holder dies, however it dies."""

import contextlib
import os
import sys
from pathlib import Path


class FileLock:
    """An advisory lock on a file: flock, on Windows a locked byte. Another holder may be in this process too."""

    def __init__(self, handle: int) -> None:
        self._handle: int | None = handle

    @classmethod
    def take(cls, path: Path) -> "FileLock | None":
        """Hold the file, made where it is missing; None while somebody else does. Raises OSError."""
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with contextlib.suppress(BlockingIOError), contextlib.ExitStack() as not_held:
            not_held.callback(os.close, handle)
            _lock(handle)
            # Whoever held it may have removed the file meanwhile: that lock is nobody's any more.
            if not os.path.samestat(os.fstat(handle), path.stat()):
                raise FileNotFoundError(path)
            not_held.pop_all()
            return cls(handle)
        return None

    def release(self) -> None:
        """Let others have it; a second time does nothing, for the handle's number may be another file's by then."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


def _lock(handle: int) -> None:
    """Raises BlockingIOError while somebody else holds it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError as taken:
            raise BlockingIOError from taken
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
