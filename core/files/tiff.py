"""TIFF bytes from arrays of 8 or 16 bits, with a colour profile and the metadata."""

import zlib
from dataclasses import replace

import numpy as np

from core.files.directories import ByteOrder, Directory, Entry, Structure, encode_structure
from core.files.exif import RESOLUTION_UNIT, read_exif, resolution_entries
from core.files.photoshop import iptc_of, without_iptc
from core.types.metadata import NO_METADATA, Metadata

_STRIP_BYTES = 1 << 20
_DEFLATE, _HORIZONTAL_DIFFERENCES, _STRAIGHT_ALPHA = 8, 2, 2
_GRAY, _RGB = 1, 2
_BYTE, _UNDEFINED = 1, 7
_STRIP_OFFSETS, _XMP, _IPTC, _PHOTOSHOP, _ICC_PROFILE = 273, 700, 33723, 34377, 34675


def encode_tiff(values: np.ndarray, icc_profile: bytes | None = None, metadata: Metadata = NO_METADATA) -> bytes:
    """Uint8 or uint16 [H W] (gray), [H W 2] (gray and straight alpha), [H W 3] or [H W 4] as deflated TIFF.

    In the byte order of the EXIF, so that its bytes stay as they are. Neither Pillow (no 16-bit colour), OpenCV (no
    profile) nor tifffile (no EXIF directory) writes this.
    """
    values = values.reshape(*values.shape[:2], -1)
    height, width, channels = values.shape
    exif = read_exif(metadata.exif) or Structure("<", Directory())
    rows_per_strip = max(1, _STRIP_BYTES // (width * channels * values.itemsize))
    strips = [_packed(values[y : y + rows_per_strip], exif.byte_order) for y in range(0, height, rows_per_strip)]
    sizes = [len(strip) for strip in strips]
    entries = [
        exif.longs(256, width), exif.longs(257, height), exif.shorts(258, *(8 * values.itemsize,) * channels),
        exif.shorts(259, _DEFLATE), exif.shorts(262, _RGB if channels >= 3 else _GRAY), exif.shorts(277, channels),
        exif.longs(278, rows_per_strip), exif.longs(279, *sizes), exif.shorts(284, 1),
        exif.shorts(317, _HORIZONTAL_DIFFERENCES),
        *([exif.shorts(338, _STRAIGHT_ALPHA)] if channels in (2, 4) else []),
        *(Entry(tag, kind, len(data), data) for tag, kind, data in _blocks(icc_profile, metadata)),
    ]  # fmt: skip
    first = exif.first.having(*entries)
    if metadata.resolution is not None and RESOLUTION_UNIT not in first.entries:
        first = first.having(*resolution_entries(metadata.resolution, exif))

    def directories(begin: int) -> bytes:
        places = np.cumsum([begin, *sizes[:-1]]).tolist()
        return encode_structure(replace(exif, first=first.having(exif.longs(_STRIP_OFFSETS, *places)), chained=()))

    return directories(len(directories(0))) + b"".join(strips)


def _blocks(icc_profile: bytes | None, metadata: Metadata) -> list[tuple[int, int, bytes]]:
    found = [
        (_XMP, _BYTE, metadata.xmp),
        (_IPTC, _UNDEFINED, iptc_of(metadata.photoshop)),
        (_PHOTOSHOP, _BYTE, without_iptc(metadata.photoshop)),
        (_ICC_PROFILE, _UNDEFINED, icc_profile),
    ]
    return [(tag, kind, data) for tag, kind, data in found if data]


def _packed(strip: np.ndarray, byte_order: ByteOrder) -> bytes:
    differences = strip.copy()
    differences[:, 1:] -= strip[:, :-1]
    return zlib.compress(differences.astype(differences.dtype.newbyteorder(byte_order)).tobytes(), 3)
