import io

import cv2
import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidInput
from core.files.mask import encode_mask, read_mask, read_object_ids
from core.types.mask import Mask

COVERAGE = np.random.default_rng(1).integers(0, 256, (9, 14), dtype=np.uint8)


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def test_mask_survives_bit_for_bit(tmp_path):
    path = tmp_path / "cup.png"
    path.write_bytes(encode_mask(Mask(COVERAGE)))
    again = read_mask(path, 14, 9)
    assert (again.coverage == COVERAGE).all()
    assert "cup.png" in again.source


def test_any_picture_is_taken_by_alpha_or_by_brightness():
    gray = Image.fromarray(COVERAGE)
    palette = Image.fromarray(COVERAGE).convert("P")
    rgba = Image.merge("RGBA", (gray, gray, gray, Image.fromarray(255 - COVERAGE)))
    opaque = Image.merge("RGBA", (gray, gray, gray, Image.new("L", gray.size, 255)))
    assert (read_mask(png(palette), 14, 9).coverage == COVERAGE).all()
    assert (read_mask(png(rgba), 14, 9).coverage == 255 - COVERAGE).all()
    assert (read_mask(png(opaque), 14, 9).coverage == COVERAGE).all()
    deep = cv2.imencode(".png", COVERAGE.astype(np.uint16) * 257)[1].tobytes()
    assert (read_mask(deep, 14, 9).coverage == COVERAGE).all()
    assert set(np.unique(read_mask(png(gray.convert("1")), 14, 9).coverage)) == {0, 255}


def test_another_size_is_refused_with_both_sizes():
    with pytest.raises(InvalidInput, match=r"m\.png is 14x9 and the photo is 9x14"):
        read_mask(encode_mask(Mask(COVERAGE)), 9, 14, "m.png")


def test_what_is_no_picture_is_refused():
    with pytest.raises(InvalidInput, match="can read"):
        read_mask(b"white", 14, 9, "m.png")


def test_object_numbers_are_read_as_stored_whatever_the_palette_shows(tmp_path):
    ids = np.array([[0, 1, 255], [7, 7, 2]], np.uint8)
    palette = Image.fromarray(ids)
    palette.putpalette(list(range(255, -1, -1)) * 3)
    for picture in (Image.fromarray(ids), palette):
        path = tmp_path / "ids.png"
        path.write_bytes(png(picture))
        assert (read_object_ids(path) == ids).all()
    path.write_bytes(png(Image.fromarray(ids).convert("RGB")))
    with pytest.raises(InvalidInput, match="RGB pixels"):
        read_object_ids(path)
    path.write_bytes(b"no picture")
    with pytest.raises(InvalidInput, match="is no picture"):
        read_object_ids(path)
