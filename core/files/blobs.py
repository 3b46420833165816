"""Arrays as content-addressed blobs: integers and booleans as PNG, floats as NPY."""

import struct
from collections.abc import MutableMapping
from typing import Any

import cv2
import numpy as np

from core.errors import BadProjectFile, InvalidInput
from core.files.npy import decode_npy, encode_npy
from core.files.png import encode_png
from core.types.ids import content_id

Blobs = MutableMapping[str, bytes]

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_DTYPES = ("bool", "uint8", "uint16", "float32", "float64")
UNPACKED_LIMIT = 4_000_000_000
_MAX_PIXELS = 100_000_000


class BlobWriter:
    """Puts arrays and bytes into a blob store.

    `encoded` remembers each array's file by the array's content, so that whoever saves a project again and
    again (autosave) and keeps that mapping does not compress the same photo twice.
    """

    def __init__(self, blobs: Blobs, encoded: MutableMapping[str, bytes] | None = None) -> None:
        self._blobs = blobs
        self._encoded = {} if encoded is None else encoded

    def put_bytes(self, data: bytes) -> dict[str, Any]:
        """The JSON that refers to the bytes."""
        blob_id = content_id(data)
        self._blobs[blob_id] = data
        return {"blob": blob_id}

    def put_array(self, array: np.ndarray) -> dict[str, Any]:
        """The JSON that refers to the array."""
        key = content_id(array)
        if key not in self._encoded:
            self._encoded[key] = _encode(array)
        return self.put_bytes(self._encoded[key]) | {"dtype": array.dtype.name, "shape": list(array.shape)}


class BlobReader:
    """Takes arrays and bytes out of a blob store, each blob decoded once, at most `max_bytes` in all."""

    def __init__(self, blobs: Blobs, max_bytes: int = UNPACKED_LIMIT) -> None:
        self._blobs = blobs
        self._left = max_bytes
        self._decoded: dict[tuple[str, str], np.ndarray] = {}

    def take_bytes(self, blob_id: object, where: str) -> bytes:
        """Raises BadProjectFile when the blob is missing."""
        if not isinstance(blob_id, str) or blob_id not in self._blobs:
            raise BadProjectFile(f"The project file lacks the blob {blob_id!r} of {where}; take an earlier copy.")
        return self._blobs[blob_id]

    def take_array(self, reference: object, where: str) -> np.ndarray:
        """Raises BadProjectFile when the reference is malformed or the blob is not what it promises."""
        match reference:
            case {"blob": str() as blob_id, "dtype": str() as dtype, "shape": list() as shape, **rest} if not rest:
                pass
            case _:
                raise BadProjectFile(f"{where} must refer to an array by blob, dtype and shape; take an earlier copy.")
        if dtype not in _DTYPES or not all(type(side) is int and side > 0 for side in shape) or not 1 < len(shape) < 4:
            raise BadProjectFile(f"{where} has an impossible array ({dtype}, shape {shape}); take an earlier copy.")
        if (blob_id, dtype) not in self._decoded:
            size = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=object))
            if shape[0] * shape[1] > _MAX_PIXELS or size > self._left:
                raise BadProjectFile(
                    f"{where} unpacks to {size / 1e6:.0f} MB, which is over the limit; make it smaller."
                )
            self._left -= size
            self._decoded[blob_id, dtype] = _decode(self.take_bytes(blob_id, where), dtype, shape, where)
        array = self._decoded[blob_id, dtype]
        if list(array.shape) != shape:
            raise _broken(where)
        return array


def _encode(array: np.ndarray) -> bytes:
    if array.dtype.kind == "f":
        return encode_npy(array)
    return encode_png(array.astype(np.uint8) * np.uint8(255) if array.dtype == bool else array)


def _decode(data: bytes, dtype: str, shape: list[int], where: str) -> np.ndarray:
    if np.dtype(dtype).kind == "f":
        try:
            array = decode_npy(data, where)
        except InvalidInput as error:
            raise _broken(where) from error
    else:
        # The header is compared before decoding: a small PNG can promise a large picture.
        if (
            not data.startswith(_PNG_MAGIC)
            or len(data) < 24
            or struct.unpack_from(">II", data, 16) != (shape[1], shape[0])
        ):
            raise _broken(where)
        array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if array is None:
            raise _broken(where)
        if array.ndim == 3 and array.shape[2] == 3:
            array = cv2.cvtColor(array, cv2.COLOR_BGR2RGB)
        if dtype == "bool" and array.dtype == np.uint8:
            array = array > 127
    if array.dtype.name != dtype or list(array.shape) != shape:
        raise _broken(where)
    array.flags.writeable = False
    return array


def _broken(where: str) -> BadProjectFile:
    return BadProjectFile(f"The stored array of {where} is damaged or is not what it should be; take an earlier copy.")
