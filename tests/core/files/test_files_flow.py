import struct

import numpy as np
import pytest

from core.errors import InvalidInput
from core.files.exr import encode_exr
from core.files.flow import encode_flo, encode_flow_exr, read_flow
from core.types.flow import FlowField

RNG = np.random.default_rng(5)
VECTORS = RNG.normal(0, 50, (6, 11, 2)).astype(np.float32)
VECTORS[2, 3] = np.nan
FLOW = FlowField(VECTORS, np.ones((6, 11), bool), np.zeros((6, 11), bool))


@pytest.mark.parametrize("encode", [encode_flo, encode_flow_exr])
def test_flow_survives_bit_for_bit_with_its_unknown_pixels(encode, tmp_path):
    data = encode(FLOW)
    path = tmp_path / "motion.bin"
    path.write_bytes(data)
    for source in (data, path):
        assert np.array_equal(read_flow(source), VECTORS, equal_nan=True)


def test_flo_has_the_published_layout():
    data = encode_flo(FLOW)
    assert struct.unpack_from("<f", data)[0] == 202021.25
    assert struct.unpack_from("<ii", data, 4) == (11, 6)
    assert struct.unpack_from("<ff", data, 12) == tuple(VECTORS[0, 0])
    assert struct.unpack_from("<f", data, 12 + 8 * (2 * 11 + 3))[0] > 1e9


def test_channels_x_and_y_are_accepted():
    again = read_flow(encode_exr({"X": VECTORS[..., 0], "Y": VECTORS[..., 1]}))
    assert np.array_equal(again, VECTORS, equal_nan=True)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"flow",
        b"PIEH",
        encode_flo(FLOW)[:-1],
        b"PIEH" + struct.pack("<ii", 2**30, 2**30),
        b"PIEH" + struct.pack("<ii", -1, 4),
        b"PIEH" + struct.pack("<ii", 1, 1) + struct.pack("<ff", 1e10, 1e10),
        encode_exr({"Z": VECTORS[..., 0]}),
        encode_flow_exr(FLOW)[:250],
    ],
)
def test_bad_flow_gets_one_sentence(data):
    with pytest.raises(InvalidInput, match=r"^f\.flo .*\.$"):
        read_flow(data, "f.flo")
