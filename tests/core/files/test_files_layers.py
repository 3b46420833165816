import io
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest

from core.errors import InvalidInput
from core.files.layers import Layer, LayerStack, encode_ora
from core.files.photo import open_photo
from core.files.picture import Picture

RNG = np.random.default_rng(6)


def picture(height: int, width: int, dtype: type = np.uint8) -> Picture:
    values = RNG.integers(0, np.iinfo(dtype).max, (height, width, 4), dtype=dtype, endpoint=True)
    return Picture(values[..., :3], values[..., 3])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_layers_come_back_in_order_with_place_name_and_pixels(dtype):
    plate, cup, merged = picture(300, 600, dtype), picture(20, 30, dtype), picture(300, 600, dtype)
    layers = (Layer("background", plate), Layer('cup <1> "&" \x07', cup, 5, 7, visible=False))
    with zipfile.ZipFile(io.BytesIO(encode_ora(LayerStack(layers, merged)))) as archive:
        names = archive.namelist()
        assert names[0] == "mimetype"
        assert archive.getinfo("mimetype").compress_type == zipfile.ZIP_STORED
        assert archive.read("mimetype") == b"image/openraster"
        image = ElementTree.fromstring(archive.read("stack.xml"))
        assert (image.tag, image.get("w"), image.get("h")) == ("image", "600", "300")
        top, bottom = image.findall("stack/layer")
        assert bottom.get("name") == "background"
        assert (top.get("x"), top.get("y"), top.get("visibility")) == ("5", "7", "hidden")
        assert (top.get("name") or "").startswith('cup <1> "&"')
        for element, layer in ((top, cup), (bottom, plate)):
            photo = open_photo(archive.read(element.get("src") or ""))
            assert np.array_equal(photo.pixels, layer.pixels)
            assert photo.alpha is not None
            assert np.array_equal(photo.alpha, layer.alpha)
        assert np.array_equal(open_photo(archive.read("mergedimage.png")).pixels, merged.pixels)
        thumbnail = open_photo(archive.read("Thumbnails/thumbnail.png"))
        assert (thumbnail.width, thumbnail.height, thumbnail.bit_depth) == (256, 128, 8)


def test_small_and_thin_pictures_have_a_thumbnail():
    for size in ((1, 1), (1, 3000)):
        data = encode_ora(LayerStack((Layer("a", picture(*size)),), picture(*size)))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert open_photo(archive.read("Thumbnails/thumbnail.png")).width <= 256


def test_no_layers_is_refused_and_bytes_are_deterministic():
    stack = LayerStack((Layer("a", picture(8, 8)),), picture(8, 8))
    assert encode_ora(stack) == encode_ora(stack)
    with pytest.raises(InvalidInput, match="no layer"):
        encode_ora(LayerStack((), picture(8, 8)))


def test_a_layer_that_multiplies_says_so():
    layers = (Layer("floor", picture(8, 8)), Layer("shadow", picture(4, 4), 2, 2, multiplies=True))
    with zipfile.ZipFile(io.BytesIO(encode_ora(LayerStack(layers, picture(8, 8))))) as archive:
        image = ElementTree.fromstring(archive.read("stack.xml"))
    assert [element.get("composite-op") for element in image.findall("stack/layer")] == ["svg:multiply", "svg:src-over"]
