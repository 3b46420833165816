"""Windows: areas go where they should, numbers stay numbers."""

import numpy as np
import pytest

from core.training.windows import cut_numbers, cut_picture, window_from_area


def test_the_whole_picture_is_itself() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)
    same = window_from_area((9.5, 5.5), (20, 12), (20, 12))
    np.testing.assert_allclose(same, np.eye(3), atol=1e-12)
    np.testing.assert_array_equal(cut_picture(picture, same, (20, 12)), picture)
    mirror = window_from_area((9.5, 5.5), (20, 12), (20, 12), mirrored=True)
    np.testing.assert_array_equal(cut_picture(picture, mirror, (20, 12)), picture[:, ::-1])


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_middle_stays_and_lengths_scale(mirrored: bool) -> None:
    matrix = window_from_area((30.0, 11.0), (40, 20), (80, 60), angle=0.3, mirrored=mirrored)
    np.testing.assert_allclose(matrix @ (30, 11, 1), (39.5, 29.5, 1))
    assert abs(np.linalg.det(matrix)) == pytest.approx(80 * 60 / (40 * 20))
    # Along the turned area's own axis to the right: half its width is half the window's.
    right = np.array([30 + 20 * np.cos(0.3), 11 - 20 * np.sin(0.3), 1])
    np.testing.assert_allclose(matrix @ right, (39.5 + (-40 if mirrored else 40), 29.5, 1), atol=1e-9)


def test_numbers_are_not_mixed_and_nothing_lies_beyond() -> None:
    ids = np.zeros((20, 20), np.uint8)
    ids[5:15, 5:15] = 9
    found = cut_numbers(ids, window_from_area((9.5, 9.5), (40, 40), (60, 60), angle=0.4), (60, 60), beyond=255)
    assert set(np.unique(found)) == {0, 9, 255}
    assert (found == 9).sum() == pytest.approx(100 * 1.5**2, rel=0.1)
