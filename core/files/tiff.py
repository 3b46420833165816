"""TIFF bytes from arrays of 8 or 16 bits, with a colour profile and the whole EXIF."""

import zlib

import numpy as np
from PIL import Image, TiffTags
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from core.files.exif import description_of

_STRIP_BYTES = 1 << 20
_HEADER = b"II*\0\x08\0\0\0"
_DEFLATE, _RGB, _HORIZONTAL_DIFFERENCES, _STRAIGHT_ALPHA = 8, 2, 2, 2
_STRIP_OFFSETS, _ICC_PROFILE = 273, 34675


def encode_tiff(values: np.ndarray, icc_profile: bytes | None = None, exif: bytes | None = None) -> bytes:
    """Uint8 or uint16 [H W 3] or [H W 4] (straight alpha) as deflated TIFF.

    Neither Pillow (no 16-bit colour), OpenCV (no profile) nor tifffile (no EXIF directory) writes this.
    """
    height, width, channels = values.shape
    rows_per_strip = max(1, _STRIP_BYTES // (width * channels * values.itemsize))
    strips = [_packed(values[y : y + rows_per_strip]) for y in range(0, height, rows_per_strip)]
    sizes = [len(strip) for strip in strips]
    directory = ImageFileDirectory_v2(ifh=_HEADER)
    if exif is not None:
        described = Image.Exif()
        described.load(exif)
        for tag, value in description_of(described).items():
            directory[tag] = value
    directory[256], directory[257] = width, height
    directory[258] = (8 * values.itemsize,) * channels
    directory[259], directory[262] = _DEFLATE, _RGB
    # Offsets from the end of the directory: Pillow adds its length, for which 16-bit types would be too short.
    directory.tagtype[_STRIP_OFFSETS] = TiffTags.LONG
    directory[_STRIP_OFFSETS], directory[279] = tuple(np.cumsum([0, *sizes[:-1]]).tolist()), tuple(sizes)
    directory[277], directory[278] = channels, rows_per_strip
    directory[284], directory[317] = 1, _HORIZONTAL_DIFFERENCES
    if channels == 4:
        directory[338] = (_STRAIGHT_ALPHA,)
    if icc_profile is not None:
        directory[_ICC_PROFILE] = icc_profile
    return _HEADER + directory.tobytes(8) + b"".join(strips)


def _packed(strip: np.ndarray) -> bytes:
    differences = strip.copy()
    differences[:, 1:] -= strip[:, :-1]
    return zlib.compress(differences.astype(differences.dtype.newbyteorder("<")).tobytes(), 3)
