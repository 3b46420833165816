"""TIFF bytes from arrays of 8 or 16 bits, with a colour profile and the metadata."""

import zlib
from dataclasses import replace

import numpy as np

from core.files import tiff_tags as tags
from core.files.directories import BYTE, UNDEFINED, ByteOrder, Directory, Entry, Structure, encode_structure
from core.files.exif import RESOLUTION_UNIT, read_exif, resolution_entries
from core.files.photoshop import iptc_of, without_iptc
from core.types.metadata import NO_METADATA, Metadata

_STRIP_BYTES = 1 << 20


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
        exif.longs(tags.IMAGE_WIDTH, width), exif.longs(tags.IMAGE_LENGTH, height),
        exif.shorts(tags.BITS_PER_SAMPLE, *(8 * values.itemsize,) * channels),
        exif.shorts(tags.COMPRESSION, tags.DEFLATE),
        exif.shorts(tags.PHOTOMETRIC, tags.RGB if channels >= 3 else tags.GRAY_FROM_BLACK),
        exif.shorts(tags.SAMPLES_PER_PIXEL, channels), exif.shorts(tags.PLANAR_CONFIGURATION, 1),
        exif.longs(tags.ROWS_PER_STRIP, rows_per_strip), exif.longs(tags.STRIP_BYTE_COUNTS, *sizes),
        exif.shorts(tags.PREDICTOR, tags.HORIZONTAL_DIFFERENCES),
        *([exif.shorts(tags.EXTRA_SAMPLES, tags.STRAIGHT_ALPHA)] if channels in (2, 4) else []),
        *(Entry(tag, kind, len(data), data) for tag, kind, data in _blocks(icc_profile, metadata)),
    ]  # fmt: skip
    first = exif.first.having(*entries)
    if metadata.resolution is not None and RESOLUTION_UNIT not in first.entries:
        first = first.having(*resolution_entries(metadata.resolution, exif))

    def directories(begin: int) -> bytes:
        places = np.cumsum([begin, *sizes[:-1]]).tolist()
        return encode_structure(replace(exif, first=first.having(exif.longs(tags.STRIP_OFFSETS, *places)), chained=()))

    return directories(len(directories(0))) + b"".join(strips)


def _blocks(icc_profile: bytes | None, metadata: Metadata) -> list[tuple[int, int, bytes]]:
    found = [
        (tags.XMP, BYTE, metadata.xmp),
        (tags.IPTC, UNDEFINED, iptc_of(metadata.photoshop)),
        (tags.PHOTOSHOP, BYTE, without_iptc(metadata.photoshop)),
        (tags.ICC_PROFILE, UNDEFINED, icc_profile),
    ]
    return [(tag, kind, data) for tag, kind, data in found if data]


def _packed(strip: np.ndarray, byte_order: ByteOrder) -> bytes:
    differences = strip.copy()
    differences[:, 1:] -= strip[:, :-1]
    return zlib.compress(differences.astype(differences.dtype.newbyteorder(byte_order)).tobytes(), 3)
