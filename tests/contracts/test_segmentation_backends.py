import numpy as np
import pytest

from core.errors import BackendUnavailable, InvalidInput
from core.perception import registry
from core.types.mask import Box, Click, Mask, Prompt
from core.types.photo import Photo

RUNNABLE = [name for name, entry in registry.segmentation_backends().items() if entry.why_not() is None]


def disc_photo(width: int = 160, height: int = 120) -> Photo:
    """An orange disc in the middle of a grey noisy picture, and a blue one at its left."""
    ys, xs = np.mgrid[:height, :width]
    pixels = np.random.default_rng(0).integers(90, 110, (height, width, 3), dtype=np.uint8)
    unit = min(width, height)
    pixels[np.hypot(xs - width / 2, ys - height / 2) < unit * 0.28] = (230, 120, 30)
    pixels[np.hypot(xs - width * 0.15, ys - height / 2) < unit * 0.12] = (30, 60, 220)
    return Photo("disc", pixels, pixels)


@pytest.fixture(params=RUNNABLE)
def backend(request):
    return registry.make_segmentation_backend(request.param)


@pytest.fixture
def embedding(backend):
    return backend.prepare(disc_photo())


def overlap(mask: Mask, truth: np.ndarray) -> float:
    found = mask.coverage >= 128
    return float((found & truth).sum() / (found | truth).sum())


def test_a_click_finds_a_plain_object(backend, embedding):
    ys, xs = np.mgrid[:120, :160]
    masks = backend.segment(embedding, Prompt((Click(80, 60),)))
    assert overlap(masks[0], np.hypot(xs - 80, ys - 60) < 33.6) > 0.93


def test_candidates_come_best_first_at_the_photos_size(backend, embedding):
    masks = backend.segment(embedding, Prompt((Click(80, 60),)))
    scores = [mask.score for mask in masks]
    assert 1 <= len(masks) <= 3
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert all(mask.coverage.shape == (120, 160) for mask in masks)


def test_the_best_mask_obeys_every_click(backend, embedding):
    clicks = (Click(80, 60), Click(24, 60), Click(82, 40, False), Click(5, 5, False), Click(84, 61, False))
    best = backend.segment(embedding, Prompt(clicks))[0].coverage
    for click in clicks:
        assert (best[int(click.y), int(click.x)] >= 128) == click.positive


def test_a_box_keeps_the_mask_inside(backend, embedding):
    ys, xs = np.mgrid[:120, :160]
    mask = backend.segment(embedding, Prompt(box=Box(44, 24, 116, 96)))[0]
    assert overlap(mask, np.hypot(xs - 80, ys - 60) < 33.6) > 0.93
    assert not mask.coverage[:, :44].any()
    assert not mask.coverage[97:].any()


def test_an_earlier_mask_alone_is_a_prompt(backend, embedding):
    ys, xs = np.mgrid[:120, :160]
    rough = Mask(((np.hypot(xs - 78, ys - 58) < 26) * 255).astype(np.uint8))
    assert overlap(backend.segment(embedding, Prompt(previous=rough))[0], np.hypot(xs - 80, ys - 60) < 33.6) > 0.8


def test_the_same_prompt_gives_the_same_masks(backend):
    prompt = Prompt((Click(80, 60), Click(10, 10, False)))
    first, again = (backend.segment(backend.prepare(disc_photo()), prompt) for _ in range(2))
    assert [mask.id for mask in first] == [mask.id for mask in again]
    assert [mask.score for mask in first] == [mask.score for mask in again]


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt(),
        Prompt((Click(-5, 10),)),
        Prompt((Click(10, 120),)),
        Prompt((Click(float("nan"), 10),)),
        Prompt((Click(10, 10, False),)),
        Prompt((Click(10, 10), Click(10, 10, False))),
        Prompt(box=Box(200, 10, 260, 40)),
        Prompt(box=Box(50, 50, 20, 20)),
        Prompt(box=Box(20, 20, 60, 60), clicks=(Click(100, 100),)),
        Prompt(previous=Mask(np.zeros((120, 160), np.uint8))),
        Prompt((Click(10, 10),), previous=Mask(np.zeros((9, 9), np.uint8))),
    ],
)
def test_a_bad_prompt_is_refused_with_a_sentence(backend, embedding, prompt):
    with pytest.raises(InvalidInput, match=r"\w+ \w+.*\.$"):
        backend.segment(embedding, prompt)


@pytest.mark.parametrize(("width", "height"), [(16, 16), (1, 2000), (2000, 1), (1, 1), (4000, 3000)])
def test_any_photo_size_works(backend, width, height):
    embedding = backend.prepare(disc_photo(width, height))
    x, y = width // 2, height // 2
    best = backend.segment(embedding, Prompt((Click(x, y),)))[0]
    assert best.coverage.shape == (height, width)
    assert best.coverage[y, x] >= 128


def test_one_colour_is_no_reason_to_fail(backend):
    plain = np.full((60, 80, 3), 77, np.uint8)
    assert backend.segment(backend.prepare(Photo("plain", plain, plain)), Prompt((Click(40, 30),)))


def test_the_embedding_says_where_it_belongs(backend, embedding):
    assert embedding.backend == backend.info.name
    assert embedding.photo_id == disc_photo().id
    assert embedding.size_bytes > 0
    assert registry.segmentation_backends()[backend.info.name].info == backend.info


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(BackendUnavailable, match="graphcut"):
        registry.make_segmentation_backend("scissors")
