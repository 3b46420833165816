"""The pixels of a PNG and nothing else of it: no animation, no packed texts, no more memory than the picture takes."""

import struct
import zlib
from dataclasses import dataclass

import cv2
import numpy as np

from core.errors import InvalidInput
from core.files.limits import PHOTO_LIMITS, PhotoLimits, check_picture
from core.files.png import PICTURE_CHUNKS, SIGNATURE, TooManyChunks, bare, chunk_places
from core.files.quiet import decoding
from core.files.source import DECODER_FAULTS
from core.memory import memory_for

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Deflate makes at most 1032 bytes of one, so that a short file cannot hold a large picture.
_DEFLATE_RATIO = 1032


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
    if len(data) < 33 or not data.startswith(SIGNATURE) or data[12:16] != b"IHDR" or data[25] not in _CHANNELS:
        raise _damaged(name)
    width, height, bit_depth, colours = struct.unpack_from(">IIBB", data, 16)
    header = PngHeader(width, height, bit_depth, _CHANNELS[colours], colours == 3)
    check_picture(width, height, 16 if bit_depth == 16 else 8, name, limits)
    row = -(-width * header.channels * bit_depth // 8)
    try:
        lengths = [(kind, _whole(data, start, stop)) for kind, start, stop in chunk_places(data)]
    except TooManyChunks as error:
        raise _damaged(name) from error
    if row * height > _DEFLATE_RATIO * sum(length for kind, length in lengths if kind == b"IDAT"):
        raise _damaged(name)
    return header


def _whole(data: bytes, start: int, stop: int) -> int:
    """The length of a chunk's body; a decoder makes room for what is said, and not for what is there."""
    if int.from_bytes(data[start - 8 : start - 4], "big") != stop - start:
        raise TooManyChunks("a chunk beyond the end")
    return stop - start


def decode_png(data: bytes, name: str, limits: PhotoLimits = PHOTO_LIMITS) -> np.ndarray:
    """The stored values [H W] or [H W 3..4] in RGB order, 8 or 16 bit.

    Raises InvalidInput when the file is damaged or too large, NotEnoughMemory.
    """
    header = png_header(data, name, limits)
    _check_sums(data, name)
    needed = check_picture(header.width, header.height, 16 if header.bit_depth == 16 else 8, name, limits)
    with memory_for(needed, name):
        try:
            with decoding():
                values = cv2.imdecode(np.frombuffer(bare(data), np.uint8), cv2.IMREAD_UNCHANGED)
            if values is None or values.shape[:2] != (header.height, header.width):
                raise _damaged(name)
            if values.ndim == 3:
                values = cv2.cvtColor(values, cv2.COLOR_BGR2RGB if values.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
        except DECODER_FAULTS as error:
            raise _damaged(name) from error
    return values


def _check_sums(data: bytes, name: str) -> None:
    """Raises InvalidInput where the picture is not what was written; the decoder would print words of its own."""
    seen = memoryview(data)
    for kind, start, stop in chunk_places(data):
        if kind in PICTURE_CHUNKS and zlib.crc32(seen[start - 4 : stop]) != int.from_bytes(
            data[stop : stop + 4], "big"
        ):
            raise _damaged(name)


def _damaged(name: str) -> InvalidInput:
    return InvalidInput(f"{name} looks like PNG but is damaged or cut short; save or download it again.")
