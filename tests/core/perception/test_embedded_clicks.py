"""The click network as a back-end: what holds whatever its weights are."""

import cv2
import numpy as np
import pytest
import torch

from core.errors import InvalidInput
from core.nets.click_student import ClickStudent, ClickStudentConfig, Features
from core.perception import registry
from core.perception.segmentation import fitted
from core.perception.segmentation.embedded import EmbeddedClicks, Prepared, network_prompts, snapped
from core.perception.segmentation.evidence import border_strength
from core.perception.segmentation.prompts import seeds_of
from core.perception.segmentation.refine import guide_picture
from core.perception.segmentation.regions import build_regions, work_picture
from core.types.mask import Box, Click, Mask, Prompt
from core.types.photo import Photo
from core.types.protocols import Embedding, SegmentationBackend


@pytest.fixture
def backend() -> EmbeddedClicks:
    torch.manual_seed(0)
    return EmbeddedClicks(ClickStudent(ClickStudentConfig(8, (8, 8, 16, 16), (1, 1, 1, 1), 2, (8, 8, 8, 16), 1, 2)), 64)


def noise(width: int, height: int) -> Photo:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Photo("noise", pixels, pixels)


@pytest.mark.parametrize(("width", "height"), [(160, 120), (16, 16), (1, 200), (1, 1), (900, 300)])
def test_rated_masks_at_the_photos_size_that_obey_clicks(backend: EmbeddedClicks, width: int, height: int) -> None:
    assert isinstance(backend, SegmentationBackend)
    embedding = backend.prepare(noise(width, height))
    clicks = (Click(width // 2, height // 2), *((Click(0, 0, False),) if width > 9 else ()))
    masks = backend.segment(embedding, Prompt(clicks))
    again = backend.segment(embedding, Prompt(clicks))
    assert [mask.id for mask in masks] == [mask.id for mask in again]
    assert [mask.score for mask in masks] == sorted((mask.score for mask in masks), reverse=True)
    for mask in masks:
        assert mask.coverage.shape == (height, width)
        for click in clicks:
            assert (mask.coverage[int(click.y), int(click.x)] >= 128) == click.positive


def test_a_box_keeps_masks_inside(backend: EmbeddedClicks) -> None:
    for mask in backend.segment(backend.prepare(noise(160, 120)), Prompt(box=Box(44, 24, 116, 96))):
        assert not mask.coverage[:, :44].any()
        assert not mask.coverage[97:].any()


def test_prompts_are_told_in_the_encoders_pixels(backend: EmbeddedClicks) -> None:
    prepared = backend.prepare(noise(128, 64)).payload
    earlier = np.zeros((64, 128), np.uint8)
    earlier[:, 64:] = 255
    prompt = Prompt((Click(31.5, 15.5), Click(127.5, 63.5, False)), Box(-0.5, -0.5, 63.5, 31.5), Mask(earlier))
    said = network_prompts(prompt, prepared)
    torch.testing.assert_close(said.clicks, torch.tensor([[[15.5, 7.5, 1.0], [63.5, 31.5, -1.0]]]))
    torch.testing.assert_close(said.boxes, torch.tensor([[-0.5, -0.5, 31.5, 15.5]]))
    assert said.previous[0].mean(dim=0).tolist() == [0.0] * 8 + [1.0] * 8


@pytest.mark.parametrize(
    "prompt", [Prompt(), Prompt((Click(-5, 10),)), Prompt(previous=Mask(np.zeros((120, 160), np.uint8)))]
)
def test_a_bad_prompt_is_refused(backend: EmbeddedClicks, prompt: Prompt) -> None:
    with pytest.raises(InvalidInput):
        backend.segment(backend.prepare(noise(160, 120)), prompt)


def test_anothers_embedding_is_refused(backend: EmbeddedClicks) -> None:
    with pytest.raises(InvalidInput, match="graphcut"):
        backend.segment(Embedding("graphcut", "x", None, 0), Prompt((Click(1, 1),)))


def test_it_is_offered_only_where_its_weights_come_along() -> None:
    from core.files.weights import embedded_missing

    assert ("embedded" in registry.segmentation_backends()) == (embedded_missing("click_student") is None)


@pytest.fixture
def two_squares() -> Prepared:
    """A bright square left and one right, and what the back-end keeps of such a photo."""
    pixels = np.full((64, 128, 3), 60, np.uint8)
    pixels[16:48, 8:40] = pixels[16:48, 80:120] = 210
    regions = build_regions(work_picture(pixels))
    strength = border_strength(regions, fitted.BORDER)
    return Prepared(Features((), (), torch.zeros(0)), regions, strength, guide_picture(pixels), 128, 64)


def both_believed() -> np.ndarray:
    logits = np.full((16, 32), -3, np.float32)
    logits[4:12, 2:10] = logits[4:12, 20:30] = 3
    return logits


@pytest.mark.parametrize(
    ("prompt", "left", "right"),
    [
        (Prompt((Click(24, 32),)), True, False),
        (Prompt((Click(24, 32), Click(100, 32), Click(2, 2, False))), True, True),
        (Prompt((Click(24, 32), Click(100, 32, False))), True, False),
    ],
)
def test_what_is_believed_is_kept_where_it_was_pointed_at(
    two_squares: Prepared, prompt: Prompt, left: bool, right: bool
) -> None:
    seeds = seeds_of(prompt, two_squares.regions, two_squares.strength, 128, 64)
    mask = cv2.resize(snapped(both_believed(), two_squares, seeds), (128, 64), interpolation=cv2.INTER_NEAREST) > 0
    assert mask[20:44, 12:36].mean() > 0.95 if left else not mask[:, :64].any()
    assert mask[20:44, 84:116].mean() > 0.95 if right else not mask[:, 64:].any()


def test_parts_of_the_earlier_mask_stay_without_a_click(two_squares: Prepared) -> None:
    before = np.zeros((64, 128), np.uint8)
    before[16:48, 80:120] = 255
    prompt = Prompt((Click(24, 32),), previous=Mask(before))
    seeds = seeds_of(prompt, two_squares.regions, two_squares.strength, 128, 64)
    mask = cv2.resize(snapped(both_believed(), two_squares, seeds), (128, 64), interpolation=cv2.INTER_NEAREST) > 0
    assert mask[20:44, 12:36].mean() > 0.95
    assert mask[20:44, 84:116].mean() > 0.95
