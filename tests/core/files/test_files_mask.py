import io

import cv2
import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidInput
from core.files.exr import encode_exr
from core.files.mask import encode_mask, read_mask, read_object_ids
from core.files.npy import encode_npy
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


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_another_size_is_refused_before_anything_is_decoded(file_format, monkeypatch):
    monkeypatch.delattr("core.files.mask.open_photo")
    monkeypatch.delattr("core.files.mask._opened")
    stream = io.BytesIO()
    Image.new("L", (64, 48)).save(stream, file_format)
    with pytest.raises(InvalidInput, match="is 64x48 and the photo is 14x9"):
        read_mask(stream.getvalue(), 14, 9)


def test_a_mask_of_very_many_chunks_is_refused_and_not_read_through():
    data = png(Image.fromarray(COVERAGE))
    text = b"\0\0\0\3tEXta\0b\xac\x9c\xb1\x1e"
    with pytest.raises(InvalidInput, match="damaged"):
        read_mask(data[:33] + text * 200_001 + data[33:], 14, 9)


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


SHAPE = np.zeros((9, 14), bool)
SHAPE[2:6, 3:11] = True
OBJECT = np.where(SHAPE, 255, 0)


def tiff(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "TIFF")
    return stream.getvalue()


def paletted(indices: np.ndarray, *colours: tuple[int, int, int]) -> bytes:
    picture = Image.fromarray(indices.astype(np.uint8)).convert("P")
    picture = Image.frombytes("P", picture.size, indices.astype(np.uint8).tobytes())
    picture.putpalette([value for colour in colours for value in colour])
    return png(picture)


def deep(levels: np.ndarray) -> bytes:
    return cv2.imencode(".png", levels.astype(np.uint16))[1].tobytes()


def marked(value: int) -> np.ndarray:
    return np.where(SHAPE, value, 0).astype(np.uint8)


@pytest.mark.parametrize(
    "data",
    [
        png(Image.fromarray(marked(1))),
        png(Image.fromarray(marked(38))),
        png(Image.fromarray(marked(200))),
        png(Image.fromarray(SHAPE)),
        tiff(Image.fromarray(SHAPE)),
        tiff(Image.fromarray(SHAPE.astype(np.float32))),
        tiff(Image.fromarray(SHAPE.astype(np.int32))),
        deep(marked(1)),
        deep(marked(255)),
        deep(SHAPE * 65535),
        paletted(SHAPE, (0, 0, 0), (128, 0, 0)),
        paletted(SHAPE * 15, *[(0, 0, 0)] * 15, (0, 64, 128)),
        paletted(SHAPE, (0, 0, 0), (1, 1, 1)),
        paletted(SHAPE, (0, 0, 0), (255, 255, 255)),
        paletted(~SHAPE, (255, 255, 255), (0, 0, 0)),
        png(Image.fromarray(np.dstack([marked(128), marked(0), marked(0)]))),
        png(Image.fromarray(np.dstack([np.zeros((9, 14, 3), np.uint8), marked(255)]))),
        png(Image.fromarray(np.dstack([np.zeros((9, 14, 3), np.uint8), marked(1)]))),
        png(Image.fromarray(np.dstack([marked(255)] * 3 + [np.zeros((9, 14), np.uint8)]))),
        encode_npy(SHAPE),
        encode_npy(SHAPE.astype(np.float64)),
        encode_npy(SHAPE.astype(np.int64)),
        encode_npy(np.where(SHAPE, np.float32(1), np.float32(np.nan))),
        encode_exr({"Y": SHAPE.astype(np.float32)}),
    ],
)
def test_a_mask_of_one_object_is_read_as_it_is_meant(data):
    assert (read_mask(data, 14, 9).coverage == OBJECT).all()


def test_soft_floats_are_coverage():
    share = np.linspace(0, 1, 9 * 14).reshape(9, 14).astype(np.float32)
    for data in (encode_npy(share), tiff(Image.fromarray(share)), encode_exr({"A": share})):
        assert (read_mask(data, 14, 9).coverage == np.rint(255 * share)).all()


LABELS = marked(1)
LABELS[7:, :4] = 2
LABELS[7:, 8:] = 5


@pytest.mark.parametrize(
    "data",
    [
        png(Image.fromarray(LABELS)),
        deep(LABELS),
        paletted(LABELS, (0, 0, 0), (128, 0, 0), (0, 128, 0), (9, 9, 9), (9, 9, 9), (0, 0, 128)),
        encode_npy(LABELS),
    ],
)
def test_several_labels_are_told_and_one_can_be_chosen(data):
    with pytest.raises(InvalidInput, match=r"3 labels \(1, 2, 5\)"):
        read_mask(data, 14, 9)
    assert (read_mask(data, 14, 9, label=2).coverage == np.where(LABELS == 2, 255, 0)).all()
    with pytest.raises(InvalidInput, match=r"has no label 3; it has 1, 2, 5"):
        read_mask(data, 14, 9, label=3)


def test_the_void_border_of_a_palette_is_no_label():
    bordered = LABELS * (LABELS == 1)
    bordered[1, 3:11] = 255
    data = paletted(bordered, *[(number, 0, 255 - number) for number in range(256)])
    assert (read_mask(data, 14, 9).coverage == OBJECT).all()


def test_several_colours_are_told():
    coloured = np.dstack([marked(200), np.roll(marked(200), 2, axis=0), marked(0)])
    with pytest.raises(InvalidInput, match="3 colours"):
        read_mask(png(Image.fromarray(coloured)), 14, 9)


def test_only_what_is_empty_is_called_so():
    for empty in (png(Image.new("L", (14, 9))), encode_npy(np.zeros((9, 14))), deep(marked(0))):
        with pytest.raises(InvalidInput, match="is empty"):
            read_mask(empty, 14, 9)
    faint = (np.arange(9 * 14).reshape(9, 14) * 100 // 126).astype(np.uint8)
    with pytest.raises(InvalidInput, match="more than 39 % covered"):
        read_mask(png(Image.fromarray(faint)), 14, 9)


def test_numbers_of_another_kind_are_refused():
    for data in (encode_npy(np.zeros(4)), encode_npy(np.zeros((2, 3, 4))), encode_npy(np.zeros((0, 4)))):
        with pytest.raises(InvalidInput, match="shape"):
            read_mask(data, 14, 9)
