"""Windows hold every unknown pixel and stay inside the picture."""

import numpy as np
import pytest

from core.engines.windows import Window, windows_over


@pytest.mark.parametrize("seed", range(12))
def test_every_unknown_pixel_lies_in_a_window(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 300, 2)
    unknown = np.zeros((height, width), bool)
    for _ in range(rng.integers(1, 4)):
        y, x = rng.integers(0, height), rng.integers(0, width)
        unknown[y : y + rng.integers(1, 80), x : x + rng.integers(1, 80)] = True
    covered = np.zeros_like(unknown)
    for window in windows_over(unknown, 64):
        assert window.x >= 0
        assert window.y >= 0
        assert window.x + window.side <= width
        assert window.y + window.side <= height
        assert window.side >= min(64, height, width)
        covered[window.slices] = True
    assert covered[unknown].all()


def test_nothing_unknown_needs_no_window() -> None:
    assert windows_over(np.zeros((20, 30), bool), 8) == []


def test_one_small_hole_sits_in_the_middle_of_one_window() -> None:
    unknown = np.zeros((400, 600), bool)
    unknown[190:210, 290:310] = True
    assert windows_over(unknown, 256) == [Window(172, 72, 256)]


def test_a_rim_around_the_picture_takes_overlapping_windows() -> None:
    unknown = np.ones((100, 300), bool)
    unknown[10:90, 10:290] = False
    windows = windows_over(unknown, 64)
    assert {window.side for window in windows} == {100}
    assert [window.x for window in windows] == sorted({window.x for window in windows})
    assert windows[0].x == 0
    assert windows[-1].x == 200
