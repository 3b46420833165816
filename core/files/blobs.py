"""Arrays as content-addressed blobs: integers and booleans as PNG, floats as NPY."""

import json
import math
from collections.abc import Callable, MutableMapping
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from core.errors import BadProjectFile, InvalidInput
from core.files.limits import check_size
from core.files.npy import decode_npy, encode_npy
from core.files.png import encode_png
from core.files.reading.png_pixels import decode_png, png_header
from core.types.ids import content_id

Blobs = MutableMapping[str, bytes]
Made = TypeVar("Made")


@runtime_checkable
class BlobSource(Protocol):
    """Blobs by their ids, wherever they are."""

    def __contains__(self, blob_id: object, /) -> bool: ...
    def __getitem__(self, blob_id: str, /) -> bytes: ...


_DTYPES = ("bool", "uint8", "uint16", "float32", "float64")
UNPACKED_LIMIT = 4_000_000_000


class BlobWriter:
    """Puts arrays and bytes into a blob store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._encoded: dict[str, bytes] = {}

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

    def __init__(self, blobs: BlobSource, max_bytes: int = UNPACKED_LIMIT) -> None:
        self._blobs = blobs
        self._left = max_bytes
        self._decoded: dict[tuple[str, str], np.ndarray] = {}
        self._made: dict[tuple[type, str], Any] = {}

    def once(self, kind: type[Made], value: object, make: Callable[[], Made]) -> Made:
        """What `make` makes of that JSON, the same object for the same JSON: arrays are checked and hashed once."""
        try:
            key = kind, json.dumps(value, sort_keys=True)
        except RecursionError:
            return make()
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def take_bytes(self, blob_id: object, where: str) -> bytes:
        """Raises BadProjectFile when the blob is missing."""
        if not isinstance(blob_id, str) or blob_id not in self._blobs:
            raise BadProjectFile(f"The project file lacks the blob {blob_id!r:.40} of {where}; take an earlier copy.")
        return self._blobs[blob_id]

    def take_array(self, reference: object, where: str) -> np.ndarray:
        """Raises BadProjectFile when the reference is malformed or the blob is not what it promises."""
        match reference:
            case {"blob": str() as blob_id, "dtype": str() as dtype, "shape": list() as shape, **rest} if not rest:
                pass
            case _:
                raise BadProjectFile(f"{where} must refer to an array by blob, dtype and shape; take an earlier copy.")
        if dtype not in _DTYPES or not all(type(side) is int and side > 0 for side in shape) or not 1 < len(shape) < 4:
            raise BadProjectFile(
                f"{where} has an impossible array ({dtype:.20}, shape {shape!s:.40}); take an earlier copy."
            )
        if (blob_id, dtype) not in self._decoded:
            size = np.dtype(dtype).itemsize * math.prod(shape)
            if size > self._left:
                raise BadProjectFile(
                    f"{where} unpacks to {size // 10**6} MB, which is over the limit; make it smaller."
                )
            try:
                check_size(shape[1], shape[0], where)
            except InvalidInput as error:
                raise BadProjectFile(str(error)) from error
            self._left -= size
            self._decoded[blob_id, dtype] = self._sound(self.take_bytes(blob_id, where), dtype, shape, where)
        array = self._decoded[blob_id, dtype]
        if list(array.shape) != shape:
            raise _broken(where)
        return array

    def _sound(self, data: bytes, dtype: str, shape: list[int], where: str) -> np.ndarray:
        try:
            array = self.decode(data, dtype, shape, where)
        except InvalidInput as error:
            raise _broken(where) from error
        if array.dtype.name != dtype:
            raise _broken(where)
        array.flags.writeable = False
        return array

    def decode(self, data: bytes, dtype: str, shape: list[int], where: str) -> np.ndarray:
        """The array in a blob that should be of that type and shape. Raises InvalidInput when it is damaged."""
        if np.dtype(dtype).kind == "f":
            return decode_npy(data, where)
        header = png_header(data, where)
        if [header.height, header.width] != shape[:2]:
            raise _broken(where)
        array = decode_png(data, header, where)
        return array > 127 if dtype == "bool" and array.dtype == np.uint8 else array


def _encode(array: np.ndarray) -> bytes:
    if array.dtype.kind == "f":
        return encode_npy(array)
    return encode_png(array.astype(np.uint8) * np.uint8(255) if array.dtype == bool else array)


def _broken(where: str) -> BadProjectFile:
    return BadProjectFile(f"The stored array of {where} is damaged or is not what it should be; take an earlier copy.")
