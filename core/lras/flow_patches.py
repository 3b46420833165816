"""From a dense displacement to the few flow patches that the network is shown (spec 3.4 and 6.2).

A cell is 4x4 pixels of the network's picture, a patch 2x2 cells. Grids are (x, y) first: [2, S, S].
"""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from core.errors import InvalidInput
from core.lras.layout import PatchIds

DenseFlow = Float[np.ndarray, "H W 2"]
FlowGrid = Float64[np.ndarray, "2 S S"]
Moving = Literal["all cells", "any cell"]

_CELL_PIXELS = 4
_POOL = 4
_GROWTH = 40
# Released flow comes in quarters of a pixel or more; less than this is rounding in ours.
_STILL = 1e-3


def released_grid(flow: DenseFlow) -> tuple[FlowGrid, Int64[np.ndarray, "S S"]]:
    """Two 4x4 poolings, then the network's pixels, clamped to its picture (3.4.2 to 3.4.4).

    Also the second pooling's choice, flat in the grid of the first. Raises InvalidInput unless the flow is
    square, a multiple of 16 pixels, and finite; the released network takes 1024.
    """
    size = len(flow)
    if flow.shape[0] != flow.shape[1] or size % _POOL**2 or size == 0:
        raise InvalidInput(f"The released recipe takes square pictures of 1024 pixels, got {flow.shape[1]}x{size}.")
    if not np.isfinite(flow).all():
        raise InvalidInput("The released recipe takes flow without NaN; use the intended recipe for this one.")
    pooled, index = largest_of_blocks(largest_of_blocks(flow)[0])
    picture = _CELL_PIXELS * len(pooled)
    return _grid((pooled / (size / picture)).clip(-picture, picture)), index


def largest_of_blocks(flow: DenseFlow) -> tuple[Float[np.ndarray, "h w 2"], Int64[np.ndarray, "h w"]]:
    """The largest displacement of each 4x4 block, the first of equals, and its flat index in `flow`."""
    height, width = flow.shape[0] // _POOL, flow.shape[1] // _POOL
    blocks = flow.reshape(height, _POOL, width, _POOL, 2).swapaxes(1, 2).reshape(height, width, _POOL**2, 2)
    best = np.sqrt((blocks**2).sum(axis=-1)).argmax(axis=-1)
    row, column = np.divmod(best, _POOL)
    index = (_POOL * np.arange(height)[:, None] + row) * flow.shape[1] + _POOL * np.arange(width) + column
    return np.take_along_axis(blocks, best[..., None, None], axis=2)[:, :, 0], index


def flow_grid(flow: DenseFlow, side: int) -> FlowGrid:
    """The largest displacement that touches each of side x side cells, for a picture of any size.

    The picture is squashed onto the network's square, and so are its displacements: the result is in the network's
    pixels. NaN (no correspondence) yields to any number and stays where a cell has nothing else. Infinity counts as
    NaN. Unlike the released rule, cells share the pixel row or column that their border cuts.
    """
    height, width, _ = flow.shape
    scale = _CELL_PIXELS * side / np.array([width, height])
    length = np.hypot(flow[..., 0] * scale[0], flow[..., 1] * scale[1])
    length = np.where(np.isfinite(length), length, -1)
    in_row = np.stack([start + length[:, start:stop].argmax(1) for start, stop in _windows(width, side)], axis=1)
    longest = np.take_along_axis(length, in_row, axis=1)
    row = np.stack([start + longest[start:stop].argmax(0) for start, stop in _windows(height, side)])
    column = np.take_along_axis(in_row, row, axis=0)
    known = length[row, column] >= 0
    return _grid(np.where(known[..., None], flow[row, column] * scale, np.nan))


def moving_cells(grid: FlowGrid) -> Bool[np.ndarray, "S S"]:
    """Cells whose components are not both zero (6.2); False where the flow is unknown."""
    return np.abs(grid).mean(axis=0) > _STILL


def choose_patches(
    grid: FlowGrid,
    foreground: int,
    background: int,
    moving: Moving,
    random: np.random.RandomState | np.random.Generator,
) -> PatchIds:
    """Up to so many moving patches, then up to so many still ones, in drawn order (6.2).

    A patch moves when "all cells" do (the scripts' new sampling, which drops patches that move in part) or "any cell"
    does (the old one). Patches with an unknown cell are never chosen. RandomState draws as released.
    """
    cells = _per_patch(moving_cells(grid))
    known = ~_per_patch(np.any(np.isnan(grid), axis=0)).any(axis=1)
    whole = cells.all(axis=1) if moving == "all cells" else cells.any(axis=1)
    moved = np.flatnonzero(known & whole)
    random.shuffle(moved)
    still = np.flatnonzero(known & ~cells.any(axis=1))
    random.shuffle(still)
    return np.concatenate([moved[:foreground], still[:background]]).astype(np.int64)


def edited_boxes(source: Bool[np.ndarray, "H W"], target: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The two masks' bounding boxes, grown as by a 40x40 square with its anchor at (20, 20) (6.1, pass 2).

    An empty mask has no box.
    """
    boxes = np.zeros(source.shape, bool)
    for mask in (source, target):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(rows):
            boxes[_grown(rows), _grown(columns)] = True
    return boxes


def reduced_boxes(boxes: Bool[np.ndarray, "H W"], side: int) -> Bool[np.ndarray, "S S"]:
    """Blocks that lie in the boxes by more than half: an average rounded half to even (6.1, pass 2)."""
    return _blocks(boxes, side).mean(axis=(1, 3)) > 0.5


def min_pool(mask: Bool[np.ndarray, "H W"], side: int) -> Bool[np.ndarray, "S S"]:
    """Blocks that the mask fills entirely."""
    return np.all(_blocks(mask, side), axis=(1, 3))


def _grown(indices: Int64[np.ndarray, "N"]) -> slice:
    return slice(max(indices[0] - (_GROWTH // 2 - 1), 0), indices[-1] + _GROWTH // 2 + 1)


def _blocks(mask: Bool[np.ndarray, "H W"], side: int) -> Bool[np.ndarray, "S h S w"]:
    height, width = mask.shape
    if height % side or width % side:
        raise InvalidInput(f"A {width}x{height} mask cannot be cut into {side}x{side} equal blocks; resize it first.")
    return mask.reshape(side, height // side, side, width // side)


def _per_patch(cells: Bool[np.ndarray, "S S"]) -> Bool[np.ndarray, "N 4"]:
    half = len(cells) // 2
    return cells.reshape(half, 2, half, 2).swapaxes(1, 2).reshape(half * half, 4)


def _windows(length: int, side: int) -> list[tuple[int, int]]:
    return [(cell * length // side, -(-(cell + 1) * length // side)) for cell in range(side)]


def _grid(cells: Float[np.ndarray, "S S 2"]) -> FlowGrid:
    return np.ascontiguousarray(np.moveaxis(cells, -1, 0), dtype=np.float64)
