"""What a file may cost: sizes as declared, and the memory that reading it takes, before anything is decoded."""

from dataclasses import dataclass

from PIL import Image

from core.errors import InvalidInput
from core.memory import require_memory

# Pillow would warn from 89 megapixels on, with a path of its own; `check_size` decides before anything is decoded.
Image.MAX_IMAGE_PIXELS = None
# More was never tried.
_HARD_LIMIT = 178_000_000
# What 12 to 100 megapixels take while they are opened, decoder included, per pixel (docs/memory.md).
_OPENING_BYTES = {8: 16, 16: 24}


@dataclass(frozen=True)
class PhotoLimits:
    """The largest picture that is opened: pixels (at most 178 million), pixels of a side, and bytes of the file."""

    max_pixels: int = 100_000_000
    max_bytes: int = 200_000_000
    # Decoders keep a pointer or a row for every line, so that a picture one pixel wide costs far more than its pixels.
    max_side: int = 65_535

    def __post_init__(self) -> None:
        if not 1 <= self.max_pixels <= _HARD_LIMIT:
            raise InvalidInput(f"The pixel limit must lie between 1 and {_HARD_LIMIT}, got {self.max_pixels}.")


PHOTO_LIMITS = PhotoLimits()


def check_size(width: int, height: int, name: str, limits: PhotoLimits = PHOTO_LIMITS) -> None:
    """Raises InvalidInput when a picture of that size must not be decoded, whatever the machine has."""
    if width < 1 or height < 1:
        raise InvalidInput(f"{name} says it is {width}x{height} pixels; it is damaged, save or download it again.")
    if width * height > limits.max_pixels:
        raise InvalidInput(
            f"{name} has {width}x{height} = {width * height / 1e6:.0f} megapixels and the limit is "
            f"{limits.max_pixels / 1e6:g}; make the picture smaller."
        )
    if max(width, height) > limits.max_side:
        raise InvalidInput(
            f"{name} is {width}x{height} and no side may have more than {limits.max_side} pixels; cut it into parts."
        )


def check_picture(width: int, height: int, bit_depth: int, name: str, limits: PhotoLimits = PHOTO_LIMITS) -> int:
    """The bytes that opening a picture takes. Raises InvalidInput when it is too large, NotEnoughMemory here and now.

    For decoders that take `bit_depth` of 8 or 16 and make at most four channels.
    """
    check_size(width, height, name, limits)
    needed = width * height * _OPENING_BYTES[bit_depth]
    require_memory(needed, f"{name} ({width}x{height}, {bit_depth} bit)")
    return needed


def check_planes(width: int, height: int, planes: int, name: str, bytes_each: int = 4) -> int:
    """The bytes that many planes of numbers take, twice over as they are read; raises as `check_picture` does."""
    check_size(width, height, name)
    needed = 2 * width * height * planes * bytes_each
    require_memory(needed, f"{name} ({width}x{height}, {planes} channels)")
    return needed
