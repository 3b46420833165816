"""Forward warping as rasterisation: a picture's pixel grid, bent and drawn with a z-test.

The result is the *inverse* map (for each target pixel, where it comes from in the source), so that
colours are resampled once, from the original pixels, and coverage is exact: neighbouring pixels of
one surface share an edge (no cracks), pixels of different surfaces do not (no rubber sheets).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.maths.bands import cores, in_bands
from core.maths.compiled import compiled, no_type_check

CONNECTED_RIGHT = 1
CONNECTED_DOWN = 2
_PARALLEL_FROM = 150_000  # pixels: of larger grids, threads draw a few rows of the target each
_EDGE_SLACK = 1e-4  # of a pixel: keeps a target centre that lies on a shared edge from slipping through
_SNAP = 2e-3  # of a pixel: source positions this near to a pixel centre are that centre, so identity stays exact


Canvas = tuple[np.ndarray, np.ndarray, np.ndarray]
Grid = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class InverseMap:
    """Where each target pixel comes from: source (x, y) and the target's inverse depth.

    `x` and `y` are NaN and `inverse_depth` is 0 where no source pixel lands.
    """

    x: Float32[np.ndarray, "H W"]
    y: Float32[np.ndarray, "H W"]
    inverse_depth: Float32[np.ndarray, "H W"]

    @property
    def covered(self) -> Bool[np.ndarray, "H W"]:
        return self.inverse_depth > 0


def rasterise_grid(
    u: Float32[np.ndarray, "h w"],
    v: Float32[np.ndarray, "h w"],
    inverse_depth: Float32[np.ndarray, "h w"],
    links: UInt8[np.ndarray, "h w"],
    width: int,
    height: int,
    origin: tuple[int, int] = (0, 0),
) -> InverseMap:
    """Draw source pixel (x, y) at target (u, v) - `origin` with inverse depth 1/z; the nearest wins.

    Pixels with NaN `u` or inverse depth <= 0 are absent. `links` holds CONNECTED_RIGHT and
    CONNECTED_DOWN bits between neighbours of one surface. Between unlinked neighbours each pixel
    reaches half a pixel outwards along its own surface and repeats its own colour there.
    """
    grid = (u, v, inverse_depth, links, np.array(origin, np.float32))
    canvas = _empty_canvas(width, height)
    reach = _row_reach(grid)
    if u.size < _PARALLEL_FROM:
        _draw_grid(grid, reach, canvas, 0, height)
        return InverseMap(*canvas)
    step = -(-height // cores())
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(lambda y: _draw_grid(grid, reach, canvas, y, min(height, y + step)), range(0, height, step)))
    return InverseMap(*canvas)


def _empty_canvas(width: int, height: int) -> Canvas:
    canvas = tuple(np.empty((height, width), np.float32) for _ in range(3))

    def clear(first: int, last: int) -> None:
        for plane, value in zip(canvas, (np.nan, np.nan, 0.0), strict=True):
            plane[first:last] = value

    in_bands((height, width), clear)
    return canvas[0], canvas[1], canvas[2]


@compiled
@no_type_check
def _snapped(value):
    whole = np.round(value)
    return whole if abs(value - whole) < _SNAP else value


def _row_reach(grid: Grid) -> Float32[np.ndarray, "rows 2"]:
    """For each row of cells, the first above the picture, between which target y they may draw."""
    u, v, w, _, origin = grid
    span = np.empty((u.shape[0], 2), np.float32)
    in_bands(u.shape, partial(_row_span, v, w, span))
    low, high = (np.pad(span[:, i], 2, mode="edge") for i in (0, 1))
    low, high = (pick([field[i : i + len(span) + 1] for i in range(4)], axis=0)
                 for pick, field in ((np.min, low), (np.max, high)))  # fmt: skip
    # Half steps along a surface's slope reach beyond its pixels, by less than the whole range of the rows around.
    slack = np.maximum(high - low, 0) + 1
    return np.stack([low - slack - origin[1], high + slack - origin[1]], axis=1)


@compiled
@no_type_check
def _row_span(v, w, span, first, last):
    for y in range(first, last):
        low, high = np.float32(np.inf), np.float32(-np.inf)
        for x in range(v.shape[1]):
            if w[y, x] > 0:
                low, high = min(low, v[y, x]), max(high, v[y, x])
        span[y, 0] = low
        span[y, 1] = high


@compiled
@no_type_check
def _draw_triangle(a, b, c, canvas, top, bottom):
    """Draw one triangle into the target's rows from `top` up to `bottom`; corners are (u, v, 1/z, source x, y)."""
    map_x, map_y, nearest = canvas
    # NaN corners (behind the camera) leave at these tests.
    y_low, y_high = min(a[1], b[1], c[1]) - _EDGE_SLACK, max(a[1], b[1], c[1]) + _EDGE_SLACK
    if not (y_low < bottom and y_high >= top):
        return
    x_low, x_high = min(a[0], b[0], c[0]) - _EDGE_SLACK, max(a[0], b[0], c[0]) + _EDGE_SLACK
    width = nearest.shape[1]
    if not (x_low < width and x_high >= 0):
        return
    x_from, x_to = max(0, int(np.ceil(x_low))), min(width - 1, int(np.floor(x_high)))
    y_from, y_to = max(top, int(np.ceil(y_low))), min(bottom - 1, int(np.floor(y_high)))
    if x_from > x_to or y_from > y_to:
        return
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if not abs(area) >= 1e-9:
        return
    scale = 1.0 / area
    slack = -_EDGE_SLACK * max(1.0, abs(scale))
    for y in range(y_from, y_to + 1):
        for x in range(x_from, x_to + 1):
            weight_b = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) * scale
            weight_c = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) * scale
            weight_a = 1.0 - weight_b - weight_c
            if weight_a < slack or weight_b < slack or weight_c < slack:
                continue
            w = weight_a * a[2] + weight_b * b[2] + weight_c * c[2]
            if w > nearest[y, x]:
                nearest[y, x] = w
                map_x[y, x] = _snapped(weight_a * a[3] + weight_b * b[3] + weight_c * c[3])
                map_y[y, x] = _snapped(weight_a * a[4] + weight_b * b[4] + weight_c * c[4])


@compiled
@no_type_check
def _linked(links, x, y, step_x, step_y):
    """Whether pixel (x, y) and its neighbour one step away belong to one surface."""
    height, width = links.shape
    nx, ny = x + step_x, y + step_y
    if nx < 0 or ny < 0 or nx >= width or ny >= height:
        return False
    if step_x != 0:
        return links[y, min(x, nx)] & CONNECTED_RIGHT != 0
    return links[min(y, ny), x] & CONNECTED_DOWN != 0


@compiled
@no_type_check
def _half_step(field, links, x, y, step_x, step_y, fallback):
    """Half a pixel's change of `field` in a direction, by the surface's own slope there."""
    if _linked(links, x, y, step_x, step_y):
        return 0.5 * (field[y + step_y, x + step_x] - field[y, x])
    if _linked(links, x, y, -step_x, -step_y):
        return 0.5 * (field[y, x] - field[y - step_y, x - step_x])
    return 0.5 * fallback


@compiled
@no_type_check
def _draw_quarter(grid, x, y, step_x, step_y, canvas, top, bottom):
    """The quarter of pixel (x, y) towards a diagonal neighbour it is not fully linked to."""
    u, v, w, links, origin = grid
    ru = _half_step(u, links, x, y, step_x, 0, float(step_x))
    rv = _half_step(v, links, x, y, step_x, 0, 0.0)
    du = _half_step(u, links, x, y, 0, step_y, 0.0)
    dv = _half_step(v, links, x, y, 0, step_y, float(step_y))
    # Across a cut the pixel repeats its own colour: a step further would sample the other surface.
    sx = x + (0.5 * step_x if _linked(links, x, y, step_x, 0) else 0.0)
    sy = y + (0.5 * step_y if _linked(links, x, y, 0, step_y) else 0.0)
    pu, pv, pw = u[y, x] - origin[0], v[y, x] - origin[1], w[y, x]
    wr = max(pw + _half_step(w, links, x, y, step_x, 0, 0.0), 0.5 * pw)
    wd = max(pw + _half_step(w, links, x, y, 0, step_y, 0.0), 0.5 * pw)
    centre = (pu, pv, pw, float(x), float(y))
    across = (pu + ru, pv + rv, wr, sx, float(y))
    down = (pu + du, pv + dv, wd, float(x), sy)
    corner = (pu + ru + du, pv + rv + dv, max(wr + wd - pw, 0.5 * pw), sx, sy)
    _draw_triangle(centre, across, corner, canvas, top, bottom)
    _draw_triangle(centre, down, corner, canvas, top, bottom)


@compiled
@no_type_check
def _corner(grid, x, y):
    u, v, w, _, origin = grid
    return u[y, x] - origin[0], v[y, x] - origin[1], w[y, x], float(x), float(y)


@compiled
@no_type_check
def _draw_grid(grid, reach, canvas, top, bottom):
    """Draw the cells between four pixel centres, half cells around the rim included, into rows `top` to `bottom`."""
    u, _, w, links, _ = grid
    rows, columns = u.shape
    for upper in range(-1, rows):
        if reach[upper + 1, 0] > bottom or reach[upper + 1, 1] < top:
            continue
        for left in range(-1, columns):
            right, lower = left + 1, upper + 1
            inside = upper >= 0 and left >= 0 and right < columns and lower < rows
            if (
                inside
                and links[upper, left] == CONNECTED_RIGHT | CONNECTED_DOWN
                and links[lower, left] & CONNECTED_RIGHT
                and links[upper, right] & CONNECTED_DOWN
            ):
                first, last = _corner(grid, left, upper), _corner(grid, right, lower)
                _draw_triangle(first, _corner(grid, right, upper), last, canvas, top, bottom)
                _draw_triangle(first, _corner(grid, left, lower), last, canvas, top, bottom)
                continue
            for corner in range(4):
                x = right if corner & 1 else left
                y = lower if corner & 2 else upper
                if x < 0 or y < 0 or x >= columns or y >= rows or not w[y, x] > 0 or np.isnan(u[y, x]):
                    continue
                _draw_quarter(grid, x, y, -1 if corner & 1 else 1, -1 if corner & 2 else 1, canvas, top, bottom)


def surface_links(
    inverse_depth: Float32[np.ndarray, "h w"], present: Bool[np.ndarray, "h w"], jump: float = 0.04
) -> UInt8[np.ndarray, "h w"]:
    """Which neighbours belong to one surface.

    Inverse depth is linear over any plane in view, so a cut is a step of more than `jump` (relative)
    that is also three times steeper than the slopes on both its sides.
    """
    links = np.zeros(inverse_depth.shape, np.uint8)
    in_bands(links.shape, partial(_link_neighbours, inverse_depth, present, np.float32(jump), links))
    return links


@compiled
@no_type_check
def _is_cut(before, a, b, after, jump):
    step = abs(b - a)
    return step > jump * max(a, b) and step > 3.0 * max(abs(a - before), abs(after - b))


@compiled
@no_type_check
def _link_neighbours(w, present, jump, links, first, last):
    rows, columns = w.shape
    for y in range(first, last):
        for x in range(columns):
            if not present[y, x]:
                continue
            here = w[y, x]
            if x + 1 < columns and present[y, x + 1]:
                before = w[y, x - 1] if x > 0 and present[y, x - 1] else here
                after = w[y, x + 2] if x + 2 < columns and present[y, x + 2] else w[y, x + 1]
                if not _is_cut(before, here, w[y, x + 1], after, jump):
                    links[y, x] |= CONNECTED_RIGHT
            if y + 1 < rows and present[y + 1, x]:
                before = w[y - 1, x] if y > 0 and present[y - 1, x] else here
                after = w[y + 2, x] if y + 2 < rows and present[y + 2, x] else w[y + 1, x]
                if not _is_cut(before, here, w[y + 1, x], after, jump):
                    links[y, x] |= CONNECTED_DOWN
