"""PNG bytes from arrays of 8 or 16 bits, with a colour profile and EXIF when there are any."""

import struct
import zlib

import cv2
import numpy as np

_HEADER_END = 33  # 8 bytes of signature and the IHDR chunk, which every encoder writes first


def encode_png(values: np.ndarray, icc_profile: bytes | None = None, exif: bytes | None = None) -> bytes:
    """Uint8 or uint16 [H W], [H W 3] or [H W 4] (straight alpha) as PNG; `exif` with or without its "Exif" prefix.

    Pillow cannot write 16-bit colour and OpenCV no profile, so OpenCV's chunks are completed here.
    """
    if values.ndim == 3:
        values = cv2.cvtColor(values, cv2.COLOR_RGB2BGR if values.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    done, buffer = cv2.imencode(".png", values)
    assert done  # an array of these types can always be written
    data = buffer.tobytes()
    extra = b""
    if icc_profile is not None:
        extra += _chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc_profile))
    if exif is not None:
        extra += _chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    return data[:_HEADER_END] + extra + data[_HEADER_END:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
