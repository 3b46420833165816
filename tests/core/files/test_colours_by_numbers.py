"""Colours that a file gives by code points, gamma or EXIF, and what they look like."""

import io
import struct

import carried
import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from core.files import icc
from core.files.code_points import BT2020, HLG, PQ, meaning_of, to_sdr
from core.files.directories import Directory, Structure, encode_structure
from core.files.formats import format_named
from core.files.jpeg import with_metadata
from core.files.photo import open_photo
from core.files.picture import picture_of
from core.files.png import encode_png
from core.files.profile import is_srgb, srgb_of
from core.types.metadata import Metadata

P3 = icc.Primaries((0.3127, 0.3290), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
CICP_P3, CICP_SRGB = carried.chunk(b"cICP", bytes([12, 13, 0, 1])), carried.chunk(b"cICP", bytes([1, 13, 0, 1]))
GAMMA_1, SRGB = carried.chunk(b"gAMA", struct.pack(">I", 100_000)), carried.chunk(b"sRGB", b"\0")
CHRM_P3 = carried.chunk(
    b"cHRM", struct.pack(">8I", *(round(v * 1e5) for point in (P3.white, P3.red, P3.green, P3.blue) for v in point))
)
COLOURS = np.array([[[200, 90, 60], [120, 130, 140], [90, 160, 100], [30, 40, 30]]], np.uint8)


def expected(primaries: icc.Primaries, light: np.ndarray) -> np.ndarray:
    seen = light @ (np.linalg.inv(icc.xyz_from_rgb(icc.BT709)) @ icc.xyz_from_rgb(primaries)).T
    seen = np.clip(seen, 0, 1)
    return 255 * np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * np.maximum(seen, 1e-9) ** (1 / 2.4) - 0.055)


def srgb_light(values: np.ndarray) -> np.ndarray:
    unit = values / np.iinfo(values.dtype).max
    return np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)


def png(*chunks: bytes, values: np.ndarray = COLOURS) -> bytes:
    return carried.with_chunks(cv2.imencode(".png", cv2.cvtColor(values, cv2.COLOR_RGB2BGR))[1].tobytes(), *chunks)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("chunks", "primaries", "power"),
    [
        ((CICP_P3,), P3, None),
        ((SRGB, CICP_P3, GAMMA_1), P3, None),
        ((CHRM_P3,), P3, None),
        ((GAMMA_1,), icc.BT709, 1.0),
        ((GAMMA_1, CHRM_P3), P3, 1.0),
        ((GAMMA_1, CHRM_P3, SRGB), icc.BT709, None),
        ((GAMMA_1, CICP_SRGB), icc.BT709, None),
        ((), icc.BT709, None),
    ],
)
def test_png_chunks_in_the_standards_order(chunks, primaries, power, dtype):
    values = COLOURS if dtype == np.uint8 else COLOURS.astype(np.uint16) * 257
    photo = open_photo(png(*chunks, values=values))
    light = srgb_light(COLOURS) if power is None else (COLOURS / 255) ** power
    assert np.array_equal(photo.pixels, values)
    assert np.abs(photo.srgb - expected(primaries, light)).max() <= 2
    for output in ("png", "tiff", "webp", "jpeg"):
        (data,) = format_named(output).encode(picture_of(photo), "x").values()
        assert open_photo(data).icc_profile == photo.icc_profile


def test_an_embedded_profile_goes_before_srgb_and_gamma_but_not_before_code_points():
    adobe = icc.rgb_profile("Adobe", icc.ADOBE_RGB, icc.ADOBE_RGB_CURVE)
    with_profile = encode_png(COLOURS, adobe)
    assert open_photo(carried.with_chunks(with_profile, SRGB, GAMMA_1)).icc_profile == adobe
    coded = open_photo(carried.with_chunks(with_profile, CICP_P3))
    assert np.abs(coded.srgb - expected(P3, srgb_light(COLOURS))).max() <= 2


def test_damaged_colour_chunks_are_left_out():
    for broken in (
        carried.chunk(b"gAMA", bytes(4)), carried.chunk(b"cHRM", bytes(32)), carried.chunk(b"cICP", b"\xff\xff\0\1"),
        carried.chunk(b"iCCP", b"a\0\0nothing"), carried.chunk(b"cHRM", b"\1"),
    ):  # fmt: skip
        photo = open_photo(png(broken))
        assert np.abs(photo.srgb.astype(int) - COLOURS).max() <= 1


def heic(values: np.ndarray, **options: int) -> bytes:
    stream = io.BytesIO()
    mode = "RGB" if values.dtype == np.uint8 else "RGB;16"
    pillow_heif.encode(mode, values.shape[1::-1], values.tobytes(), stream, quality=-1, chroma=444, **options)
    return stream.getvalue()


def patch(values: tuple[int, int, int], dtype: type = np.uint8) -> np.ndarray:
    return np.full((64, 64, 3), values, dtype)


def test_heic_code_points_are_honoured_and_written_as_a_profile():
    photo = open_photo(heic(patch((200, 90, 60)), color_primaries=12, transfer_characteristics=13))
    assert np.abs(photo.srgb[9, 9] - expected(P3, srgb_light(photo.pixels[9, 9]))).max() <= 2
    (data,) = format_named("png").encode(picture_of(photo), "x").values()
    assert np.array_equal(open_photo(data).srgb, photo.srgb)


def test_avif_code_points_are_honoured():
    data = carried.saved(Image.fromarray(patch((200, 90, 60))), "AVIF", quality=100, subsampling="4:4:4")
    place = data.index(b"nclx") + 4
    data = data[:place] + struct.pack(">HH", 12, 13) + data[place + 4 :]
    photo = open_photo(data)
    assert np.abs(photo.srgb[9, 9] - expected(P3, srgb_light(photo.pixels[9, 9]))).max() <= 2


def test_cinema_p3_is_honoured_and_its_white_is_white():
    photo = open_photo(heic(patch((180, 180, 180)), color_primaries=11, transfer_characteristics=17))
    light = 52.37 / 48 * (photo.pixels[9, 9] / 255) ** 2.6
    assert np.abs(photo.srgb[9, 9] - expected(icc.BT709, light)).max() <= 2
    assert not photo.notices


def test_code_points_that_are_not_known_are_told():
    (notice,) = open_photo(heic(patch((200, 90, 60)), color_primaries=1, transfer_characteristics=9)).notices
    assert "transfer 9" in notice
    assert not open_photo(heic(patch((200, 90, 60)), color_primaries=2, transfer_characteristics=2)).notices
    (notice,) = open_photo(png(carried.chunk(b"cICP", bytes([1, 99, 0, 1])))).notices
    assert "transfer 99" in notice
    assert not open_photo(png(carried.chunk(b"cICP", bytes([2, 2, 0, 1])))).notices


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_hdr_heic_is_tone_mapped_and_told(transfer):
    photo = open_photo(
        heic(patch((30000, 30000, 30000), np.uint16), color_primaries=9, transfer_characteristics=transfer)
    )
    assert "HDR" in photo.notices[0]
    assert photo.bit_depth == 16
    assert np.ptp(photo.srgb[5, 5].astype(int)) <= 1


def pq_of(candela: float) -> int:
    power = (candela / 10_000) ** (1305 / 8192)
    return round(65535 * ((107 / 128 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32))


def test_tone_mapping_keeps_what_a_page_shows_and_rolls_off_the_rest():
    levels = [0, 2, 20, 100, 162, 400, 4000, 10_000]
    values = np.array([[[pq_of(level)] * 3 for level in levels]], np.uint16)
    mapped, profile = to_sdr(values, PQ, BT2020)
    light = srgb_light(mapped[0, :, 0])
    assert light[:5] == pytest.approx(np.array(levels[:5]) / 203, abs=2e-4)
    assert (np.diff(light) > 0).all()
    assert 0.85 < light[5] < 1
    assert light[-1] <= 1
    assert np.abs(srgb_of(mapped, profile)[0, 3].astype(int) - 186).max() <= 2


def test_unknown_code_points_say_nothing():
    assert meaning_of(2, 2) is None
    assert meaning_of(250, 13) is None
    assert meaning_of(1, 99) is None
    srgb = meaning_of(1, 13)
    assert srgb is not None
    assert srgb.icc_profile is not None
    assert is_srgb(srgb.icc_profile)


INTEROP = Directory({1: carried.text(1, "R03")})
ADOBE_BY_EXIF = encode_structure(Structure("<", Directory({}, {0x8769: Directory({}, {0xA005: INTEROP})})))


def test_other_notices_do_not_hide_the_mark_of_adobe_rgb():
    torn_text = carried.chunk(b"zTXt", b"a\0\0nothing")
    photo = open_photo(png(torn_text, carried.chunk(b"eXIf", ADOBE_BY_EXIF)))
    assert "Texts" in photo.notices[0]
    assert photo.icc_profile is not None
    cmyk = carried.saved(Image.new("CMYK", (16, 16), (10, 200, 30, 0)), "JPEG")
    assert open_photo(with_metadata(cmyk, Metadata(ADOBE_BY_EXIF))).icc_profile is None


def test_adobe_rgb_by_its_exif_mark_is_tagged_in_the_result():
    plain = carried.saved(Image.fromarray(patch((90, 160, 100))), "JPEG", quality=95)
    photo = open_photo(with_metadata(plain, Metadata(ADOBE_BY_EXIF)))
    light = (photo.pixels[5, 5] / 255) ** icc.ADOBE_RGB_CURVE[0]
    assert np.abs(photo.srgb[5, 5] - expected(icc.ADOBE_RGB, light)).max() <= 2
    assert photo.icc_profile is not None
    tagged = carried.saved(Image.fromarray(patch((90, 160, 100))), "JPEG", quality=95, icc_profile=carried.SRGB_PROFILE)
    assert open_photo(with_metadata(tagged, Metadata(ADOBE_BY_EXIF))).icc_profile == carried.SRGB_PROFILE


@pytest.mark.parametrize("with_alpha", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("output", ["png", "tiff", "tiff-16", "jpeg"])
def test_gray_stays_gray_with_its_profile(output, dtype, with_alpha):
    level = np.random.default_rng(3).integers(0, np.iinfo(dtype).max, (9, 17), dtype=dtype, endpoint=True)
    values = np.dstack([level, np.full_like(level, np.iinfo(dtype).max)]) if with_alpha else level
    photo = open_photo(encode_png(values, icc.gray_from_rgb(icc.rgb_profile("Gamma 2.2", icc.BT709, (2.2,)))))
    assert photo.gray
    (data,) = format_named(output).encode(picture_of(photo), "x").values()
    again = open_photo(data)
    assert again.gray
    assert again.icc_profile == photo.icc_profile
    if output != "jpeg" and again.bit_depth == photo.bit_depth:
        assert np.array_equal(again.pixels, photo.pixels)
        assert (again.alpha is None) == (photo.alpha is None)
