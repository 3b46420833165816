"""The bytes of a file to be opened: size and content checked before anything is decoded."""

import struct
from dataclasses import dataclass
from pathlib import Path

import cv2
from PIL import Image

from core.errors import InvalidInput

# Pillow refuses more than this by itself (twice its warning threshold), so a higher limit could not be kept.
_PILLOW_HARD_LIMIT = 178_000_000

# What Pillow, libheif and tifffile raise on damaged files; their parsers let any of these through.
DECODER_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    struct.error,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    RuntimeError,
    MemoryError,
    Image.DecompressionBombError,
    cv2.error,
)


@dataclass(frozen=True)
class PhotoLimits:
    """The largest picture that is opened: pixels (at most 178 million) and bytes of the file."""

    max_pixels: int = 100_000_000
    max_bytes: int = 200_000_000

    def __post_init__(self) -> None:
        if not 1 <= self.max_pixels <= _PILLOW_HARD_LIMIT:
            raise InvalidInput(f"The pixel limit must lie between 1 and {_PILLOW_HARD_LIMIT}, got {self.max_pixels}.")


DEFAULT_LIMITS = PhotoLimits()


def read_source(source: Path | bytes, name: str, max_bytes: int) -> bytes:
    """The bytes of a file, its size checked before it is read.

    Raises InvalidInput when it is missing, unreadable, a folder, empty or larger than `max_bytes`.
    """
    try:
        size = source.stat().st_size if isinstance(source, Path) else len(source)
        if size > max_bytes:
            raise InvalidInput(
                f"{name} has {size / 1e6:.0f} MB and the limit is {max_bytes / 1e6:g} MB; make the file smaller."
            )
        data = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        raise InvalidInput(
            f"{source} cannot be read ({error.strerror or error}); check the path and its permissions."
        ) from error
    if not data:
        raise InvalidInput(f"{name} is empty; save or download it again.")
    return data


def sniffed_format(data: bytes) -> str | None:
    """JPEG, PNG, WEBP, TIFF, HEIF or AVIF by the first bytes; None for anything else."""
    for prefix, file_format in ((b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG")):
        if data.startswith(prefix):
            return file_format
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if data[4:8] == b"ftyp":
        brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in brands for brand in (b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1")):
            return "HEIF"
    return None


def check_pixel_count(width: int, height: int, name: str, limits: PhotoLimits) -> None:
    """Raises InvalidInput when a picture of that size must not be decoded."""
    if width * height > limits.max_pixels:
        raise InvalidInput(
            f"{name} has {width}x{height} = {width * height / 1e6:.0f} megapixels and the limit is "
            f"{limits.max_pixels / 1e6:g}; make the picture smaller."
        )
