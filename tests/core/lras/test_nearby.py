"""Patches near to others, and patches in compact parts."""

import numpy as np
import pytest

from core.errors import InvalidInput
from core.lras.nearby import clusters, nearest

GRID = 8


def at(*places: tuple[int, int]) -> np.ndarray:
    return np.array([row * GRID + column for row, column in places])


def test_the_nearest_patches_come_first() -> None:
    ids = at((7, 7), (2, 3), (0, 0), (2, 5))
    near = nearest(ids, at((2, 2), (2, 6)), GRID, 3)
    np.testing.assert_array_equal(near, at((2, 3), (2, 5), (0, 0)))
    np.testing.assert_array_equal(nearest(ids, at((0, 0)), GRID, 0), ids)


def test_nothing_is_near_to_nothing() -> None:
    with pytest.raises(InvalidInput, match="at least one"):
        nearest(np.arange(9), np.arange(0), GRID, 3)


@pytest.mark.parametrize("most", [1, 3, 5, 16, 64])
def test_clusters_hold_every_patch_once_and_few_each(most: int) -> None:
    ids = np.random.default_rng(0).permutation(GRID * GRID)[:41]
    parts = clusters(ids, GRID, most)
    assert max(map(len, parts)) <= most
    assert sorted(np.concatenate(parts)) == sorted(ids)
    assert len(parts) <= 2 * -(-len(ids) // most)


def test_clusters_are_compact() -> None:
    parts = clusters(np.arange(GRID * GRID), GRID, 16)
    assert len(parts) == 4
    for part in parts:
        rows, columns = np.divmod(part, GRID)
        assert np.ptp(rows) == np.ptp(columns) == 3
    assert clusters(np.arange(0), GRID, 4) == []
    assert len(clusters(np.arange(9), GRID, 0)) == 1
