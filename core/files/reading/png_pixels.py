"""The pixels of a PNG and nothing else of it: no animation, no packed texts, no more memory than the picture takes."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from core.errors import InvalidInput
from core.files.limits import PHOTO_LIMITS, PhotoLimits, check_picture
from core.files.source import DECODER_FAULTS
from core.memory import memory_for

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Deflate makes at most 1032 bytes of one, so that a short file cannot hold a large picture.
_DEFLATE_RATIO = 1032
_MOST_CHUNKS = 200_000
_OF_THE_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


@dataclass(frozen=True)
class PngHeader:
    """What a PNG says of its picture; `bit_depth` counts one channel, palettes have one."""

    width: int
    height: int
    bit_depth: int
    channels: int
    has_palette: bool


def png_header(data: bytes, name: str, limits: PhotoLimits = PHOTO_LIMITS) -> PngHeader:
    """The header of a PNG, after sizes and costs were checked.

    Raises InvalidInput when it is damaged, too large or has not the bytes for its pixels, NotEnoughMemory.
    """
    if len(data) < 33 or not data.startswith(PNG_MAGIC) or data[12:16] != b"IHDR" or data[25] not in _CHANNELS:
        raise _damaged(name)
    width, height, bit_depth, colours = struct.unpack_from(">IIBB", data, 16)
    header = PngHeader(width, height, bit_depth, _CHANNELS[colours], colours == 3)
    check_picture(width, height, 16 if bit_depth == 16 else 8, name, limits)
    row = -(-width * header.channels * bit_depth // 8)
    packed = sum(stop - start for kind, start, stop in _chunks(data, name) if kind == b"IDAT")
    if row * height > _DEFLATE_RATIO * packed:
        raise _damaged(name)
    return header


def decode_png(data: bytes, name: str, limits: PhotoLimits = PHOTO_LIMITS) -> np.ndarray:
    """The stored values [H W] or [H W 3..4] in RGB order, 8 or 16 bit.

    Raises InvalidInput when the file is damaged or too large, NotEnoughMemory.
    """
    header = png_header(data, name, limits)
    needed = check_picture(header.width, header.height, 16 if header.bit_depth == 16 else 8, name, limits)
    kept = [data[start - 8 : stop + 4] for kind, start, stop in _chunks(data, name) if kind in _OF_THE_PICTURE]
    with memory_for(needed, name):
        try:
            values = cv2.imdecode(np.frombuffer(b"".join([PNG_MAGIC, *kept]), np.uint8), cv2.IMREAD_UNCHANGED)
            if values is None or values.shape[:2] != (header.height, header.width):
                raise _damaged(name)
            if values.ndim == 3:
                values = cv2.cvtColor(values, cv2.COLOR_BGR2RGB if values.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
        except DECODER_FAULTS as error:
            raise _damaged(name) from error
    return values


def _chunks(data: bytes, name: str) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of each chunk's body, as far as the file goes."""
    place = len(PNG_MAGIC)
    for _ in range(_MOST_CHUNKS):
        if place + 8 > len(data):
            return
        length = int.from_bytes(data[place : place + 4], "big")
        kind, start = data[place + 4 : place + 8], place + 8
        yield kind, start, min(start + length, len(data))
        place = start + length + 4
        if kind == b"IEND":
            return
    raise _damaged(name)


def _damaged(name: str) -> InvalidInput:
    return InvalidInput(f"{name} looks like PNG but is damaged or cut short; save or download it again.")
