"""What every engine must do, run on each one that can run here."""

import numpy as np
import pytest

from core.engines.registry import available, make_engine
from core.errors import Cancelled
from core.types.photo import Photo
from core.types.protocols import CancelToken, Engine, EngineRequest, EngineUpdate

NAMES = [info.name for info, reason in available() if reason is None]


@pytest.fixture(params=NAMES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return make_engine(request.param)


def request_for(pixels: np.ndarray, unknown: np.ndarray, foreground: np.ndarray | None = None, seed: int = 0):
    high = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    draft = pixels.copy()
    draft[unknown] = 0
    depth = np.where(unknown, 0, 2).astype(np.float32)
    none = np.zeros_like(unknown)
    return EngineRequest(
        Photo("test", pixels, high), draft, unknown, none if foreground is None else foreground, depth, None, seed
    )


def textured(height: int, width: int, dtype: type = np.uint8) -> np.ndarray:
    """Green, with texture; no red at all."""
    generator = np.random.default_rng(1)
    pixels = np.zeros((height, width, 3), dtype)
    pixels[..., 1] = generator.integers(90, 200, (height, width)) * (1 if dtype == np.uint8 else 257)
    pixels[..., 2] = pixels[..., 1] // 4
    return pixels


def square_hole(height: int, width: int) -> np.ndarray:
    hole = np.zeros((height, width), bool)
    hole[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = True
    return hole


def last(engine: Engine, request: EngineRequest) -> EngineUpdate:
    updates = list(engine.render(request, CancelToken()))
    assert [update.is_final for update in updates] == [False] * (len(updates) - 1) + [True]
    assert updates[-1].done == 1.0
    return updates[-1]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_update_keeps_known_pixels_bit_for_bit(engine: Engine, dtype: type) -> None:
    unknown = square_hole(60, 80)
    request = request_for(textured(60, 80, dtype), unknown)
    for update in engine.render(request, CancelToken()):
        assert update.image.dtype == dtype
        assert update.image.shape == request.draft.shape
        assert np.array_equal(update.image[~unknown], request.draft[~unknown])
        assert np.array_equal(update.depth[~unknown], request.depth[~unknown])
        assert (update.confidence[~unknown] == 1).all()
        assert (update.confidence[unknown] < 1).all()


def test_same_seed_gives_the_same_pixels(engine: Engine) -> None:
    request = request_for(textured(60, 80), square_hole(60, 80), seed=5)
    first, second = last(engine, request), last(engine, request)
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.depth, second.depth)


def test_a_hole_gets_the_texture_and_depth_around_it(engine: Engine) -> None:
    unknown = square_hole(60, 80)
    pixels = textured(60, 80)
    update = last(engine, request_for(pixels, unknown))
    filled = update.image[unknown][:, 1].astype(float)
    assert abs(filled.mean() - pixels[..., 1].mean()) < 15
    assert filled.std() > 0.5 * pixels[..., 1].std()
    np.testing.assert_allclose(update.depth[unknown], 2, rtol=1e-3)


def test_moved_objects_never_bleed_into_a_hole(engine: Engine) -> None:
    pixels = textured(80, 100)
    unknown = square_hole(80, 100)
    foreground = np.zeros_like(unknown)
    foreground[26:60, 66:90] = True
    pixels[foreground] = (255, 0, 0)
    # The object's soft edge is not in its mask; it must not be copied either.
    pixels[26:60, 90] = (128, 70, 10)
    # A network that paints with codes has colours of its own, but none near to the object's.
    most = 8 if engine.info.name == "warp" else 64
    for update in engine.render(request_for(pixels, unknown, foreground), CancelToken()):
        assert update.image[unknown][:, 0].max() <= most


def test_depth_of_a_hole_continues_the_far_side(engine: Engine) -> None:
    unknown = square_hole(60, 90)
    request = request_for(textured(60, 90), unknown)
    depth = np.full((60, 90), 4, np.float32)
    depth[:, 60:] = 1
    depth[unknown] = 0
    request = EngineRequest(request.source, request.draft, unknown, request.foreground, depth, None, 0)
    assert last(engine, request).depth[unknown].min() > 3.5


@pytest.mark.parametrize("size", [(1, 1), (1, 70), (70, 1), (2, 3), (9, 400)])
@pytest.mark.parametrize("share", ["all", "none", "some"])
def test_odd_sizes_and_holes(engine: Engine, size: tuple[int, int], share: str) -> None:
    unknown = np.full(size, share == "all")
    if share == "some":
        unknown.flat[unknown.size // 2 :] = True
    request = request_for(textured(*size), unknown)
    update = last(engine, request)
    assert update.image.shape == (*size, 3)
    assert np.isfinite(update.depth).all()
    assert np.array_equal(update.image[~unknown], request.draft[~unknown])


def test_only_foreground_known_gives_no_foreground_colour(engine: Engine) -> None:
    unknown = square_hole(40, 40)
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[...] = (255, 0, 0)
    update = last(engine, request_for(pixels, unknown, ~unknown))
    assert np.ptp(update.image[unknown], axis=1).max() == 0


def test_cancel_stops_before_and_during_the_work(engine: Engine) -> None:
    request = request_for(textured(90, 120), square_hole(90, 120))
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(engine.render(request, cancel))
    cancel = CancelToken()
    updates = engine.render(request, cancel)
    assert not next(updates).is_final
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(updates)
