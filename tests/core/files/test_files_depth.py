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
from core.files.depth_range import png_units, told_units
from core.files.exr import encode_exr
from core.files.npy import encode_npy
from core.files.photo import open_photo
from core.files.png import encode_png
from core.types.depth import DepthMap
from core.types.metadata import Metadata, Text

RNG = np.random.default_rng(5)
VALUES = RNG.uniform(0.5, 30, (7, 9)).astype(np.float32)
VALID = RNG.random((7, 9)) > 0.2
DEPTH = DepthMap(np.where(VALID, VALUES, np.float32(0)), VALID, "metric", "test")


@pytest.mark.parametrize("encode", [encode_depth_exr, encode_depth_npy])
def test_float_files_keep_every_value(encode):
    again = read_depth(encode(DEPTH))
    assert (again.valid == VALID).all()
    assert (again.values[VALID] == VALUES[VALID]).all()


def depth_of(*values: float) -> DepthMap:
    return DepthMap(np.array([values], np.float32), np.array([values], np.float32) > 0, "metric", "test")


def test_png_keeps_depth_to_half_a_unit():
    again = read_depth(encode_depth_png(DEPTH))
    assert (again.valid == VALID).all()
    assert np.abs(again.values - VALUES)[VALID].max() <= 0.501e-3


@pytest.mark.parametrize(
    ("values", "units"),
    [
        ((0.5, 65.5, 0), 1000),
        ((75, 200, 0), 100),
        ((10, 5000, 0), 10),
        ((100, 400_000), 0.1),
        ((2e-4, 9e-4, 0), 1e7),
        ((0.0004, 0.05), 1e6),
        ((0, 0), 1000),
    ],
)
def test_png_takes_the_units_that_hold_the_map_and_tells_them(values, units):
    depth = depth_of(*values)
    assert png_units(depth) == pytest.approx(units)
    data = encode_depth_png(depth)
    assert f"DepthUnitsPerSceneUnit\0{units:g}".encode() in data
    sentence = told_units(depth)
    assert (sentence is None) if units == 1000 else f"--depth-scale {units:g}" in sentence
    if not depth.valid.any():
        return
    for again in (read_depth(data), read_depth(data, units)):
        assert (again.valid == depth.valid).all()
        assert np.abs(again.values - depth.values).max() <= 0.501 / units


def test_a_range_that_16_bits_do_not_hold_is_refused():
    with pytest.raises(InvalidInput, match=r"from 0.001 to 5e\+03.*EXR or NPY"):
        encode_depth_png(depth_of(0.001, 5000))


def test_a_png_that_says_nothing_or_nonsense_is_in_thousandths():
    coded = np.array([[1500]], np.uint16)
    for text in ("", "x", "nan", "-1", "0"):
        data = encode_png(coded, metadata=Metadata(texts=(Text("DepthUnitsPerSceneUnit", text),)))
        assert read_depth(data).values[0, 0] == 1.5


SENTINELS = (1e10, 1e9, 1e30, 3.4e38, 65504.0, np.inf, -np.inf, np.nan, -1.0, 0.0, 1000.0, 10000.0, 9999.0, 65535.0)


@pytest.mark.parametrize("sentinel", SENTINELS)
@pytest.mark.parametrize("share", [0.02, 0.7, 0.98])
def test_what_stands_for_nothing_there_is_no_depth(sentinel, share):
    product = np.random.default_rng(0).uniform(1.8, 2.5, (20, 30)).astype(np.float32)
    background = np.arange(600).reshape(20, 30) < share * 600
    stored = np.where(background, np.float32(sentinel), product)
    for data in (encode_npy(stored), encode_exr({"V": stored})):
        depth = read_depth(data)
        assert (depth.valid == ~background).all()
        assert (depth.values[~background] == product[~background]).all()


def test_mixtures_with_such_numbers_are_no_depth_either():
    stored = np.full((20, 30), 2.0)
    stored[:10], stored[10] = 1e10, np.linspace(1e7, 1e9, 30)
    assert (read_depth(encode_npy(stored)).valid == (stored == 2)).all()


def test_the_last_level_of_integers_is_no_depth():
    stored = np.array([[65535, 65534, 3000, 0]], np.uint16)
    assert read_depth(encode_png(stored)).valid.tolist() == [[False, True, True, False]]


@pytest.mark.parametrize(
    "stored",
    [
        np.geomspace(2, 60_000, 600).reshape(20, 30),
        np.geomspace(5, 3.8e8, 600).reshape(20, 30),
        np.where(np.arange(600).reshape(20, 30) < 300, 3.0, 800.0),
        np.where(np.arange(600).reshape(20, 30) < 300, 50.0, 1000.0),
        np.where(np.arange(600).reshape(20, 30) < 1, 1000.0, 2.0),
        np.full((20, 30), 100.0),
    ],
)
def test_landscapes_and_far_walls_stay(stored):
    assert read_depth(encode_npy(stored)).valid.all()


def test_units_divide_and_scale_tag_is_kept():
    again = read_depth(encode_npy(np.full((2, 3), 500, np.uint16)), 100.0, "relative")
    assert (again.values == 5).all()
    assert again.scale == "relative"


def test_nan_infinity_zero_and_negative_are_invalid():
    stored = np.array([[np.nan, np.inf, -np.inf, 0.0, -1.0, 2.0, 1e300]])
    with np.errstate(over="ignore"):
        single = stored.astype(np.float32)
    for data in (encode_npy(stored), encode_exr({"Z": single})):
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
