"""What the C libraries of decoders print about damaged files: kept off the user's stderr, which has one sentence."""

import contextlib
import io
import logging
import os
import re
import tempfile
import threading
from collections.abc import Iterable, Iterator
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
            if self.users:
                return
            os.dup2(self.own, _STDERR)
            with open(self.aside, "rb") as aside, open(self.own, "wb", buffering=0) as own:
                aside.seek(0)
                _sort_out(aside, own)


_stderr = _Stderr()


@contextmanager
def decoding() -> Iterator[None]:
    """Decode inside: what libraries print meanwhile goes to the log, at its lowest level.

    What others print in that time comes out once no thread decodes any more. A decoder that ends the whole process
    takes its last words with it.
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


def _sort_out(written: Iterable[bytes], own: io.FileIO) -> None:
    for line in written:
        if _OF_DECODERS.match(line):
            _log.debug("%s", line.decode(errors="replace").strip())
        else:
            with contextlib.suppress(OSError):  # nobody reads stderr any more
                own.write(line)
