"""What a photo carries, from every format into every format: it comes out, or its loss is told."""

from collections.abc import Callable
from functools import cache

import carried
import numpy as np
import pytest

from core.files.carrying import left_out
from core.files.directories import EXIF_POINTER, GPS_POINTER, INTEROP_POINTER, MAKER_NOTE, Directory
from core.files.exif import ORIENTATION, read_exif
from core.files.formats import format_named
from core.files.jpeg import COMMENT_KEYWORD, comment_texts
from core.files.photo import open_photo
from core.files.photoshop import iptc_of
from core.files.picture import picture_of
from core.types.metadata import Metadata
from core.types.photo import Photo

INPUTS = ("JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF")
OUTPUTS = ("jpeg", "png", "tiff", "tiff-8", "tiff-16", "webp")


@cache
def source(file_format: str) -> Photo:
    return open_photo(carried.sample(file_format))


@cache
def result(file_format: str, output: str) -> Photo:
    (data,) = format_named(output).encode(picture_of(source(file_format)), "x").values()
    return open_photo(data)


def directory(photo: Photo, *path: int) -> dict[int, tuple[int, int, bytes]]:
    """Tags of an EXIF directory with type, count and bytes; without the resolution, which is a field of its own."""
    exif = read_exif(photo.metadata.exif)
    found = Directory() if exif is None else exif.first
    for pointer in path:
        found = found.beneath(pointer)
    return {e.tag: (e.type, e.count, e.data) for e in found.entries.values() if e.tag not in (0x11A, 0x11B, 0x128)}


def dots(photo: Photo) -> tuple[int, int] | None:
    found = photo.metadata.resolution
    return None if found is None else tuple(round(value) for value in found.per("inch"))


def texts(photo: Photo) -> set[tuple[str, str]]:
    return {(text.keyword, text.text) for text in photo.metadata.texts if text.keyword != COMMENT_KEYWORD}


def comments(photo: Photo) -> set[str]:
    found = (*photo.metadata.texts, *comment_texts(photo.metadata))
    return {text.text for text in found if text.keyword == COMMENT_KEYWORD}


def maker_note_place(photo: Photo) -> int | None:
    exif = read_exif(photo.metadata.exif)
    note = None if exif is None else exif.first.beneath(EXIF_POINTER).entries.get(MAKER_NOTE)
    return None if note is None else note.place


# Each field, how it is read from an opened photo, and the word by which its loss is told.
FIELDS: dict[str, tuple[Callable[[Photo], object], str]] = {
    "EXIF": (directory, "EXIF"),
    "EXIF details": (lambda photo: directory(photo, EXIF_POINTER), "EXIF"),
    "GPS": (lambda photo: directory(photo, GPS_POINTER), "EXIF"),
    "Interop": (lambda photo: directory(photo, EXIF_POINTER, INTEROP_POINTER), "EXIF"),
    "maker note's place": (maker_note_place, "EXIF"),
    "XMP": (lambda photo: photo.metadata.xmp, "XMP"),
    "IPTC": (lambda photo: iptc_of(photo.metadata.photoshop), "IPTC"),
    "texts": (texts, "Title"),
    "comment": (comments, "omment"),
    "resolution": (dots, "resolution"),
    "profile": (lambda photo: photo.icc_profile, "profile"),
    "focal length": (lambda photo: photo.focal_35mm, "EXIF"),
}
NOT_HELD: dict[str, set[str]] = {
    "JPEG": {"texts"},
    "PNG": set(),
    "TIFF": {"texts", "comment"},
    "WEBP": {"texts", "comment", "IPTC", "resolution"},
    "HEIF": {"texts", "comment", "IPTC", "resolution"},
    # Pillow, which writes the sample, makes its EXIF anew.
    "AVIF": {"texts", "comment", "IPTC", "resolution", "EXIF", "EXIF details", "maker note's place"},
}


@pytest.mark.parametrize("file_format", INPUTS)
def test_what_a_file_holds_is_read_whole(file_format):
    photo = source(file_format)
    told = carried.metadata()
    expected = Photo("x", photo.pixels, photo.srgb, None, file_format, carried.PROFILE, told, 28.0)
    for field, (read, _) in FIELDS.items():
        assert field in NOT_HELD[file_format] or read(photo) == read(expected), field


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("file_format", INPUTS)
def test_every_field_is_carried_or_its_loss_is_told(file_format, output):
    before, after = source(file_format), result(file_format, output)
    told = " ".join(left_out(before.metadata, output))
    for field, (read, word) in FIELDS.items():
        if read(before) != read(after):
            assert word in told, field
        elif read(before):
            assert word not in told or word in ("EXIF", "XMP"), field
    if output != "jpeg" and before.bit_depth == after.bit_depth:
        assert np.array_equal(before.pixels, after.pixels)


@pytest.mark.parametrize("output", OUTPUTS)
def test_only_what_cannot_be_held_is_told(output):
    assert left_out(Metadata(exif=carried.exif(), xmp=carried.XMP.encode()), output) == ()
    everything = " ".join(left_out(carried.metadata(), output))
    expected = {"png": (), "jpeg": ("Title", "Author"), "webp": ("IPTC", "comment", "Title")}.get(
        output, ("comment", "Title")
    )
    assert all(word in everything for word in expected)
    assert bool(everything) == bool(expected)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", [3, 6])
def test_turned_photos_say_that_they_are_upright(file_format, output, orientation):
    photo = open_photo(carried.sample(file_format, orientation))
    (data,) = format_named(output).encode(picture_of(photo), "x").values()
    again = open_photo(data)
    assert (photo.width, photo.height) == ((16, 24) if orientation == 6 else (24, 16))
    assert again.pixels.shape == photo.pixels.shape
    assert directory(again)[ORIENTATION][2] == b"\0\1"
    assert b'Orientation="1"' in (again.metadata.xmp or b"")
    if file_format != "WEBP":
        assert dots(again) == ((150, 300) if orientation == 6 else (300, 150))
