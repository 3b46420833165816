"""From dense flow to the shown patches: the largest displacement of a cell, the draw, boxes of an edit."""

import cv2
import numpy as np
import pytest

from core.errors import InvalidInput
from core.lras.flow_patches import (
    choose_patches,
    edited_boxes,
    flow_grid,
    largest_of_blocks,
    min_pool,
    moving_cells,
    reduced_boxes,
    released_grid,
)

RNG = np.random.default_rng(12)


def test_the_largest_of_a_block_is_kept_whole():
    flow = np.zeros((8, 8, 2))
    flow[5, 2] = (-3, 4)
    flow[6, 1] = (4, 0)
    pooled, index = largest_of_blocks(flow)
    assert pooled.tolist() == [[[0, 0], [0, 0]], [[-3, 4], [0, 0]]]
    assert index.tolist() == [[0, 4], [42, 36]]


def test_the_first_of_equals_wins():
    flow = np.zeros((4, 4, 2))
    flow[1, 3], flow[2, 0] = (5, 0), (0, 5)
    pooled, index = largest_of_blocks(flow)
    assert (pooled[0, 0] == (5, 0)).all()
    assert index[0, 0] == 7


def test_both_reductions_agree_where_both_apply():
    flow = RNG.normal(scale=30, size=(256, 256, 2))
    released, index = released_grid(flow)
    assert np.allclose(flow_grid(flow, 16), released)
    rows, columns = np.divmod(index, 64)
    once = largest_of_blocks(flow)[0]
    assert (np.moveaxis(once[rows, columns], -1, 0) / 4 == released).all()


def test_the_released_reduction_clamps_to_the_networks_picture():
    grid, _ = released_grid(np.full((1024, 1024, 2), (-1100.0, 300.0)))
    assert (grid[0] == -256).all()
    assert (grid[1] == 75).all()


@pytest.mark.parametrize("shape", [(1024, 768), (1000, 1000), (0, 0)])
def test_other_sizes_are_not_for_the_released_reduction(shape):
    with pytest.raises(InvalidInput, match="1024"):
        released_grid(np.zeros((*shape, 2)))


def test_nan_is_not_for_the_released_reduction():
    with pytest.raises(InvalidInput, match="NaN"):
        released_grid(np.full((16, 16, 2), np.nan))


@pytest.mark.parametrize(("height", "width"), [(64, 64), (480, 640), (101, 67), (5, 3), (1, 1)])
def test_any_size_is_squashed_onto_the_grid(height, width):
    grid = flow_grid(np.full((height, width, 2), (1.0, -2.0), np.float32), 16)
    assert np.allclose(grid[0], 64 / width)
    assert np.allclose(grid[1], -2 * 64 / height)


@pytest.mark.parametrize(("height", "width"), [(480, 640), (101, 67)])
def test_every_pixel_reaches_the_cell_it_lies_in(height, width):
    for row, column in ((0, 0), (height - 1, width - 1), (height // 3, width // 2)):
        flow = np.zeros((height, width, 2))
        flow[row, column] = (0, 7)
        moving = moving_cells(flow_grid(flow, 16))
        assert moving[int((row + 0.5) * 16 / height), int((column + 0.5) * 16 / width)]
        assert 1 <= moving.sum() <= 4


def test_nan_yields_to_any_number():
    flow = np.full((32, 32, 2), np.nan)
    flow[0, 1] = (3, 0)
    flow[2:4, 0:4] = (0, np.inf)
    flow[4:8, 0:4] = 0
    grid = flow_grid(flow, 8)
    assert (grid[:, 0, 0] == (3, 0)).all()
    assert (grid[:, 1, 0] == 0).all()
    assert np.isnan(grid).sum() == 2 * (64 - 2)
    assert moving_cells(grid).sum() == 1


def sample_grid() -> np.ndarray:
    """8x8 cells: patches 0 and 1 move wholly, 4 in part, 15 is unknown in part, the other twelve are still."""
    grid = np.zeros((2, 8, 8))
    grid[0, 0:2, 0:4] = 5
    grid[1, 2, 0] = -5
    grid[:, 7, 7] = np.nan
    return grid


@pytest.mark.parametrize("random", [np.random.RandomState(3), np.random.default_rng(3)])
def test_patches_that_move_in_part(random):
    still = set(range(16)) - {0, 1, 4, 15}
    new = choose_patches(sample_grid(), 9, 99, "all cells", random).tolist()
    assert set(new[:2]) == {0, 1}
    assert set(new[2:]) == still
    old = choose_patches(sample_grid(), 9, 99, "any cell", random).tolist()
    assert set(old[:3]) == {0, 1, 4}
    assert set(old[3:]) == still


def test_no_more_patches_than_asked_for():
    chosen = choose_patches(sample_grid(), 1, 5, "any cell", np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 6
    assert chosen[0] in (0, 1, 4)


def test_the_draw_follows_its_seed():
    draws = [choose_patches(sample_grid(), 2, 9, "all cells", np.random.default_rng(s)).tolist() for s in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_rounding_is_not_motion():
    assert not moving_cells(np.full((2, 4, 4), 1e-6)).any()
    assert moving_cells(np.full((2, 4, 4), -0.125)).all()


def test_boxes_are_those_of_the_grown_masks():
    source, target = np.zeros((2, 256, 256), bool)
    source[60:90, 70] = True
    target[200:250, 180:199] = RNG.random((50, 19)) > 0.7
    expected = np.zeros((256, 256), bool)
    for mask in (source, target):
        x, y, width, height = cv2.boundingRect(cv2.dilate(mask.astype(np.uint8), np.ones((40, 40), np.uint8)))
        expected[y : y + height, x : x + width] = True
    boxes = edited_boxes(source, target)
    assert (boxes == expected).all()
    small = cv2.resize(expected.astype(np.uint8), (64, 64), interpolation=cv2.INTER_AREA)
    assert (reduced_boxes(boxes, 64) == (small > 0)).all()


def test_an_empty_mask_has_no_box():
    assert not edited_boxes(np.zeros((64, 64), bool), np.zeros((64, 64), bool)).any()


def test_a_block_with_a_hole_is_not_filled():
    mask = np.ones((8, 8), bool)
    mask[3, 5] = False
    assert min_pool(mask, 2).tolist() == [[True, False], [True, True]]
    with pytest.raises(InvalidInput, match="equal blocks"):
        min_pool(mask, 3)
