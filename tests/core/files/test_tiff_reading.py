import io
import itertools
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.errors import InvalidInput
from core.files.directories import Directory, Entry, Structure, encode_structure
from core.files.exif import read_exif
from core.files.photo import open_photo

RNG = np.random.default_rng(11)
RGB16 = RNG.integers(0, 65536, (37, 45, 3), dtype=np.uint16)
RGB16[:, :, 1] = np.linspace(0, 65535, 45)
TILE = 16


def lzw(data: bytes) -> bytes:
    """TIFF's LZW without its gain: codes of nine bits, the table cleared before it grows."""
    codes = []
    for first in range(0, len(data), 250):
        codes += [256, *data[first : first + 250]]
    bits = "".join(f"{code:09b}" for code in [*codes, 257])
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


PACKERS = {1: bytes, 5: lzw, 8: zlib.compress}


def tiff(values: np.ndarray, order: str, compression: int, planar: bool, tiled: bool, predictor: bool, *more) -> bytes:
    """[H W S] of 16 bits in that layout."""
    height, width, samples = values.shape
    shape = Structure("<" if order == "<" else ">", Directory())
    planes = [values[..., s : s + 1] for s in range(samples)] if planar else [values]
    segments = []
    for plane in planes:
        if tiled:
            padded = np.pad(plane, ((0, -height % TILE), (0, -width % TILE), (0, 0)))
            corners = itertools.product(range(0, height, TILE), range(0, width, TILE))
            segments += [padded[y : y + TILE, x : x + TILE] for y, x in corners]
        else:
            segments += [plane[y : y + 10] for y in range(0, height, 10)]
    body, places, sizes = bytearray(b"II*\0" + bytes(4)), [], []
    for segment in segments:
        stored = segment.copy()
        if predictor:
            stored[:, 1:] -= segment[:, :-1]
        packed = PACKERS[compression](stored.astype(stored.dtype.newbyteorder(order)).tobytes())
        places.append(len(body))
        sizes.append(len(packed))
        body += packed
    entries = [
        shape.longs(256, width), shape.longs(257, height), shape.shorts(258, *[16] * samples),
        shape.shorts(259, compression), shape.shorts(262, 2 if samples >= 3 else 1), shape.shorts(277, samples),
        shape.shorts(284, 2 if planar else 1), shape.shorts(317, 2 if predictor else 1),
        shape.longs(324 if tiled else 273, *places), shape.longs(325 if tiled else 279, *sizes),
        *([shape.longs(322, TILE), shape.longs(323, TILE)] if tiled else [shape.longs(278, 10)]), *more,
    ]  # fmt: skip
    return encode_structure(Structure(shape.byte_order, Directory().having(*entries)), behind=bytes(body))


@pytest.mark.parametrize("predictor", [False, True])
@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("compression", PACKERS)
@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bits_are_read_in_every_layout(order, compression, planar, tiled, predictor):
    photo = open_photo(tiff(RGB16, order, compression, planar, tiled, predictor))
    assert photo.bit_depth == 16
    assert np.array_equal(photo.pixels, RGB16)


@pytest.mark.parametrize("samples", [1, 2, 4, 5])
@pytest.mark.parametrize("planar", [False, True])
def test_further_samples_are_alpha_or_told(samples, planar):
    values = RNG.integers(0, 65536, (20, 21, samples), dtype=np.uint16)
    extra = Entry(338, 3, 1, struct.pack("<H", 2)) if samples in (2, 4) else Entry(338, 3, 2, bytes(4))
    photo = open_photo(tiff(values, "<", 8, planar, False, True, *([extra] if samples != 1 else [])))
    colours = 3 if samples > 2 else 1
    assert np.array_equal(photo.pixels[..., :colours], values[..., :colours])
    assert photo.gray == (colours == 1)
    if samples in (2, 4):
        assert np.array_equal(photo.alpha, values[..., -1])
        assert photo.notices == ()
    else:
        assert photo.alpha is None
        assert bool(photo.notices) == (samples == 5)


@pytest.mark.parametrize(
    ("bigtiff", "byteorder", "tile"), list(itertools.product([False, True], "<>", [None, (16, 16)]))
)
def test_what_another_writer_makes_is_read(bigtiff, byteorder, tile):
    for values in (RGB16, RGB16[..., 0], (RGB16 >> 8).astype(np.uint8)):
        stream = io.BytesIO()
        photometric = "rgb" if values.ndim == 3 else "minisblack"
        tifffile.imwrite(
            stream, values, photometric=photometric, bigtiff=bigtiff, byteorder=byteorder, tile=tile, compression="zlib"
        )
        photo = open_photo(stream.getvalue())
        assert np.array_equal(photo.pixels, values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2))


def pages(*specs: tuple[np.ndarray, int, str]) -> bytes:
    """Pages of values, NewSubfileType and photometric."""
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        for values, kind, photometric in specs:
            writer.write(values, subfiletype=kind, photometric=photometric, metadata=None)
    return stream.getvalue()


LARGE, SMALL = (RGB16 >> 8).astype(np.uint8), (RGB16[::4, ::4] >> 8).astype(np.uint8)


def test_a_reduced_picture_is_never_taken_for_the_photo():
    photo = open_photo(pages((SMALL, 1, "rgb"), (LARGE[:20], 0, "rgb"), (LARGE, 0, "rgb")))
    assert np.array_equal(photo.pixels, LARGE)
    assert "1 more page" in photo.notices[0]
    assert open_photo(pages((LARGE, 0, "rgb"), (SMALL, 1, "rgb"))).notices == ()


def test_of_several_pages_the_first_is_opened_and_that_is_told():
    photo = open_photo(pages((SMALL, 0, "rgb"), (LARGE, 0, "rgb"), (LARGE, 0, "rgb")))
    assert np.array_equal(photo.pixels, SMALL)
    assert "2 more pages" in photo.notices[0]


def test_full_picture_beneath_a_thumbnail_is_opened_and_raw_is_refused():
    for photometric, values in (("rgb", LARGE), (32803, LARGE[..., 0])):
        stream = io.BytesIO()
        with tifffile.TiffWriter(stream) as writer:
            writer.write(SMALL, subfiletype=1, photometric="rgb", subifds=1, metadata=None)
            writer.write(values, subfiletype=0, photometric=photometric, metadata=None)
        if photometric == "rgb":
            assert np.array_equal(open_photo(stream.getvalue()).pixels, LARGE)
        else:
            with pytest.raises(InvalidInput, match="raw"):
                open_photo(stream.getvalue(), "x.tif")


def test_dng_is_raw_whatever_its_first_picture():
    stream = io.BytesIO()
    tifffile.imwrite(stream, LARGE, photometric="rgb", extratags=[(50706, "B", 4, (1, 4, 0, 0), True)])
    with pytest.raises(InvalidInput, match=r"^x\.tif is .* raw"):
        open_photo(stream.getvalue(), "x.tif")


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int16, np.uint32, np.float64])
def test_other_numbers_are_refused_in_a_sentence(dtype):
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((5, 6, 3), dtype), photometric="rgb")
    with pytest.raises(InvalidInput, match=r"^x\.tif has .* pixels; save it with 8 or 16 bits per channel\.$"):
        open_photo(stream.getvalue(), "x.tif")


@pytest.mark.parametrize(
    ("mode", "colour", "word"), [("CMYK", (100, 120, 130, 0), "CMYK"), ("LAB", (100, 120, 130), "Lab")]
)
def test_converted_colours_are_told(mode, colour, word):
    stream = io.BytesIO()
    Image.new(mode, (6, 5), colour).save(stream, "TIFF")
    assert word in open_photo(stream.getvalue()).notices[0]


def test_storage_and_camera_tags_of_the_source_do_not_travel():
    stream = io.BytesIO()
    tags = [(50708, "s", 0, "Camera X1", True), (37724, "B", 4, (1, 2, 3, 4), True), (42000, "H", 1, 7, True)]
    tifffile.imwrite(stream, LARGE, photometric="rgb", extratags=tags, description="Kept", metadata=None)
    exif = read_exif(open_photo(stream.getvalue()).metadata.exif)
    assert exif is not None
    assert 42000 in exif.first.entries
    assert exif.first.entries[270].data == b"Kept\0"
    assert not {256, 273, 50708, 37724} & set(exif.first.entries)


@pytest.mark.parametrize("compression", ["zstd", "lzma", "packbits"])
def test_rarer_packings_of_sixteen_bits(compression):
    stream = io.BytesIO()
    Image.fromarray(RGB16[..., 0]).save(stream, "TIFF", compression=compression)
    assert np.array_equal(open_photo(stream.getvalue()).pixels[..., 0], RGB16[..., 0])
