"""XMP that is too long for a segment of JPEG: written as an extension, read by its name, left out alone when torn."""

import carried
import pytest
from PIL import Image

from core.files.carrying import left_out
from core.files.jpeg import segments, with_metadata
from core.files.photo import open_photo
from core.types.metadata import Metadata

WORDS = b"".join(b"%07d" % number for number in range(20_000))
HISTORY = b"<dc:format xmlns:dc='http://purl.org/dc/elements/1.1/'>%s</dc:format></rdf:Description>" % WORDS
PACKET = carried.XMP.encode().replace(b"ORIENTATION", b"1")
LONG = Metadata(xmp=PACKET.replace(b"</rdf:Description>", HISTORY, 1))
EXTENSION = b"http://ns.adobe.com/xmp/extension/"


@pytest.fixture(scope="module")
def extended() -> bytes:
    return with_metadata(carried.saved(Image.new("RGB", (24, 16)), "JPEG"), LONG)


def parts(data: bytes) -> list[bytes]:
    """The segments of the extension, whole."""
    found = [body for _, body in segments(data) if body.startswith(EXTENSION)]
    return [b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body for body in found]


def test_it_is_written_in_parts_and_read_back(extended: bytes) -> None:
    photo = open_photo(extended)
    assert len(parts(extended)) == 3
    assert WORDS in (photo.metadata.xmp or b"")
    assert b"HasExtendedXMP" not in (photo.metadata.xmp or b"")
    assert photo.notices == left_out(LONG, "jpeg") == ()


def test_an_extension_that_another_program_left_behind_is_not_mixed_in(extended: bytes) -> None:
    (first, *_) = parts(extended)
    name = first[4 + len(EXTENSION) + 1 :][:32]
    older = first.replace(name, b"0" * 32).replace(WORDS[:700], b"9" * 700)
    data = extended[:2] + older + extended[2:]
    assert open_photo(data).metadata.xmp == open_photo(extended).metadata.xmp


def test_the_packet_is_kept_when_its_extension_is_torn(extended: bytes) -> None:
    names = b'xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="%s" aux:SerialNumber'
    (first, *_) = parts(extended)
    named = PACKET.replace(b"aux:SerialNumber", names % first[4 + len(EXTENSION) + 1 :][:32], 1)
    torn = with_metadata(carried.saved(Image.new("RGB", (24, 16)), "JPEG"), Metadata(xmp=named))
    photo = open_photo(torn[:2] + first + torn[2:])
    assert photo.notices == ("The extension of the photo's XMP cannot be read and was left out.",)
    assert b"SerialNumber" in (photo.metadata.xmp or b"")
