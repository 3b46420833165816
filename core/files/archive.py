"""ZIP archives with the same bytes for the same content."""

import io
import zipfile
from collections.abc import Mapping

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can say
_ORDINARY_FILE = 0o644 << 16


def encode_zip(files: Mapping[str, bytes], stored: frozenset[str] | None = None) -> bytes:
    """Entries in the order given; those in `stored` uncompressed, all of them when None."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _FIXED_TIME)
            entry.external_attr = _ORDINARY_FILE
            plain = stored is None or name in stored
            archive.writestr(entry, data, zipfile.ZIP_STORED if plain else zipfile.ZIP_DEFLATED, compresslevel=1)
    return stream.getvalue()
