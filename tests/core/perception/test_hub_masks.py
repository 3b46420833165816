"""SAM and SAM 2.1 with tiny random networks in the released file formats."""

from pathlib import Path

import numpy as np
import pytest
import tiny_hub
import torch
from PIL import Image

from core.errors import InvalidInput
from core.perception.segmentation.promptable import Square, masks_of, placed
from core.perception.segmentation.sam import Sam, load_sam
from core.perception.segmentation.sam2 import Sam2
from core.types.mask import Box, Click, Mask, Prompt
from core.types.photo import Photo
from core.types.protocols import BackendInfo, Embedding

CLICKS = (Click(80, 60), Click(20, 60, False), Click(84, 61, False))


def noise(width: int = 160, height: int = 120) -> Photo:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Photo("noise", pixels, pixels)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hub")
    tiny_hub.save_sam(path / "sam.pth")
    tiny_hub.save_sam2(path / "sam2")
    return path


@pytest.fixture(scope="module")
def sam(folder: Path) -> Sam:
    return Sam(BackendInfo("sam-vit-b", "SAM", "Apache-2.0"), folder / "sam.pth")


@pytest.fixture(scope="module")
def sam2(folder: Path) -> Sam2:
    return Sam2(BackendInfo("sam2.1-tiny", "SAM 2.1", "Apache-2.0"), folder / "sam2")


@pytest.fixture(params=["sam", "sam2"])
def backend(request: pytest.FixtureRequest) -> Sam | Sam2:
    return request.getfixturevalue(request.param)


def test_a_lone_click_gets_three_candidates_and_a_clear_prompt_one(backend: Sam | Sam2) -> None:
    embedding = backend.prepare(noise())
    three = backend.segment(embedding, Prompt((Click(80, 60),)))
    assert len(three) == 3
    assert [mask.score for mask in three] == sorted((mask.score for mask in three), reverse=True)
    assert all(mask.coverage.shape == (120, 160) and mask.source == backend.info.title for mask in three)
    for prompt in (Prompt(CLICKS), Prompt(box=Box(40, 30, 120, 90)), Prompt(previous=three[0])):
        assert len(backend.segment(embedding, prompt)) == 1


def test_clicks_and_boxes_are_obeyed(backend: Sam | Sam2) -> None:
    embedding = backend.prepare(noise())
    (mask,) = backend.segment(embedding, Prompt(CLICKS, Box(10, 30, 120, 90)))
    for click in CLICKS:
        assert (mask.coverage[int(click.y), int(click.x)] >= 128) == click.positive
    assert not mask.coverage[:30].any()
    assert not mask.coverage[:, 121:].any()


def test_the_same_prompt_gives_the_same_masks_and_every_part_of_it_counts(backend: Sam | Sam2) -> None:
    first, again = (backend.prepare(noise()) for _ in range(2))
    earlier = np.zeros((120, 160), np.uint8)
    earlier[40:80, 60:100] = 255
    prompts = (Prompt(CLICKS), Prompt(CLICKS, Box(10, 30, 120, 90)), Prompt(CLICKS, previous=Mask(earlier)))
    found = [backend.segment(first, prompt)[0] for prompt in prompts]
    assert [mask.id for mask in found] == [backend.segment(again, prompt)[0].id for prompt in prompts]
    assert len({mask.score for mask in found}) == 3


@pytest.mark.parametrize(("width", "height"), [(16, 16), (1, 700), (700, 1), (1, 1), (2000, 900)])
def test_any_photo_size_works(backend: Sam | Sam2, width: int, height: int) -> None:
    embedding = backend.prepare(noise(width, height))
    x, y = width // 2, height // 2
    best = backend.segment(embedding, Prompt((Click(x, y),)))[0]
    assert best.coverage.shape == (height, width)
    assert best.coverage[y, x] >= 128


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt(),
        Prompt((Click(-5, 10),)),
        Prompt((Click(10, 10, False),)),
        Prompt(box=Box(50, 50, 20, 20)),
        Prompt(previous=Mask(np.zeros((120, 160), np.uint8))),
        Prompt((Click(10, 10),), previous=Mask(np.zeros((9, 9), np.uint8))),
    ],
)
def test_a_bad_prompt_is_refused_with_a_sentence(sam2: Sam2, prompt: Prompt) -> None:
    with pytest.raises(InvalidInput, match=r"\w+ \w+.*\.$"):
        sam2.segment(sam2.prepare(noise()), prompt)


def test_anothers_embedding_is_refused(sam: Sam, sam2: Sam2) -> None:
    with pytest.raises(InvalidInput, match=r"sam2\.1-tiny"):
        sam.segment(sam2.prepare(noise()), Prompt(CLICKS))
    with pytest.raises(InvalidInput, match="graphcut"):
        sam2.segment(Embedding("graphcut", "x", None, 0), Prompt(CLICKS))


def test_the_embedding_tells_its_photo_and_size(backend: Sam | Sam2) -> None:
    photo = noise()
    embedding = backend.prepare(photo)
    assert (embedding.backend, embedding.photo_id) == (backend.info.name, photo.id)
    assert embedding.size_bytes > photo.srgb.nbytes


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The logits of each answer, before edges are refined."""
    kept: list[np.ndarray] = []
    for module in ("sam", "sam2"):
        monkeypatch.setattr(
            f"core.perception.segmentation.{module}.masks_of", lambda logits, *_: kept.append(logits) or []
        )
    return kept


def test_sam_says_what_the_package_itself_says(folder: Path, sam: Sam, said: list[np.ndarray]) -> None:
    network = load_sam(folder / "sam.pth")
    network.pixel_mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
    network.pixel_std = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
    photo = noise(160, 120)
    seen = np.asarray(Image.fromarray(photo.srgb).resize((1024, 768), Image.Resampling.BILINEAR))
    # The package's own scaling of a click keeps pixel corners, ours pixel centres.
    told = network(
        [
            {
                "image": torch.from_numpy(seen.copy()).permute(2, 0, 1).float(),
                "original_size": (120, 160),
                "point_coords": torch.tensor([[[80.5 * 6.4 - 0.5, 60.5 * 6.4 - 0.5]]]),
                "point_labels": torch.tensor([[1]]),
            }
        ],
        multimask_output=True,
    )[0]
    sam.segment(sam.prepare(photo), Prompt((Click(80, 60),)))
    np.testing.assert_allclose(said[0], told["low_res_logits"][0].numpy(), atol=1e-3)


def test_sam2_says_what_the_package_itself_says(sam2: Sam2, said: list[np.ndarray]) -> None:
    photo = noise(128, 128)
    pixels = (photo.srgb / 255.0 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    with torch.inference_mode():
        told = sam2._network(
            pixel_values=torch.from_numpy(pixels).float().permute(2, 0, 1)[None],
            input_points=torch.tensor([[[[80.0, 60.0]]]]),
            input_labels=torch.tensor([[[1]]]),
            multimask_output=True,
        )
    sam2.segment(sam2.prepare(photo), Prompt((Click(80, 60),)))
    np.testing.assert_allclose(said[0], told.pred_masks[0, 0].numpy(), atol=1e-3)


def test_masks_lie_where_the_logits_do(sam: Sam) -> None:
    """A photo of two halves, its right one found: the square's padding below is not part of it."""
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:, 100:] = 255
    prepared = sam.prepare(Photo("halves", pixels, pixels)).payload
    logits = np.full((2, 256, 256), -8, np.float32)
    logits[0, :128, 128:] = 8
    logits[1, 128:] = 8
    prompt = Prompt((Click(150, 50),))
    right, padding = masks_of(logits, np.array([0.2, 0.1], np.float32), prepared, prompt, "tiny")
    np.testing.assert_array_equal(right.coverage >= 128, pixels[..., 0] == 255)
    assert (padding.coverage >= 128).mean() < 0.01
    assert (right.score, right.source) == (pytest.approx(0.2), "tiny")


def test_prompts_are_told_in_the_networks_pixels() -> None:
    earlier = np.zeros((64, 128), np.uint8)
    earlier[:, 64:] = 255
    prompt = Prompt((Click(31.5, 15.5), Click(127.5, 63.5, False)), Box(-0.5, -0.5, 63.5, 31.5), Mask(earlier))
    said = placed(prompt, Square(128, 64, 64, 32, 64), 16)
    assert said.points.tolist() == [[15.5, 7.5], [63.5, 31.5]]
    assert said.labels.tolist() == [1, 0]
    assert said.box is not None
    assert said.box.tolist() == [-0.5, -0.5, 31.5, 15.5]
    assert said.previous is not None
    assert (said.previous[:8] > 0).mean(axis=0).tolist() == [0] * 8 + [1] * 8
    assert (said.previous[8:] < 0).all()
    assert not said.ambiguous


def test_a_checkpoint_keeps_its_own_size(sam: Sam) -> None:
    encoder = sam._network.image_encoder
    assert (encoder.patch_embed.proj.out_channels, len(encoder.blocks)) == (32, 2)
    assert [block.window_size for block in encoder.blocks] == [14, 0]
    assert not any(value.is_meta for value in sam._network.state_dict().values())


class Trap:
    """What a pickle must never be able to do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_checkpoint_never_runs_code(tmp_path: Path) -> None:
    torch.save({"image_encoder.patch_embed.proj.weight": Trap(tmp_path / "sprung")}, tmp_path / "sam.pth")
    with pytest.raises(InvalidInput, match="cannot be read as a SAM checkpoint"):
        load_sam(tmp_path / "sam.pth")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("damage", ["short", "another", "lacking"])
def test_a_damaged_checkpoint_is_one_sentence(folder: Path, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "sam.pth"
    if damage == "short":
        file.write_bytes((folder / "sam.pth").read_bytes()[:100_000])
    else:
        tensors = torch.load(folder / "sam.pth", weights_only=True)
        kept = (
            {"weight": torch.ones(3)} if damage == "another" else {k: v for k, v in tensors.items() if "iou" not in k}
        )
        torch.save(kept, file)
    with pytest.raises(InvalidInput, match="cannot be read as a SAM checkpoint"):
        load_sam(file)


def test_a_video_models_image_part_is_all_there(folder: Path, sam2: Sam2) -> None:
    assert '"model_type": "sam2_video"' in (folder / "sam2" / "config.json").read_text()
    assert type(sam2._network).__name__ == "Sam2Model"
