"""Depth Anything V2 and Depth Pro with tiny random networks in the released file formats."""

import json
import socket
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_hub
import torch
from safetensors.torch import load_file, save_file

from core.errors import Cancelled, InvalidInput
from core.maths.camera import fov_deg, intrinsics_from_fov, intrinsics_of_photo
from core.perception.depth.depth_anything import DepthAnything
from core.perception.depth.depth_pro import DepthPro
from core.perception.pretrained import IMAGENET, Stoppable, as_input, load_pretrained
from core.types.photo import Photo
from core.types.protocols import BackendInfo, CancelToken

INFO = BackendInfo("tiny", "Tiny network", "MIT")


def noise(width: int = 160, height: int = 120, focal_35mm: float | None = None) -> Photo:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Photo("noise", pixels, pixels, focal_35mm=focal_35mm)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hub")
    tiny_hub.save_depth_anything(path / "relative")
    tiny_hub.save_depth_anything(path / "metric", 20)
    tiny_hub.save_depth_pro(path / "pro")
    return path


@pytest.fixture(params=["relative", "metric", "pro"])
def backend(request: pytest.FixtureRequest, folder: Path) -> DepthAnything | DepthPro:
    kind = DepthPro if request.param == "pro" else DepthAnything
    return kind(INFO, folder / request.param)


@pytest.fixture
def pro(folder: Path) -> DepthPro:
    return DepthPro(INFO, folder / "pro")


@pytest.mark.parametrize(("width", "height"), [(160, 120), (16, 40), (3, 700), (700, 3), (2000, 900)])
def test_depth_is_positive_and_has_the_photos_aspect(
    backend: DepthAnything | DepthPro, width: int, height: int
) -> None:
    photo = noise(width, height)
    estimate = backend.estimate(photo, intrinsics_of_photo(photo), CancelToken())
    depth = estimate.depth
    assert depth.valid.all()
    assert depth.values.min() > 0
    assert abs(depth.width * height - depth.height * width) <= max(width, height)
    assert (estimate.intrinsics.width, estimate.intrinsics.height) == (width, height)
    again = backend.estimate(photo, intrinsics_of_photo(photo), CancelToken())
    assert depth.id == again.depth.id


def test_the_scale_says_what_is_known(folder: Path) -> None:
    photo = noise()
    for name, scale, source in (
        ("relative", "relative", "Tiny network, range assumed"),
        ("metric", "metric", "Tiny network"),
    ):
        depth = DepthAnything(INFO, folder / name).estimate(photo, intrinsics_of_photo(photo), CancelToken()).depth
        assert (depth.scale, depth.source) == (scale, source)


def flat(value: float, fov: float = 60.0):
    """A network that says the same everywhere, in the packages' words."""
    return lambda cancel, pixels: SimpleNamespace(
        predicted_depth=torch.full((1, *pixels.shape[2:]), value), field_of_view=torch.tensor([fov])
    )


def test_metres_stay_metres(folder: Path) -> None:
    backend, photo = DepthAnything(INFO, folder / "metric"), noise()
    backend._network = flat(3.5)
    values = backend.estimate(photo, intrinsics_of_photo(photo), CancelToken()).depth.values
    np.testing.assert_allclose(values, 3.5, rtol=1e-5)


def test_a_flat_relative_answer_is_refused(folder: Path) -> None:
    backend, photo = DepthAnything(INFO, folder / "relative"), noise()
    backend._network = flat(0.0)
    with pytest.raises(InvalidInput, match="flat"):
        backend.estimate(photo, intrinsics_of_photo(photo), CancelToken())


def test_without_a_known_lens_depth_pro_tells_its_own(pro: DepthPro) -> None:
    pro._network = flat(0.5, fov=60.0)
    photo = noise(160, 120)
    estimate = pro.estimate(photo, intrinsics_of_photo(photo), CancelToken())
    assert fov_deg(estimate.intrinsics) == pytest.approx(60.0)
    # As in the paper: depth is the focal length over canonical inverse depth times the width.
    np.testing.assert_allclose(estimate.depth.values, estimate.intrinsics.fx / (0.5 * 160), rtol=1e-5)


def test_its_angle_is_across_the_width_of_an_upright_photo(pro: DepthPro) -> None:
    pro._network = flat(0.5, fov=60.0)
    photo = noise(120, 160)
    intrinsics = pro.estimate(photo, intrinsics_of_photo(photo), CancelToken()).intrinsics
    assert intrinsics.fx == pytest.approx(60 / np.tan(np.radians(30)))


@pytest.mark.parametrize("known", ["by the photo", "by the caller"])
def test_a_known_lens_is_used(pro: DepthPro, known: str) -> None:
    pro._network = flat(0.5, fov=60.0)
    photo = noise(focal_35mm=28.0 if known == "by the photo" else None)
    lens = intrinsics_of_photo(photo) if known == "by the photo" else intrinsics_from_fov(35.0, 160, 120)
    estimate = pro.estimate(photo, lens, CancelToken())
    assert estimate.intrinsics == lens
    np.testing.assert_allclose(estimate.depth.values, lens.fx / (0.5 * 160), rtol=1e-5)


def test_pictures_are_seen_as_the_packages_processor_makes_them(folder: Path) -> None:
    from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil

    backend = DepthAnything(INFO, folder / "metric")
    processor = DPTImageProcessorPil(
        size={"height": tiny_hub.DEPTH_ANYTHING_SIDE, "width": tiny_hub.DEPTH_ANYTHING_SIDE},
        keep_aspect_ratio=True, ensure_multiple_of=14, image_mean=list(IMAGENET[0]), image_std=list(IMAGENET[1]),
    )  # fmt: skip
    seen = []
    backend._network = lambda cancel, pixels: seen.append(pixels) or flat(1.0)(cancel, pixels)
    for width, height in ((160, 120), (90, 160), (40, 30), (100, 60), (70, 70)):
        photo = noise(width, height)
        backend.predict(photo, CancelToken())
        theirs = processor(photo.srgb, return_tensors="pt")["pixel_values"]
        torch.testing.assert_close(seen[-1], theirs, atol=1e-4, rtol=0)


def test_a_panorama_is_not_seen_larger_than_twice_the_released_side(folder: Path) -> None:
    backend = DepthAnything(INFO, folder / "metric")
    assert backend.input_size(8000, 1000) == (140, 14)
    assert backend.input_size(1, 4000) == (14, 70)


def test_cancel_ends_between_layers(backend: DepthAnything | DepthPro) -> None:
    cancel, photo = CancelToken(), noise()
    layers = list(backend._network.network.modules())
    seen: list[int] = []

    def stop(*_) -> None:
        seen.append(1)
        cancel.cancel()

    hook = layers[3].register_forward_pre_hook(stop)
    with pytest.raises(Cancelled):
        backend.estimate(photo, intrinsics_of_photo(photo), cancel)
    hook.remove()
    assert seen == [1]
    assert not any(layer._forward_pre_hooks for layer in layers)
    backend.estimate(photo, intrinsics_of_photo(photo), CancelToken())


def test_stoppable_gives_the_networks_answer() -> None:
    double = torch.nn.Linear(2, 2)
    ones = torch.ones(1, 2)
    assert torch.equal(Stoppable(double)(CancelToken(), ones), double(ones))


def test_loading_never_asks_the_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    assert load_pretrained("DepthProForDepthEstimation", folder / "pro").training is False


def copied(folder: Path, target: Path) -> Path:
    target.mkdir()
    for file in folder.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


def test_pickled_weights_are_not_looked_at(folder: Path, tmp_path: Path) -> None:
    place = copied(folder / "metric", tmp_path / "model")
    torch.save(load_file(place / "model.safetensors"), place / "pytorch_model.bin")
    (place / "model.safetensors").unlink()
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_pretrained("DepthAnythingForDepthEstimation", place)


def test_a_lacking_weight_is_never_made_up(folder: Path, tmp_path: Path) -> None:
    place = copied(folder / "metric", tmp_path / "model")
    tensors = load_file(place / "model.safetensors")
    del tensors["head.conv3.weight"]
    save_file(tensors, place / "model.safetensors", {"format": "pt"})
    with pytest.raises(InvalidInput, match=r"lacks 1 weights of .*head\.conv3\.weight"):
        load_pretrained("DepthAnythingForDepthEstimation", place)


@pytest.mark.parametrize("damage", ["short", "other sizes", "no config", "config of another", "not json"])
def test_a_damaged_folder_is_one_sentence(folder: Path, tmp_path: Path, damage: str) -> None:
    place = copied(folder / "metric", tmp_path / "model")
    if damage == "short":
        (place / "model.safetensors").write_bytes((place / "model.safetensors").read_bytes()[:3000])
    elif damage == "other sizes":
        config = json.loads((place / "config.json").read_text())
        (place / "config.json").write_text(json.dumps({**config, "fusion_hidden_size": 24}))
    elif damage == "no config":
        (place / "config.json").unlink()
    elif damage == "config of another":
        (place / "config.json").write_text('{"model_type": "depth_anything", "patch_size": "x"}')
    else:
        (place / "config.json").write_text("{")
    with pytest.raises(InvalidInput, match=r"fetch it again\.$"):
        load_pretrained("DepthAnythingForDepthEstimation", place)


@pytest.mark.parametrize("extra", [{"auto_map": {"AutoModel": "evil.Model"}}, {"use_pretrained_backbone": True}])
def test_a_configuration_that_asks_for_more_is_refused(folder: Path, tmp_path: Path, extra: dict) -> None:
    place = copied(folder / "metric", tmp_path / "model")
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**config, **extra}))
    with pytest.raises(InvalidInput, match="from elsewhere"):
        load_pretrained("DepthAnythingForDepthEstimation", place)


def test_colours_are_taken_off() -> None:
    picture = np.full((2, 3, 3), 255, np.uint8)
    seen = as_input(picture, ((0.5, 0.25, 0.0), (0.5, 0.75, 2.0)))
    assert seen.shape == (1, 3, 2, 3)
    assert seen[0, :, 0, 0].tolist() == [1.0, 1.0, 0.5]
