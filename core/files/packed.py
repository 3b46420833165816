"""ZIP archives from outside: entries checked by their names and sizes, unpacked one at a time and never beyond."""

import io
import zipfile
import zlib
from collections.abc import Callable

from core.errors import BadProjectFile
from core.files.limits import LARGEST_FLOW_BYTES
from core.memory import memory_for

_ENCRYPTED = 0x1
_DIRECTORY_ENTRY = b"PK\x01\x02"
# A byte can stand for 1032 at most (deflate); other methods pack without a bound or need a library that may be absent.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError, RuntimeError)


class PackedFiles:
    """The entries of an archive, whose directory has been checked."""

    def __init__(self, data: bytes, name: str, is_known: Callable[[str], bool], max_entries: int, max_bytes: int):
        """Raises BadProjectFile when an entry is unknown, doubled, encrypted, or all are too many or too large."""
        self._name = name
        self._left = max_bytes
        # Asked before the directory is read: every entry of it becomes an object.
        if (count := data.count(_DIRECTORY_ENTRY)) > max_entries:
            raise BadProjectFile(f"The project file has {count} entries, more than any project; it is not safe.")
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except _FAULTS as error:
            raise self._damaged() from error
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._archive.infolist():
            _check(entry, is_known)
            if entry.file_size > LARGEST_FLOW_BYTES:
                raise BadProjectFile(
                    f"The project file's {entry.filename} unpacks to {entry.file_size / 1e6:.0f} MB, "
                    "more than any project's; it may be a ZIP bomb."
                )
            if entry.filename in self._entries:
                raise BadProjectFile(f"The project file holds {entry.filename} twice; it is damaged or not safe.")
            self._entries[entry.filename] = entry
        unpacked = sum(entry.file_size for entry in self._entries.values())
        if unpacked > max_bytes:
            raise BadProjectFile(
                f"The project file unpacks to {unpacked / 1e6:.0f} MB and the limit is "
                f"{max_bytes / 1e6:g} MB; it may be a ZIP bomb."
            )

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    def size(self, path: str) -> int:
        """The bytes of an entry once it is unpacked, as its archive says."""
        return self._entries[path].file_size

    def read(self, path: str) -> bytes:
        """An entry's bytes; what its packed data holds beyond the declared size is never unpacked.

        Raises BadProjectFile when it is damaged, or when entries are read again and again, NotEnoughMemory.
        """
        entry = self._entries[path]
        self._left -= entry.file_size
        if self._left < 0:
            raise BadProjectFile("The project file uses its entries over and over; it is not safe.")
        # Both the file and the array it becomes.
        with memory_for(2 * entry.file_size, f"{self._name}: {path}"):
            try:
                with self._archive.open(entry) as stream:
                    content = stream.read(entry.file_size + 1)
            except _FAULTS as error:
                raise self._damaged() from error
        if len(content) != entry.file_size:
            raise BadProjectFile(f"The project file's {path} has not its declared size; take an earlier copy.")
        return content

    def _damaged(self) -> BadProjectFile:
        return BadProjectFile(f"{self._name} is no project file of the studio, or is damaged; take an earlier copy.")


def _check(entry: zipfile.ZipInfo, is_known: Callable[[str], bool]) -> None:
    if not is_known(entry.filename):
        raise BadProjectFile(f"The project file holds {entry.filename!r:.80}, which no project has; it is not safe.")
    if entry.flag_bits & _ENCRYPTED:
        raise BadProjectFile("The project file is encrypted; unpack it and save it without a password.")
    if entry.compress_type not in _METHODS:
        raise BadProjectFile(
            f"The project file's {entry.filename} is packed by a method that projects do not use; "
            "pack it again by deflate."
        )
