"""What is left of a photo's metadata when private data is to be left out."""

import carried
import pytest

from core.files.exif import read_exif
from core.files.formats import formats_of
from core.files.layers import Layer, LayerStack
from core.files.photo import open_photo
from core.files.picture import picture_of
from core.files.privacy import private_photo
from core.files.profile import srgb_of
from core.types.photo import Photo


def opened(file_format: str) -> Photo:
    return open_photo(carried.sample(file_format), f"{carried.OWNER}, {carried.PLACE.replace('/', ' ')}.jpg")


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF"])
def test_nothing_private_is_left_in_any_picture(file_format):
    photo = opened(file_format)
    bare = private_photo(photo)
    assert bare.name in ("photo.jpg", "photo")
    assert bare.id == photo.id
    for item in formats_of("picture"):
        (whole,) = item.encode(picture_of(photo), "x").values()
        assert carried.leaks(whole), "the test must be able to fail"
        (data,) = item.encode(picture_of(bare), "x").values()
        assert carried.leaks(data) == []


def test_layers_hold_nothing_private():
    bare = picture_of(private_photo(opened("JPEG")))
    (item,) = formats_of("layers")
    (data,) = item.encode(LayerStack((Layer("Object 1", bare),), bare), "x").values()
    assert carried.leaks(data) == []


def test_what_says_how_the_picture_was_taken_and_looks_stays():
    photo = opened("JPEG")
    bare = private_photo(photo)
    exif = read_exif(bare.metadata.exif)
    assert exif is not None
    assert exif.first.entries[0x0110].data == b"Camera 3\0"
    details = exif.first.beneath(0x8769)
    assert set(details.entries) == {0x829A, 0x9003, 0x9204, 0xA405}
    assert details.beneath(0xA005).entries[1].data == b"R98\0"
    assert set(exif.first.children) == {0x8769}
    assert bare.metadata.resolution == photo.metadata.resolution
    assert (srgb_of(photo.pixels, bare.icc_profile) == photo.srgb).all()
