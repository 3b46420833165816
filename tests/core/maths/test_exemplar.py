import numpy as np
import pytest

from core.errors import Cancelled
from core.maths.exemplar import exemplar
from core.types.protocols import CancelToken


def stripes(height: int, width: int, period: int = 8) -> np.ndarray:
    """Vertical stripes with grain."""
    grey = np.where(np.arange(width) % period < period // 2, 180, 70)
    grain = np.random.default_rng(0).integers(-6, 7, (height, width))
    return np.repeat((grey + grain)[..., None], 3, axis=2).astype(np.uint8)


def hole_in(height: int, width: int, share: int = 3) -> np.ndarray:
    hole = np.zeros((height, width), bool)
    hole[height // share : -height // share, width // share : -width // share] = True
    return hole


def test_stripes_continue_through_the_hole_with_their_grain() -> None:
    picture, hole = stripes(96, 96), hole_in(96, 96)
    result = exemplar(picture, hole, ~hole)
    error = np.abs(result[hole].astype(float) - picture[hole])
    assert np.median(error) < 12
    assert 0.5 < result[hole].std() / picture[hole].std() < 1.5


def test_a_reduced_solve_copies_pixels_at_full_resolution() -> None:
    # 1300 px on a side are solved at half size; stripes of two pixels survive only as copies.
    picture = stripes(160, 1300, period=4)
    hole = np.zeros((160, 1300), bool)
    hole[60:100, 600:660] = True
    result = exemplar(picture, hole, ~hole)
    assert result[hole].std() > 0.7 * picture[hole].std()


def test_nearer_in_depth_is_preferred_between_equal_textures() -> None:
    picture = np.full((60, 120, 3), 120, np.uint8)
    picture[..., 0] = np.random.default_rng(2).integers(110, 130, (60, 120))
    picture[:, 60:, 2] = 123
    hole = np.zeros((60, 120), bool)
    hole[20:40, 40:58] = True
    depth = np.full((60, 120), 5, np.float32)
    depth[:, 60:] = 1
    result = exemplar(picture, hole, ~hole, depth=depth)
    assert abs(result[hole][:, 2].mean() - 120) < 1


def test_result_depends_on_the_seed_only_through_its_choice_of_patches() -> None:
    picture, hole = stripes(64, 64), hole_in(64, 64)
    first = exemplar(picture, hole, ~hole, seed=1)
    assert np.array_equal(first, exemplar(picture, hole, ~hole, seed=1))
    assert not np.array_equal(first, exemplar(picture, hole, ~hole, seed=2))


def test_check_can_stop_the_work() -> None:
    picture, hole = stripes(64, 64), hole_in(64, 64)
    cancel = CancelToken()
    asked = []

    def check() -> None:
        asked.append(1)
        if len(asked) == 20:
            cancel.cancel()
        cancel.check()

    with pytest.raises(Cancelled):
        exemplar(picture, hole, ~hole, check=check)
    assert len(asked) < 40
