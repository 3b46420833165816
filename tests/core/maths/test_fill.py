import numpy as np
import pytest

from core.maths import fill
from core.maths.exemplar import exemplar

FILLS = [fill.smooth, fill.telea, fill.navier_stokes, fill.frequency_selective, fill.biharmonic, exemplar]


def stripes(height: int, width: int) -> np.ndarray:
    """Vertical stripes of period 8 with grain."""
    x = np.arange(width) % 8 < 4
    grey = np.where(x, 180, 70) + np.random.default_rng(0).integers(-6, 7, (height, width))
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


def hole_in(height: int, width: int) -> np.ndarray:
    hole = np.zeros((height, width), bool)
    hole[height // 3 : -height // 3, width // 3 : -width // 3] = True
    return hole


@pytest.mark.parametrize("method", FILLS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_known_pixels_stay_and_unknown_ones_do_not_matter(method: fill.Fill, dtype: type) -> None:
    scale = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[dtype]
    picture = (stripes(48, 48) * np.float64(scale)).astype(dtype)
    hole = hole_in(48, 48)
    other = picture.copy()
    other[hole] = 0
    first, second = method(picture, hole, ~hole), method(other, hole, ~hole)
    assert first.dtype == dtype
    assert np.array_equal(first[~hole], picture[~hole])
    assert np.array_equal(first, second)


@pytest.mark.parametrize("method", FILLS)
def test_pixels_that_are_not_allowed_never_enter(method: fill.Fill) -> None:
    picture = np.zeros((48, 48, 3), np.uint8)
    picture[..., 1] = 120
    hole = hole_in(48, 48)
    red = np.zeros_like(hole)
    red[16:32, 32:40] = True
    picture[red] = (255, 0, 0)
    assert method(picture, hole, ~hole & ~red)[hole][:, 0].max() <= 2


@pytest.mark.parametrize("method", FILLS)
def test_nothing_allowed_gives_neutral_grey(method: fill.Fill) -> None:
    picture = np.full((12, 12, 3), 200, np.uint8)
    hole = np.ones((12, 12), bool)
    assert (method(picture, hole, ~hole) == 128).all()


def test_smooth_continues_a_ramp_and_a_reduced_solve_agrees() -> None:
    ramp = np.linspace(0.2, 0.8, 1200, dtype=np.float32)[None, :, None]
    picture = np.ascontiguousarray(np.broadcast_to(ramp, (90, 1200, 3)))
    hole = np.zeros((90, 1200), bool)
    hole[30:60, 500:600] = True
    np.testing.assert_allclose(fill.smooth(picture, hole, ~hole), picture, atol=2e-3)


def test_block_means_count_only_usable_pixels() -> None:
    values = np.arange(20, dtype=np.float32).reshape(4, 5, 1)
    usable = np.ones((4, 5), bool)
    usable[0, 0] = False
    means, share = fill.block_means(values, usable, 2)
    assert means.shape == (2, 3, 1)
    assert means[0, 0, 0] == pytest.approx((1 + 5 + 6) / 3)
    np.testing.assert_allclose(share, [[0.75, 1, 0.5], [1, 1, 0.5]])
