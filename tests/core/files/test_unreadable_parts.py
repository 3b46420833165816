"""What a photo carries and cannot be read is left out with a word, and sound files are opened without one."""

import struct

import carried
import pillow_heif
import pytest
from PIL import Image

from core.files.carrying import left_out
from core.files.photo import open_photo
from core.types.metadata import NO_METADATA

PICTURE, GRAY = Image.new("RGB", (24, 16), "red"), Image.new("L", (24, 16), 90)
PROFILE = "colour profile cannot be used"


def told(data: bytes) -> str:
    return " ".join(open_photo(data).notices)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_a_profile_that_cannot_be_used(file_format: str) -> None:
    pillow_heif.register_heif_opener()
    sound = carried.SRGB_PROFILE
    assert told(carried.saved(PICTURE, file_format, icc_profile=sound)) == ""
    assert told(carried.saved(PICTURE, file_format, icc_profile=sound[:160] + bytes(300))).count(PROFILE) == 1


def test_a_profile_of_other_colours_and_one_that_is_not_whole() -> None:
    assert PROFILE in told(
        carried.saved(GRAY, "PNG", icc_profile=carried.SRGB_PROFILE[:16] + b"CMYK" + carried.SRGB_PROFILE[20:])
    )
    plain = carried.saved(PICTURE, "PNG")
    assert PROFILE in told(carried.with_chunks(plain, carried.chunk(b"iCCP", b"a\0\0no deflate")))
    jpeg = carried.saved(PICTURE, "JPEG", icc_profile=carried.SRGB_PROFILE)
    place = jpeg.index(b"ICC_PROFILE\0") + 12
    assert PROFILE in told(jpeg[:place] + b"\1\2" + jpeg[place + 2 :])


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_exif_that_is_damaged_whole_or_in_part(file_format: str) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0131] = "a description", "a program"
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    assert told(_with_exif(file_format, block)) == ""
    assert "EXIF cannot be read and was left out" in told(_with_exif(file_format, b"XX" + block[2:]))
    assert block[18:22] == b"\0\0\0\x26"  # where the description lies
    assert "Parts of the photo's EXIF" in told(_with_exif(file_format, block[:18] + b"\1" + block[19:]))


def _with_exif(file_format: str, block: bytes) -> bytes:
    plain = carried.saved(PICTURE, file_format)
    if file_format == "PNG":
        return carried.with_chunks(plain, carried.chunk(b"eXIf", block))
    if file_format == "JPEG":
        return plain[:2] + struct.pack(">BBH", 0xFF, 0xE1, len(block) + 8) + b"Exif\0\0" + block + plain[2:]
    return carried.saved(PICTURE, file_format, exif=block)


def test_light_levels_of_hdr() -> None:
    plain = carried.saved(PICTURE, "PNG")
    assert "light levels" in told(carried.with_chunks(plain, carried.chunk(b"cLLI", bytes(8))))


def test_gray_that_becomes_rgb() -> None:
    photo = open_photo(carried.saved(GRAY, "PNG"))
    assert "gray" in left_out(NO_METADATA, "webp", photo.gray)[0]
    assert left_out(NO_METADATA, "tiff", photo.gray) == ()
