"""The pixels of a PNG and nothing else of it: no animation, no packed texts, no more memory than the picture takes."""

import struct
import zlib
from dataclasses import dataclass

import cv2
import numpy as np

from core.files.limits import PHOTO_LIMITS, PhotoLimits, check_size, room_for_picture
from core.files.png import PICTURE_CHUNKS, SIGNATURE, TooManyChunks, bare, chunk_places
from core.files.quiet import decoding
from core.files.reading.decoded import damaged
from core.files.source import DECODER_FAULTS

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


def png_header(data: bytes, name: str, limits: PhotoLimits = PHOTO_LIMITS) -> PngHeader:
    """The header of a PNG. Raises InvalidInput when it is damaged, too large or has not the bytes for its pixels."""
    if len(data) < 33 or not data.startswith(SIGNATURE) or data[12:16] != b"IHDR" or data[25] not in _CHANNELS:
        raise damaged(name, "PNG")
    width, height, bit_depth, colours = struct.unpack_from(">IIBB", data, 16)
    header = PngHeader(width, height, bit_depth, _CHANNELS[colours])
    check_size(width, height, name, limits)
    packed = 0
    try:
        for kind, start, stop in chunk_places(data):
            # A decoder makes room for what is said, and not for what is there.
            if int.from_bytes(data[start - 8 : start - 4], "big") != stop - start:
                raise damaged(name, "PNG")
            packed += stop - start if kind == b"IDAT" else 0
    except TooManyChunks as error:
        raise damaged(name, "PNG") from error
    if -(-width * header.channels * bit_depth // 8) * height > _DEFLATE_RATIO * packed:
        raise damaged(name, "PNG")
    return header


def decode_png(data: bytes, header: PngHeader, name: str, limits: PhotoLimits = PHOTO_LIMITS) -> np.ndarray:
    """The stored values [H W] or [H W 3..4] in RGB order, 8 or 16 bit, of a PNG whose header was read.

    Raises InvalidInput when the file is damaged, NotEnoughMemory.
    """
    _check_sums(data, name)
    bit_depth = 16 if header.bit_depth == 16 else 8
    try:
        with decoding(), room_for_picture(header.width, header.height, bit_depth, name, limits):
            values = cv2.imdecode(np.frombuffer(bare(data), np.uint8), cv2.IMREAD_UNCHANGED)
            if values is None or values.shape[:2] != (header.height, header.width):
                raise ValueError("no picture of that size")
            if values.ndim == 3:
                values = cv2.cvtColor(values, cv2.COLOR_BGR2RGB if values.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    except DECODER_FAULTS as error:
        raise damaged(name, "PNG") from error
    return values


def _check_sums(data: bytes, name: str) -> None:
    """Raises InvalidInput where the picture is not what was written; the decoder would print words of its own."""
    seen = memoryview(data)
    for kind, start, stop in chunk_places(data):
        said = int.from_bytes(data[stop : stop + 4], "big")
        if kind in PICTURE_CHUNKS and zlib.crc32(seen[start - 4 : stop]) != said:
            raise damaged(name, "PNG")
