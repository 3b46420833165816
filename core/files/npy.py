"""NPY arrays in bytes, without pickle and without believing the header about sizes."""

import io
import tokenize

import numpy as np

from core.errors import InvalidInput

NPY_MAGIC = b"\x93NUMPY"

# numpy parses the header as Python source.
_NUMPY_FAULTS = (ValueError, EOFError, OSError, SyntaxError, TypeError, KeyError, OverflowError, tokenize.TokenError)


def encode_npy(array: np.ndarray) -> bytes:
    """The array as an NPY file."""
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()


def decode_npy(data: bytes, name: str) -> np.ndarray:
    """The array of an NPY file. Raises InvalidInput when it is damaged, holds objects or lies about its size."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(stream)
        # A header may promise more than the file holds, and numpy would allocate it.
        promised = int(np.prod(shape, dtype=object)) * dtype.itemsize
        if dtype.hasobject or min(shape, default=0) < 0 or promised != len(data) - stream.tell():
            raise ValueError(f"{shape} of {dtype} in {len(data)} bytes")
        stream.seek(0)
        return np.lib.format.read_array(stream, allow_pickle=False)
    except _NUMPY_FAULTS as error:
        raise InvalidInput(
            f"{name} is not a plain NPY array or is cut short; save it again with numpy.save."
        ) from error
