"""The image motion of points that move rigidly (or with a scale) in front of a moving camera."""

from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from core.maths.bands import in_bands
from core.maths.compiled import compiled, no_type_check
from core.maths.raster import CONNECTED_DOWN, CONNECTED_RIGHT
from core.types.camera import Intrinsics

MovedGrid = tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]
MovedRows = Callable[[int, int], MovedGrid]
"""Rows `first` to `last` of a grid, made when they are asked for: of a whole picture they are most of its memory."""


def moved_grid(
    inverse: Float32[np.ndarray, "h w"],
    source: Intrinsics,
    target: Intrinsics,
    target_from_source: Float64[np.ndarray, "4 4"],
    origin: tuple[int, int] = (0, 0),
) -> MovedGrid:
    """Where each pixel of a depth window lands: target (u, v) and inverse depth there.

    `origin` is the window's top-left pixel in the source picture. A point at depth z on the ray r lands at the
    projection of M r + t / z, so nothing is divided by depth. Points at or behind the target camera's plane,
    and pixels without depth (inverse <= 0), get NaN positions and inverse depth 0.
    """
    u, v, moved = (np.empty(inverse.shape, np.float32) for _ in range(3))
    move = _mover(inverse, source, target, target_from_source, origin)
    in_bands(inverse.shape, lambda first, last: move(0, (u, v, moved), first, last))
    return u, v, moved


def moved_rows(
    inverse: Float32[np.ndarray, "h w"],
    source: Intrinsics,
    target: Intrinsics,
    target_from_source: Float64[np.ndarray, "4 4"],
) -> MovedRows:
    """The rows of `moved_grid`, to the same bits."""
    move = _mover(inverse, source, target, target_from_source, (0, 0))

    def rows(first: int, last: int) -> MovedGrid:
        u, v, moved = (np.empty((last - first, inverse.shape[1]), np.float32) for _ in range(3))
        move(first, (u, v, moved), first, last)
        return u, v, moved

    return rows


def _mover(
    inverse: Float32[np.ndarray, "h w"],
    source: Intrinsics,
    target: Intrinsics,
    target_from_source: Float64[np.ndarray, "4 4"],
    origin: tuple[int, int],
) -> Callable[..., None]:
    k_source = np.array([source.fx, source.fy, source.cx - origin[0], source.cy - origin[1]])
    k_target = np.array([target.fx, target.fy, target.cx, target.cy])
    return partial(_move, inverse, k_source, k_target, np.ascontiguousarray(target_from_source))


@compiled
@no_type_check
def _move(inverse, k_source, k_target, matrix, top, grid, first, last):
    """Rows `first` to `last` of a grid into fields whose first row is its row `top`."""
    u, v, moved = grid
    columns = inverse.shape[1]
    for row in range(first, last):
        to = row - top
        ray_y = (row - k_source[3]) / k_source[1]
        for column in range(columns):
            w = inverse[row, column]
            ray_x = (column - k_source[2]) / k_source[0]
            x = matrix[0, 0] * ray_x + matrix[0, 1] * ray_y + matrix[0, 2] + matrix[0, 3] * w
            y = matrix[1, 0] * ray_x + matrix[1, 1] * ray_y + matrix[1, 2] + matrix[1, 3] * w
            z = matrix[2, 0] * ray_x + matrix[2, 1] * ray_y + matrix[2, 2] + matrix[2, 3] * w
            if w > 0 and z > 1e-6:
                u[to, column] = k_target[0] * x / z + k_target[2]
                v[to, column] = k_target[1] * y / z + k_target[3]
                moved[to, column] = w / z
            else:
                u[to, column] = np.nan
                v[to, column] = np.nan
                moved[to, column] = 0.0


def landing_bounds(grid: MovedGrid) -> tuple[float, float, float, float] | None:
    """The least x and y and the largest x and y where pixels land; None when none does."""
    u, v, moved = grid
    spans = np.empty((u.shape[0], 4), np.float32)
    in_bands(u.shape, partial(_row_bounds, u, v, moved, spans))
    left, upper = spans[:, :2].min(axis=0)
    right, lower = spans[:, 2:].max(axis=0)
    return (float(left), float(upper), float(right), float(lower)) if left <= right else None


@compiled
@no_type_check
def _row_bounds(u, v, moved, spans, first, last):
    for row in range(first, last):
        spans[row, :2] = np.inf
        spans[row, 2:] = -np.inf
        for column in range(u.shape[1]):
            if moved[row, column] > 0:
                x, y = u[row, column], v[row, column]
                spans[row, 0] = min(spans[row, 0], x)
                spans[row, 1] = min(spans[row, 1], y)
                spans[row, 2] = max(spans[row, 2], x)
                spans[row, 3] = max(spans[row, 3], y)


def flow_of_grid(grid: MovedGrid, origin: tuple[int, int] = (0, 0)) -> Float32[np.ndarray, "h w 2"]:
    """Displacement from each source pixel to where it lands."""
    u, v, _ = grid
    flow = np.empty((*u.shape, 2), np.float32)
    in_bands(u.shape, partial(_displace, u, v, *origin, flow))
    return flow


def flow_of_rows(
    rows: MovedRows, shape: tuple[int, int], nearest: Float32[np.ndarray, "H W"], tolerance: float = 0.03
) -> tuple[Float32[np.ndarray, "h w 2"], Bool[np.ndarray, "h w"]]:
    """`flow_of_grid` and `visible_in_target` of a grid of that shape that is never whole in memory."""
    flow, visible = np.empty((*shape, 2), np.float32), np.zeros(shape, bool)
    share = np.float32(1.0 - tolerance)

    def work(first: int, last: int) -> None:
        u, v, moved = rows(first, last)
        _displace(u, v, 0, first, flow[first:last], 0, last - first)
        _mark_visible(u, v, moved, nearest, share, visible[first:last], 0, last - first)

    in_bands(shape, work)
    return flow, visible


@compiled
@no_type_check
def _displace(u, v, left, upper, flow, first, last):
    for row in range(first, last):
        for column in range(u.shape[1]):
            flow[row, column, 0] = u[row, column] - np.float32(left + column)
            flow[row, column, 1] = v[row, column] - np.float32(upper + row)


def resized_flow(flow: Float32[np.ndarray, "h w 2"], width: int, height: int) -> Float32[np.ndarray, "H W 2"]:
    """The field at another picture size (nearest sample: motion edges stay edges), values scaled with it."""
    rows, columns = flow.shape[:2]
    y = np.minimum(((np.arange(height) + 0.5) * rows / height).astype(np.intp), rows - 1)
    x = np.minimum(((np.arange(width) + 0.5) * columns / width).astype(np.intp), columns - 1)
    return flow[y][:, x] * np.array([width / columns, height / rows], np.float32)


def flow_links(flow: Float32[np.ndarray, "h w 2"], jump: float = 1.5) -> UInt8[np.ndarray, "h w"]:
    """Neighbours that move together: a cut is a step of more than `jump` pixels, three times the slopes beside it.

    Same bits as `core.maths.raster.surface_links`, for fields that come without depth.
    """
    links = np.zeros(flow.shape[:2], np.uint8)
    for axis, bit in ((1, CONNECTED_RIGHT), (0, CONNECTED_DOWN)):
        step = np.linalg.norm(np.diff(flow, axis=axis), axis=-1)
        together = np.isfinite(step) & ((step <= jump) | (step <= 3.0 * _steepest_neighbour(step, axis)))
        window = (slice(None), slice(None, -1)) if axis == 1 else (slice(None, -1), slice(None))
        links[window] |= np.where(together, np.uint8(bit), np.uint8(0))
    return links


def _steepest_neighbour(step: Float32[np.ndarray, "h w"], axis: int) -> Float32[np.ndarray, "h w"]:
    calm = np.nan_to_num(step, nan=0.0)
    before, after = np.zeros_like(calm), np.zeros_like(calm)
    if axis == 1:
        before[:, 1:], after[:, :-1] = calm[:, :-1], calm[:, 1:]
    else:
        before[1:], after[:-1] = calm[:-1], calm[1:]
    return np.maximum(before, after)


def visible_in_target(
    grid: MovedGrid, nearest: Float32[np.ndarray, "H W"], tolerance: float = 0.03
) -> Bool[np.ndarray, "h w"]:
    """Which moved pixels lie inside the target frame and are not behind what is seen there.

    `nearest` is the target's inverse depth; `tolerance` is relative.
    """
    u, v, moved = grid
    visible = np.zeros(u.shape, bool)
    in_bands(u.shape, partial(_mark_visible, u, v, moved, nearest, np.float32(1.0 - tolerance), visible))
    return visible


def put_flow(
    grid: MovedGrid,
    origin: tuple[int, int],
    nearest: Float32[np.ndarray, "H W"],
    owned: Bool[np.ndarray, "h w"],
    flow: Float32[np.ndarray, "h w 2"],
    visible: Bool[np.ndarray, "h w"],
    tolerance: float = 0.03,
) -> None:
    """Write `flow_of_grid` and `visible_in_target` of the owned pixels into `flow` and `visible`."""
    share = np.float32(1.0 - tolerance)
    in_bands(owned.shape, partial(_put_flow, grid, origin, nearest, share, owned, flow, visible))


@compiled
@no_type_check
def _put_flow(grid, origin, nearest, share, owned, flow, visible, first, last):
    u, v, moved = grid
    for row in range(first, last):
        for column in range(u.shape[1]):
            if owned[row, column]:
                x, y = u[row, column], v[row, column]
                flow[row, column, 0] = x - np.float32(origin[0] + column)
                flow[row, column, 1] = y - np.float32(origin[1] + row)
                visible[row, column] = _seen_at(x, y, moved[row, column], nearest, share)


@compiled
@no_type_check
def _seen_at(x, y, inverse, nearest, share):
    """Whether a point that lands at (x, y) lies in the frame and is not behind what is seen there."""
    height, width = nearest.shape
    if -0.5 < x < width - 0.5 and -0.5 < y < height - 0.5:
        return inverse >= share * nearest[int(np.rint(y)), int(np.rint(x))]
    return False


def unhidden(
    inverse: Float32[np.ndarray, "H W"], nearest: Float32[np.ndarray, "H W"], tolerance: float = 0.03
) -> Bool[np.ndarray, "H W"]:
    """Which pixels that stay where they are are not behind what is seen there now; `tolerance` is relative."""
    visible = np.empty(inverse.shape, bool)
    share = np.float32(1.0 - tolerance)

    def compare(first: int, last: int) -> None:
        rows = slice(first, last)
        np.greater_equal(inverse[rows], share * nearest[rows], out=visible[rows])

    in_bands(inverse.shape, compare)
    return visible


@compiled
@no_type_check
def _mark_visible(u, v, moved, nearest, share, visible, first, last):
    for row in range(first, last):
        for column in range(u.shape[1]):
            visible[row, column] = _seen_at(u[row, column], v[row, column], moved[row, column], nearest, share)
