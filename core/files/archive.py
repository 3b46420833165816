"""ZIP archives with the same bytes for the same content."""

import io
import zipfile
from collections.abc import Mapping

from core.errors import InvalidInput
from core.files.names import is_plain, name_key

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can say
_ORDINARY_FILE = 0o644 << 16


def encode_zip(files: Mapping[str, bytes], stored: frozenset[str] | None = None) -> bytes:
    """Entries in the order given; those in `stored` uncompressed, all of them when None.

    Raises InvalidInput for names that would meet or leave the folder where the archive is unpacked.
    """
    if len({name_key(name) for name in files}) < len(files) or not all(map(_stays_inside, files)):
        raise InvalidInput(f"An archive cannot hold files called {', '.join(files)}; give them other names.")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _FIXED_TIME)
            entry.external_attr = _ORDINARY_FILE
            plain = stored is None or name in stored
            archive.writestr(entry, data, zipfile.ZIP_STORED if plain else zipfile.ZIP_DEFLATED, compresslevel=1)
    return stream.getvalue()


def _stays_inside(name: str) -> bool:
    return all(is_plain(part) for part in name.split("/"))
