"""What a file may cost: sizes as declared, and the memory that reading it takes, before anything is decoded."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from core.errors import InvalidInput
from core.memory import memory_for

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
LARGEST_FLOW_BYTES = 8 * PHOTO_LIMITS.max_pixels + 10_000
"""The flow of the largest photo, two 32-bit numbers a pixel, and a header."""


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


@contextmanager
def room_for_picture(
    width: int, height: int, bit_depth: Literal[8, 16], name: str, limits: PhotoLimits = PHOTO_LIMITS
) -> Iterator[None]:
    """Open a picture inside, by a decoder that makes at most four channels of `bit_depth`.

    Raises InvalidInput as `check_size` does, NotEnoughMemory as `memory_for` does.
    """
    check_size(width, height, name, limits)
    with memory_for(width * height * _OPENING_BYTES[bit_depth], f"{name} ({width}x{height}, {bit_depth} bit)"):
        yield


@contextmanager
def room_for_planes(width: int, height: int, planes: int, name: str) -> Iterator[None]:
    """Read that many planes of 32 bits inside, or of 16 that are copied on the way. Raises as `room_for_picture`."""
    check_size(width, height, name)
    with memory_for(2 * 4 * width * height * planes, f"{name} ({width}x{height}, {planes} channels)"):
        yield
