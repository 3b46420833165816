import numpy as np
import pytest
from PIL import Image, ImageCms

from core.errors import InvalidInput
from core.files.carrying import left_out
from core.files.photo import open_photo
from core.files.picture import (
    Picture,
    encode_picture_jpeg,
    encode_picture_png,
    encode_picture_tiff,
    encode_picture_tiff_8,
    encode_picture_tiff_16,
    encode_picture_webp,
    picture_of,
)
from core.types.metadata import Metadata

RNG = np.random.default_rng(2)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif() -> bytes:
    tags = Image.Exif()
    tags[0x0112] = 1
    tags[0x010F], tags[0x0110] = "Maker", "Camera 3"
    tags[0x0132] = "2026:01:02 03:04:05"
    tags.get_ifd(0x8769).update({0x829A: 0.005, 0x920A: 4.25, 0xA405: 26, 0x9000: b"0232"})
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 0.0)})
    return tags.tobytes()


METADATA = Metadata(exif().removeprefix(b"Exif\0\0"))


def picture(dtype: type, with_alpha: bool, shape: tuple[int, int] = (31, 23)) -> Picture:
    values = RNG.integers(0, np.iinfo(dtype).max, (*shape, 4), dtype=dtype, endpoint=True)
    return Picture(values[..., :3], values[..., 3] if with_alpha else None, ICC, METADATA)


def same(first: np.ndarray | None, second: np.ndarray | None) -> bool:
    if first is None or second is None:
        return first is second
    return first.dtype == second.dtype and np.array_equal(first, second)


@pytest.mark.parametrize(
    ("encode", "dtype"),
    [
        (encode_picture_png, np.uint8),
        (encode_picture_png, np.uint16),
        (encode_picture_tiff, np.uint8),
        (encode_picture_tiff, np.uint16),
        (encode_picture_webp, np.uint8),
    ],
)
@pytest.mark.parametrize("with_alpha", [False, True])
def test_lossless_formats_return_every_bit_profile_and_exif(encode, dtype, with_alpha):
    original = picture(dtype, with_alpha)
    photo = open_photo(encode(original))
    assert same(photo.pixels, original.pixels)
    assert same(photo.alpha, original.alpha)
    assert photo.icc_profile == ICC
    assert photo.focal_35mm == 26
    again = Image.Exif()
    again.load(photo.metadata.exif or b"")
    assert again[0x0110] == "Camera 3"
    assert again.get_ifd(0x8769)[0x920A] == pytest.approx(4.25)
    assert again.get_ifd(0x8825)[1] == "N"


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (700, 301)])
def test_lossless_formats_keep_odd_shapes(shape):
    original = picture(np.uint16, True, shape)
    for encode in (encode_picture_png, encode_picture_tiff):
        photo = open_photo(encode(original))
        assert same(photo.pixels, original.pixels)
        assert same(photo.alpha, original.alpha)


def test_tiff_is_read_alike_by_three_libraries():
    import io

    import cv2
    import tifffile

    original = picture(np.uint16, False, (400, 450))
    data = encode_picture_tiff(original)
    assert same(tifffile.imread(io.BytesIO(data)), original.pixels)
    assert same(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1], original.pixels)
    with Image.open(io.BytesIO(encode_picture_tiff_8(original))) as image:
        assert np.abs(np.asarray(image) - original.pixels / 257).max() <= 0.5


def test_sixteen_bits_are_rounded_for_eight_bit_formats():
    original = picture(np.uint16, True)
    photo = open_photo(encode_picture_webp(original))
    assert np.abs(photo.pixels - original.pixels / 257).max() <= 0.5
    assert open_photo(encode_picture_tiff_8(original)).bit_depth == 8


def test_eight_bits_spread_over_sixteen_and_come_back():
    original = picture(np.uint8, True)
    deep = open_photo(encode_picture_tiff_16(original))
    assert deep.bit_depth == 16
    assert same(open_photo(encode_picture_tiff_8(picture_of(deep))).pixels, original.pixels)


def test_jpeg_is_close_keeps_metadata_and_shows_transparency_as_white():
    y, x = np.mgrid[:64, :64]
    smooth = np.stack([x * 4, y * 4, 255 - x * 4], axis=-1).astype(np.uint8)
    photo = open_photo(encode_picture_jpeg(Picture(smooth, None, ICC, METADATA)))
    assert np.abs(photo.pixels.astype(int) - smooth).max() <= 6
    assert photo.icc_profile == ICC
    assert photo.focal_35mm == 26
    clear = open_photo(encode_picture_jpeg(Picture(smooth, np.zeros((64, 64), np.uint8))))
    assert clear.pixels.min() >= 254
    deep = open_photo(encode_picture_jpeg(Picture(smooth.astype(np.uint16) * 257)))
    assert np.abs(deep.pixels.astype(int) - smooth).max() <= 6


def test_jpeg_keeps_full_colour_resolution():
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2, 0] = 255
    stripes[:, 1::2, 2] = 255
    photo = open_photo(encode_picture_jpeg(Picture(stripes)))
    assert photo.pixels[:, ::2, 0].min() > 180


def test_too_wide_pictures_are_refused_by_name():
    wide = Picture(np.zeros((1, 70_000, 3), np.uint8))
    with pytest.raises(InvalidInput, match="JPEG holds at most 65500"):
        encode_picture_jpeg(wide)
    with pytest.raises(InvalidInput, match="WebP holds at most 16383"):
        encode_picture_webp(wide)


def test_huge_exif_is_left_out_of_jpeg_alone_and_that_can_be_told():
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0x927C] = b"x" * 100_000
    big = Metadata(tags.tobytes().removeprefix(b"Exif\0\0"))
    picture = Picture(np.zeros((8, 8, 3), np.uint8), None, None, big)
    assert open_photo(encode_picture_jpeg(picture)).metadata.exif is None
    assert "EXIF" in left_out(big, "jpeg")[0]
    assert open_photo(encode_picture_png(picture)).metadata.exif is not None
    assert left_out(big, "png") == ()


def test_encoding_is_deterministic():
    original = picture(np.uint16, True)
    for encode in (encode_picture_png, encode_picture_tiff, encode_picture_webp, encode_picture_jpeg):
        assert encode(original) == encode(original)
