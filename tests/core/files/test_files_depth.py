import io

import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidInput
from core.files.depth import (
    depth_colours,
    encode_depth_colours,
    encode_depth_exr,
    encode_depth_npy,
    encode_depth_png,
    read_depth,
)
from core.files.exr import encode_exr
from core.files.npy import encode_npy
from core.files.photo import open_photo
from core.types.depth import DepthMap

RNG = np.random.default_rng(5)
VALUES = RNG.uniform(0.5, 30, (7, 9)).astype(np.float32)
VALID = RNG.random((7, 9)) > 0.2
DEPTH = DepthMap(np.where(VALID, VALUES, np.float32(0)), VALID, "metric", "test")


@pytest.mark.parametrize("encode", [encode_depth_exr, encode_depth_npy])
def test_float_files_keep_every_value(encode):
    again = read_depth(encode(DEPTH))
    assert (again.valid == VALID).all()
    assert (again.values[VALID] == VALUES[VALID]).all()


@pytest.mark.parametrize("units", [100.0, 1000.0, 2000.0])
def test_png_keeps_depth_to_half_a_unit(units):
    again = read_depth(encode_depth_png(DEPTH, units), units)
    assert (again.valid == VALID).all()
    assert np.abs(again.values - VALUES)[VALID].max() <= 0.501 / units


def test_png_holds_what_is_too_far_or_too_near_within_its_range():
    depth = DepthMap(np.array([[1e6, 1e-6, 1.0]], np.float32), np.array([[True, True, False]]), "metric", "test")
    again = read_depth(encode_depth_png(depth))
    assert again.values[0].tolist() == pytest.approx([65.535, 0.001, 0.0])
    assert again.valid.tolist() == [[True, True, False]]


def test_units_divide_and_scale_tag_is_kept():
    again = read_depth(encode_npy(np.full((2, 3), 500, np.uint16)), 100.0, "relative")
    assert (again.values == 5).all()
    assert again.scale == "relative"


def test_nan_infinity_zero_and_negative_are_invalid():
    stored = np.array([[np.nan, np.inf, -np.inf, 0.0, -1.0, 2.0, 1e300]])
    for data in (encode_npy(stored), encode_exr({"Z": stored.astype(np.float32)})):
        depth = read_depth(data)
        assert depth.valid.tolist() == [[False] * 5 + [True, False]]
        assert depth.values[0, 5] == 2


def test_file_on_disk_names_itself(tmp_path):
    path = tmp_path / "room.npy"
    path.write_bytes(encode_depth_npy(DEPTH))
    assert "room.npy" in read_depth(path).source


def _coloured_png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (3, 3), "red").save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"depth",
        _coloured_png(),
        encode_depth_png(DEPTH)[:60],
        encode_depth_exr(DEPTH)[:200],
        encode_depth_npy(DEPTH)[:-5],
        encode_npy(np.zeros((4, 4))),
        encode_npy(np.full((4, 4), np.nan)),
        encode_npy(np.ones((4, 4, 3))),
        encode_npy(np.ones(4)),
        encode_npy(np.array([["a"]])),
        encode_npy(np.zeros((0, 4))),
        encode_exr({"A": VALUES, "B": VALUES}),
        encode_npy(np.ones((2, 2))).replace(b"(2, 2)", b"(9, 9)"),
        encode_npy(np.ones((2, 2))).replace(b"(2, 2)", b"(2, 2("),
        b"\x93NUMPY\x01\x00" + b"v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }" + b" " * 60 + b"\n",
    ],
)
def test_bad_depth_gets_one_sentence(data):
    with pytest.raises(InvalidInput, match=r"^d\.bin .*\.$"):
        read_depth(data, name="d.bin")


@pytest.mark.parametrize("units", [0.0, -1.0, float("nan")])
def test_bad_scale_is_refused(units):
    with pytest.raises(InvalidInput, match="positive number"):
        read_depth(encode_depth_npy(DEPTH), units)


def test_near_is_brighter_than_far_and_invalid_is_black():
    depth = DepthMap(np.array([[1.0, 2.0, 8.0, 0.0]], np.float32), np.array([[True, True, True, False]]), "metric", "t")
    for colour_map in ("viridis", "cividis"):
        brightness = depth_colours(depth, colour_map).astype(int).sum(axis=2)[0]
        assert brightness[0] > brightness[1] > brightness[2] > brightness[3] == 0
    assert (open_photo(encode_depth_colours(depth)).pixels == depth_colours(depth)).all()


def test_colours_of_flat_and_of_empty_depth():
    flat = DepthMap(np.ones((2, 2), np.float32), np.ones((2, 2), bool), "metric", "t")
    assert len(np.unique(depth_colours(flat).reshape(-1, 3), axis=0)) == 1
    nothing = DepthMap(np.zeros((2, 2), np.float32), np.zeros((2, 2), bool), "metric", "t")
    assert not depth_colours(nothing).any()
