"""NPY arrays in bytes: plain numbers only, by a header of fixed form that is never run as Python."""

import io
import math
import re
import struct

import numpy as np

from core.errors import InvalidInput

NPY_MAGIC = b"\x93NUMPY"

_LONGEST_HEADER = 10_000
_MOST_AXES, _LONGEST_AXIS = 8, 2**40
_ITEMS = {
    "descr": r"['\"](?P<descr>[<>=|]?[bfiu](?:1|2|4|8))['\"]",
    "fortran_order": r"(?P<fortran>True|False)",
    "shape": r"\((?P<shape>[0-9L, ]*)\)",
}
_ITEM = re.compile("|".join(rf"['\"]{key}['\"] *: *{value}" for key, value in _ITEMS.items()))


def encode_npy(array: np.ndarray) -> bytes:
    """The array as an NPY file."""
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()


def decode_npy(data: bytes, name: str) -> np.ndarray:
    """The array of an NPY file, read-only, without a copy.

    Raises InvalidInput when it is damaged, holds anything but plain numbers or lies about its size.
    """
    try:
        header, start = _header(data)
        shape, fortran, dtype = _described(header)
        if math.prod(shape) * dtype.itemsize != len(data) - start:
            raise ValueError(f"{shape} of {dtype} in {len(data) - start} bytes")
        flat = np.frombuffer(data, dtype, offset=start)
    except ValueError as error:
        raise InvalidInput(
            f"{name} is not a plain NPY array of numbers or is cut short; save it again with numpy.save."
        ) from error
    array = flat.reshape(shape, order="F" if fortran else "C")
    return array if dtype.isnative else array.astype(dtype.newbyteorder("="))


def _header(data: bytes) -> tuple[str, int]:
    """The header's text and where the numbers begin."""
    if len(data) < 12 or not data.startswith(NPY_MAGIC) or data[6] not in (1, 2, 3):
        raise ValueError("no NPY header")
    begin, kind = (10, "<H") if data[6] == 1 else (12, "<I")
    (length,) = struct.unpack_from(kind, data, 8)
    if length > _LONGEST_HEADER or begin + length > len(data):
        raise ValueError(f"a header of {length} bytes")
    return data[begin : begin + length].decode("utf-8"), begin + length


def _described(header: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether columns come first, and type, of a header in any order of its three entries."""
    found: dict[str, str] = {}
    for item in _ITEM.finditer(header):
        found |= {key: value for key, value in item.groupdict().items() if value is not None}
    between = _ITEM.sub("", header).strip()
    if len(found) != len(_ITEMS) or not re.fullmatch(r"\{[, ]*\}", between):
        raise ValueError("an unusual header")
    sides = [side.strip(" L") for side in found["shape"].split(",")]
    shape = tuple(int(side) for side in sides if side)
    if len(shape) > _MOST_AXES or any(side > _LONGEST_AXIS for side in shape):
        raise ValueError(f"the shape {shape}")
    return shape, found["fortran"] == "True", np.dtype(found["descr"])
