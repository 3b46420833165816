"""What the C libraries of decoders print about damaged files: kept off the user's stderr, which has one sentence."""

import logging
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_log = logging.getLogger(__name__)
_STDERR = 2
# By the names of their libraries and functions; any other line is somebody else's, and is passed on.
_OF_DECODERS = re.compile(
    rb"libpng (error|warning)|tempfile\.tif: |_?TIFF\w*: |\w*(Decode|Setup|Required|Directory|Tag|State|Codec)\w*: "
    rb"|(JPEGLib|LZW|PixarLog|Fax|OJPEG|ZIP|ZSTD|LZMA|LERC|LogL|LogLuv|WebP)\w*: |(Corrupt|Premature end of) JPEG"
    rb"|(Invalid|Unsupported|Bogus) (JPEG|SOS|marker)|OpenEXR|Imf|<Python Stream>: \(EXR_|\[ ?(WARN|ERROR|INFO):\d+@"
)

# Pillow's own words of this kind, else printed where nobody set up logging.
logging.getLogger("PIL").addHandler(logging.NullHandler())


class _Stderr:
    """The process's stderr, taken aside while any thread decodes; `users` of them do."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.own = self.aside = -1

    def begin(self) -> None:
        with self.lock:
            if self.users == 0:
                own = os.dup(_STDERR)
                try:
                    self.aside = _unnamed_file()
                except OSError:
                    os.close(own)
                    raise
                self.own = own
                os.dup2(self.aside, _STDERR)
            self.users += 1

    def end(self) -> None:
        with self.lock:
            self.users -= 1
            size = os.lseek(self.aside, 0, os.SEEK_CUR)
            os.lseek(self.aside, 0, os.SEEK_SET)
            written = os.read(self.aside, size)
            os.lseek(self.aside, 0, os.SEEK_SET)
            _sort_out(written, self.own)
            if self.users == 0:
                os.dup2(self.own, _STDERR)
                os.close(self.own)
                os.close(self.aside)


_stderr = _Stderr()


@contextmanager
def decoding() -> Iterator[None]:
    """Decode inside: what libraries print meanwhile goes to the log, at its lowest level.

    What others print in that time comes out at its end.
    """
    try:
        _stderr.begin()
    except OSError:  # no stderr, or no handle left for this
        yield
        return
    try:
        yield
    finally:
        _stderr.end()


def _unnamed_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("stderr")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _sort_out(written: bytes, own: int) -> None:
    for line in written.splitlines(keepends=True):
        if _OF_DECODERS.match(line):
            _log.debug("%s", line.decode(errors="replace").strip())
        else:
            os.write(own, line)
