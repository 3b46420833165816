"""What is known of a picture before it is decoded."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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


def test_what_only_decoding_tells_is_unknown(tmp_path: Path) -> None:
    assert read_header(b"no picture at all") is None
    assert read_header(encoded("JPEG", 1)[:30]) is None
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_header(tmp_path / "missing.jpg")
