"""What is known of a picture before it is decoded."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.errors import InvalidInput
from core.files.header import Header, read_header

PICTURE = Image.fromarray(np.zeros((6, 8, 3), np.uint8))


def encoded(file_format: str, orientation: int) -> bytes:
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    PICTURE.save(stream, file_format, exif=exif)
    return stream.getvalue()


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_size_and_orientation_are_those_of_the_stored_picture(tmp_path: Path, file_format: str) -> None:
    data = encoded(file_format, 6)
    assert read_header(data) == Header(file_format, 8, 6, 6, "RGB")
    path = tmp_path / "named.wrongly"
    path.write_bytes(data)
    assert read_header(path) == read_header(data)


def test_a_picture_is_turned_by_what_the_studio_turns_it_by_and_nothing_else() -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="3"/>'
    stream = io.BytesIO()
    PICTURE.save(stream, "JPEG", xmp=packet + b"</x:xmpmeta>")
    assert read_header(stream.getvalue()) == Header("JPEG", 8, 6, 1, "RGB")
    exif = Image.Exif()
    exif[0x0112] = 3
    block = exif.tobytes()
    raw, stream = PngInfo(), io.BytesIO()
    raw.add_text("Raw profile type exif", f"\nexif\n{len(block):8}\n{block.hex()}\n")
    PICTURE.save(stream, "PNG", pnginfo=raw)
    assert read_header(stream.getvalue()) == Header("PNG", 8, 6, 3, "RGB")


def test_what_only_decoding_tells_is_unknown(tmp_path: Path) -> None:
    assert read_header(b"no picture at all") is None
    assert read_header(encoded("JPEG", 1)[:30]) is None
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_header(tmp_path / "missing.jpg")
