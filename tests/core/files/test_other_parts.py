"""What a file holds beside the picture that is opened."""

import io
import struct
import warnings
import zlib

import carried
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from core.files import isobmff
from core.files.jpeg import other_parts, segments, with_metadata
from core.files.limits import PhotoLimits
from core.files.photo import open_photo
from core.types.metadata import Metadata

PICTURES = [Image.new("RGB", (24, 16), colour) for colour in ("red", "blue", "green")]


def told(data: bytes) -> str:
    return " ".join(open_photo(data).notices)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "AVIF"])
def test_animations(file_format):
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = carried.saved(PICTURES[0], file_format, save_all=True, append_images=PICTURES[1:], **options)
    assert told(data) == (
        "The file also holds an animation of 3 frames; only its first picture is opened, and results hold no more."
    )
    assert told(carried.saved(PICTURES[0], file_format)) == ""


def test_second_pictures_of_a_jpeg():
    data = carried.saved(PICTURES[0], "MPO", save_all=True, append_images=PICTURES[1:2])
    assert "a second picture" in told(data)


def with_segment(data: bytes, marker: int, body: bytes) -> bytes:
    return data[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + data[2:]


def test_gain_map_and_motion_of_a_jpeg():
    plain = carried.saved(PICTURES[0], "JPEG")
    assert "a gain map" in told(with_segment(plain, 0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0"))
    packet = carried.XMP.replace("ORIENTATION", "1").replace(
        "aux:SerialNumber", 'xmlns:c="http://ns.google.com/photos/1.0/camera/" c:MotionPhoto="1" aux:SerialNumber'
    )
    photo = open_photo(with_metadata(plain, Metadata(xmp=packet.encode())))
    assert "a video" in photo.notices[0]
    assert photo.metadata.xmp is not None
    assert b"MotionPhoto" not in photo.metadata.xmp


def test_content_credentials_end_with_an_edit():
    assert "content credentials" in told(with_segment(carried.saved(PICTURES[0], "JPEG"), 0xEB, b"JP\0\1credentials"))
    assert "content credentials" in told(
        carried.with_chunks(carried.saved(PICTURES[0], "PNG"), carried.chunk(b"caBX", b"c"))
    )


def test_several_pictures_of_a_heic():
    file = pillow_heif.from_pillow(PICTURES[0])
    file.add_from_pillow(PICTURES[1])
    stream = io.BytesIO()
    file.save(stream, quality=50)
    assert "a second picture" in told(stream.getvalue())


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def test_auxiliary_pictures_are_named_and_code_points_found_by_the_main_picture():
    def auxiliary(urn: bytes) -> bytes:
        return box(b"auxC", bytes(4), urn + b"\0")

    colours = box(b"colr", b"nclx", struct.pack(">HHHB", 12, 16, 0, 128))
    bits = box(b"pixi", bytes(4), bytes([3, 10, 10, 10]))
    properties = box(
        b"ipco", colours, auxiliary(b"urn:com:apple:photo:2020:aux:hdrgainmap"),
        auxiliary(b"urn:mpeg:hevc:2015:auxid:1:alpha"), auxiliary(b"urn:mpeg:hevc:2015:auxid:2:depth"), bits,
    )  # fmt: skip
    associations = box(b"ipma", bytes(4), struct.pack(">IHBBHBBB", 2, 9, 1, 2, 5, 2, 0x81, 5))
    meta = box(b"meta", bytes(4), box(b"pitm", bytes(4), b"\0\5"), box(b"iprp", properties, associations))
    data = box(b"ftyp", b"avif") + meta
    assert isobmff.colour_code_points(data) == (12, 16)
    assert isobmff.bit_depth(data) == 10
    assert not isobmff.is_cropped(data)
    assert isobmff.is_cropped(data.replace(b"pixi", b"clap"))
    assert set(isobmff.other_parts(data)) == {"a gain map", "depth"}
    rng = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(data)
        broken[rng.integers(len(data))] = rng.integers(256)
        cut = bytes(broken[: rng.integers(len(data))])
        assert isobmff.colour_code_points(cut) is None or isobmff.other_parts(cut) is not None


def test_large_pictures_open_without_a_warning():
    big = carried.saved(Image.new("1", (9600, 9600)), "PNG")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        photo = open_photo(big, "big.png", PhotoLimits())
    assert photo.width == 9600


def test_segments_end_where_the_picture_begins_or_the_file_is_broken():
    data = with_metadata(carried.saved(PICTURES[0], "JPEG"), carried.metadata())
    assert [marker for marker, _ in segments(data)][:4] == [0xE0, 0xE1, 0xE1, 0xED]
    for length in range(0, 900, 7):
        assert isinstance(other_parts(data[:length]), tuple)


def test_packed_texts_cannot_cost_more_than_they_should():
    bomb = carried.chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(30_000_000)))
    plain = carried.saved(PICTURES[0], "PNG")
    photo = open_photo(carried.with_chunks(plain, *[bomb] * 300, carried.chunk(b"tEXt", b"b\0c")))
    assert sum(len(text.text) for text in photo.metadata.texts) < 9_000_000
    assert "Texts" in photo.notices[0]


def test_transparency_is_no_other_picture():
    picture = Image.new("RGBA", (24, 16), (200, 30, 30, 255))
    picture.putpixel((3, 3), (0, 0, 0, 0))
    stream = io.BytesIO()
    pillow_heif.from_pillow(picture).save(stream, format="HEIF", quality=90)
    for data in (stream.getvalue(), carried.saved(picture, "AVIF")):
        photo = open_photo(data)
        assert photo.alpha is not None
        assert photo.notices == ()
