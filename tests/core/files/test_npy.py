"""NPY arrays, and headers that want to be more than a header."""

import io
import struct

import numpy as np
import pytest

from core.errors import InvalidInput
from core.files.npy import NPY_MAGIC, decode_npy, encode_npy


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", "|u1", "<i8", ">u2", "|b1"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(3, 4), (5,), (2, 3, 4), ()])
def test_what_numpy_saves_comes_back(dtype: str, order: str, shape: tuple[int, ...]) -> None:
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape).astype(dtype), order=order)
    stream = io.BytesIO()
    np.save(stream, array)
    read = decode_npy(stream.getvalue(), "a.npy")
    assert np.array_equal(read, array)
    assert read.dtype == array.dtype.newbyteorder("=")


def test_our_own_and_later_versions_come_back() -> None:
    array = np.ones((2, 3), np.float32)
    assert np.array_equal(decode_npy(encode_npy(array), "a.npy"), array)
    for version in ((2, 0), (3, 0)):
        stream = io.BytesIO()
        np.lib.format.write_array(stream, array, version)
        assert np.array_equal(decode_npy(stream.getvalue(), "a.npy"), array)


def headed(header: str, body: bytes = b"\0" * 24) -> bytes:
    return NPY_MAGIC + b"\1\0" + struct.pack("<H", len(header)) + header.encode() + body


def test_other_orders_and_quotes_of_the_header_are_read() -> None:
    other = headed('{"shape": (2, 3), "fortran_order": False, "descr": "<f4"}\n')
    assert decode_npy(other, "a.npy").shape == (2, 3)


@pytest.mark.parametrize(
    "header",
    [
        "-" * 9000,
        "(" * 9000,
        "{'descr': '<f4', 'fortran_order': False, 'shape': " + "-" * 9000 + "1, }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (3, 1), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + "9" * 5000 + ", 3), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': __import__('os'), }",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }",
        "{'descr': '<f4', 'shape': (2, 3), }",
        "",
    ],
)
def test_any_other_header_is_refused(header: str) -> None:
    with pytest.raises(InvalidInput, match="not a plain NPY array"):
        decode_npy(headed(header), "a.npy")


def test_short_files_are_refused() -> None:
    whole = encode_npy(np.ones((2, 3), np.float32))
    for length in range(len(whole)):
        with pytest.raises(InvalidInput):
            decode_npy(whole[:length], "a.npy")
