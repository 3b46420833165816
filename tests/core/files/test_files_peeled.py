"""Peeled photos read back with other libraries: OpenEXR, zipfile and Pillow."""

import io
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import OpenEXR
import pytest
from fakes import FlatEngine
from layered_scenes import FRONT_Z, HEIGHT, MIDDLE_Z, WALL_Z, WIDTH, cards
from PIL import Image
from test_photo import wide_gamut_profile

from core.editing.memo import Memo
from core.editing.peel import peel
from core.errors import InvalidInput
from core.files.exr_bands import encode_exr_bands
from core.files.peeled import channel_names, encode_peeled_exr, encode_peeled_ora
from core.maths.colour import coded_pixels, linear_light
from core.types.peeled import Peeled

NAMES = ["layer03_Background", "layer02_Middle_card", "layer01_Front_card"]


def peeled(dtype: type = np.uint8) -> Peeled:
    return peel(cards(dtype).project, FlatEngine(), Memo())


@pytest.fixture(scope="module")
def stack() -> Peeled:
    return peeled()


def channels(data: bytes) -> dict[str, np.ndarray]:
    with OpenEXR.File(io.BytesIO(data), separate_channels=True) as picture:
        return {name: np.array(channel.pixels) for name, channel in picture.channels().items()}


def light(found: dict[str, np.ndarray], name: str) -> np.ndarray:
    return np.stack([found[f"{name}.{channel}"] for channel in "RGB"], axis=-1).astype(np.float64)


def test_channels_are_named_by_layer_and_hold_half_colours_and_float_depth(stack: Peeled) -> None:
    found = channels(encode_peeled_exr(stack))
    assert channel_names(stack) == NAMES
    assert set(found) == set("RGBAZ") | {f"{name}.{channel}" for name in NAMES for channel in "RGBAZ"}
    for name, plane in found.items():
        assert plane.shape == (HEIGHT, WIDTH)
        assert plane.dtype == (np.float32 if name.endswith("Z") else np.float16)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_layers_over_each_other_in_linear_light_show_the_photo(dtype: type) -> None:
    stack = peeled(dtype)
    found = channels(encode_peeled_exr(stack))
    canvas = np.zeros((HEIGHT, WIDTH, 3))
    for name in NAMES:
        colour, alpha = light(found, name), found[f"{name}.A"].astype(np.float64)
        assert colour.min() >= 0
        assert alpha.max() <= 1
        canvas = colour + (1 - alpha[..., None]) * canvas
    shown = coded_pixels(canvas.astype(np.float32), np.dtype(dtype))
    most = 0 if dtype == np.uint8 else 4
    assert np.abs(shown.astype(int) - stack.photo.pixels).max() <= most
    main = np.stack([found[channel] for channel in "RGB"], axis=-1).astype(np.float32)
    assert np.abs(main - linear_light(stack.photo.pixels)).max() < 1e-3


def test_opaque_pixels_are_the_photos_linear_light(stack: Peeled) -> None:
    found = channels(encode_peeled_exr(stack))
    inside = (slice(60, 120), slice(130, 180))
    expected = linear_light(stack.photo.pixels)[inside]
    assert (found["layer01_Front_card.A"][inside] == 1).all()
    assert np.abs(light(found, "layer01_Front_card")[inside] - expected).max() < 5e-4


def test_depth_is_each_layers_own_and_the_nearest_in_the_main_channel(stack: Peeled) -> None:
    found = channels(encode_peeled_exr(stack))
    for name, z in zip(NAMES, (WALL_Z, MIDDLE_Z, FRONT_Z), strict=True):
        plane, alpha = found[f"{name}.Z"], found[f"{name}.A"]
        assert np.allclose(plane[alpha == 1], z, rtol=1e-3)
        assert (plane[alpha == 0] == 0).all()
    assert found["Z"][90, 150] == pytest.approx(FRONT_Z, rel=1e-3)
    assert found["Z"][140, 70] == pytest.approx(MIDDLE_Z, rel=1e-3)
    assert found["Z"][10, 10] == pytest.approx(WALL_Z, rel=1e-3)


def test_a_photo_of_another_profile_comes_in_srgb_light(stack: Peeled) -> None:
    swapped = replace(stack, photo=replace(stack.photo, icc_profile=wide_gamut_profile(), id=""))
    found = channels(encode_peeled_exr(swapped))
    red, blue = (float(found[f"layer01_Front_card.{channel}"][90, 150]) for channel in "RB")
    assert blue > 0.5 > 5 * red  # its profile says that red means blue


def test_open_raster_holds_the_layers_with_their_depth_in_their_names(stack: Peeled) -> None:
    with zipfile.ZipFile(io.BytesIO(encode_peeled_ora(stack))) as archive:
        image = ElementTree.fromstring(archive.read("stack.xml"))
        listed = image.findall("stack/layer")
        assert [one.get("name") for one in listed] == [
            "Front card, 2.00 m",
            "Middle card, 3.00 m",
            "Background, 5.00 m",
        ]
        canvas = np.zeros((HEIGHT, WIDTH, 3))
        for one in reversed(listed):
            picture = np.asarray(Image.open(io.BytesIO(archive.read(one.get("src") or ""))).convert("RGBA"))
            x, y = int(one.get("x") or 0), int(one.get("y") or 0)
            share = picture[..., 3:] / 255
            window = canvas[y : y + picture.shape[0], x : x + picture.shape[1]]
            window[:] = np.rint(share * picture[..., :3] + (1 - share) * window)
        merged = np.asarray(Image.open(io.BytesIO(archive.read("mergedimage.png"))).convert("RGB"))
    assert np.array_equal(canvas, stack.photo.pixels)
    assert np.array_equal(merged, stack.photo.pixels)


def test_names_are_plain_unique_and_short_enough_for_every_reader(stack: Peeled) -> None:
    labels = ["Tasse. à café / rouge, très grande et longue", "日本", "a b"]
    named = replace(
        stack, layers=tuple(replace(one, name=label) for one, label in zip(stack.layers, labels, strict=True))
    )
    names = channel_names(named)
    assert names == ["layer03_Tasse_caf_rouge_tr_s", "layer02", "layer01_a_b"]
    assert max(len(f"{name}.R") for name in names) <= 31
    assert set(names) <= {key.split(".")[0] for key in channels(encode_peeled_exr(named))}


@pytest.mark.parametrize("size", [(1, 1), (7, 16), (33, 50)])
def test_bands_are_read_by_the_formats_own_library(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    width, height = size
    planes = {
        "b.Z": rng.normal(0, 100, (height, width)).astype(np.float32),
        "A": rng.random((height, width)).astype(np.float16),
        "a" * 40: np.zeros((height, width), np.float32),
    }
    kinds = {name: plane.dtype for name, plane in planes.items()}
    data = encode_exr_bands(width, height, kinds, lambda first, last: {k: v[first:last] for k, v in planes.items()})
    found = channels(data)
    assert set(found) == set(planes)
    for name, plane in planes.items():
        assert found[name].dtype == plane.dtype
        assert np.array_equal(found[name], plane)


def test_other_numbers_are_refused() -> None:
    with pytest.raises(InvalidInput, match="floats"):
        encode_exr_bands(4, 4, {"R": np.dtype(np.uint8)}, lambda first, last: {})
    with pytest.raises(InvalidInput, match="floats"):
        encode_exr_bands(4, 4, {}, lambda first, last: {})
