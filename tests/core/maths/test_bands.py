import numpy as np
import pytest

from core.maths.bands import block_any, copied, in_bands, paste, reciprocal

LARGE = (700, 900)


@pytest.mark.parametrize("shape", [(1, 1), (3, 200_000), (700, 900), (20_000, 1)])
def test_bands_cover_every_row_once(shape: tuple[int, int]) -> None:
    visits = np.zeros(shape[0], int)

    def visit(first: int, last: int) -> None:
        visits[first:last] += 1

    in_bands(shape, visit)
    assert (visits == 1).all()


def test_a_failure_in_one_band_is_raised() -> None:
    def fail(first: int, last: int) -> None:
        if last == LARGE[0]:
            raise ValueError("the last band")

    with pytest.raises(ValueError, match="the last band"):
        in_bands(LARGE, fail)


def test_reciprocal_is_its_own_inverse_and_keeps_nothing_at_zero() -> None:
    depth = np.random.default_rng(0).uniform(0.5, 8, LARGE).astype(np.float32)
    depth[100:200, 300:500] = 0
    inverse = reciprocal(depth)
    assert (inverse[100:200, 300:500] == 0).all()
    np.testing.assert_allclose(reciprocal(inverse), depth, rtol=1e-6)


@pytest.mark.parametrize("shape", [LARGE, (*LARGE, 3)])
def test_paste_into_a_window_is_a_boolean_assignment(shape: tuple[int, ...]) -> None:
    generator = np.random.default_rng(0)
    picture, values = (generator.integers(0, 255, shape, np.uint8) for _ in range(2))
    where = generator.random(LARGE) < 0.3
    window = (slice(20, 650), slice(7, 880))
    expected = picture.copy()
    expected[window][where[window]] = values[window][where[window]]
    paste(picture[window], values[window], where[window])
    assert np.array_equal(picture, expected)
    assert np.array_equal(copied(picture), expected)


@pytest.mark.parametrize("step", [1, 4, 7])
def test_block_any_sees_single_pixels_also_in_cut_blocks(step: int) -> None:
    marked = np.zeros(LARGE, bool)
    marked[[0, 355, 699], [899, 17, 898]] = True
    rows, columns = -(-LARGE[0] // step), -(-LARGE[1] // step)
    expected = np.zeros((rows, columns), bool)
    expected[[0, 355 // step, 699 // step], [899 // step, 17 // step, 898 // step]] = True
    assert np.array_equal(block_any(marked, step), expected)
