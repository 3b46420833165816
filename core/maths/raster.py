"""Forward warping as rasterisation: a picture's pixel grid, bent and drawn with a z-test.

The result is the *inverse* map (for each target pixel, where it comes from in the source), so that
colours are resampled once, from the original pixels, and coverage is exact: neighbouring pixels of
one surface share an edge (no cracks), pixels of different surfaces do not (no rubber sheets).
"""

from dataclasses import dataclass

import numba
import numpy as np
from jaxtyping import Bool, Float32, UInt8

CONNECTED_RIGHT = 1
CONNECTED_DOWN = 2
_EDGE_SLACK = 1e-4  # of a pixel: keeps a target centre that lies on a shared edge from slipping through
_SNAP = 2e-3  # of a pixel: source positions this near to a pixel centre are that centre, so identity stays exact


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
) -> InverseMap:
    """Draw source pixel (x, y) at target (u, v) with inverse depth 1/z; the nearest wins.

    Pixels with NaN `u` or inverse depth <= 0 are absent. `links` holds CONNECTED_RIGHT and
    CONNECTED_DOWN bits between neighbours of one surface. Between unlinked neighbours each pixel
    reaches half a pixel outwards along its own surface and repeats its own colour there.
    """
    map_x = np.full((height, width), np.nan, np.float32)
    map_y = np.full((height, width), np.nan, np.float32)
    nearest = np.zeros((height, width), np.float32)
    _draw_grid(u, v, inverse_depth, links, map_x, map_y, nearest)
    return InverseMap(map_x, map_y, nearest)


@numba.njit(cache=True, inline="always")
def _snapped(value):
    whole = np.round(value)
    return whole if abs(value - whole) < _SNAP else value


@numba.njit(cache=True, fastmath=False)
def _draw_triangle(
    ax, ay, aw, asx, asy, bx, by, bw, bsx, bsy, cx, cy, cw, csx, csy, map_x, map_y, nearest
):  # fmt: skip
    height, width = nearest.shape
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if abs(area) < 1e-9:
        return
    x_from = max(0, int(np.ceil(min(ax, bx, cx) - _EDGE_SLACK)))
    x_to = min(width - 1, int(np.floor(max(ax, bx, cx) + _EDGE_SLACK)))
    y_from = max(0, int(np.ceil(min(ay, by, cy) - _EDGE_SLACK)))
    y_to = min(height - 1, int(np.floor(max(ay, by, cy) + _EDGE_SLACK)))
    scale = 1.0 / area
    slack = -_EDGE_SLACK * max(1.0, abs(scale))
    for y in range(y_from, y_to + 1):
        for x in range(x_from, x_to + 1):
            weight_b = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) * scale
            weight_c = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) * scale
            weight_a = 1.0 - weight_b - weight_c
            if weight_a < slack or weight_b < slack or weight_c < slack:
                continue
            w = weight_a * aw + weight_b * bw + weight_c * cw
            if w > nearest[y, x]:
                nearest[y, x] = w
                map_x[y, x] = _snapped(weight_a * asx + weight_b * bsx + weight_c * csx)
                map_y[y, x] = _snapped(weight_a * asy + weight_b * bsy + weight_c * csy)


@numba.njit(cache=True, inline="always")
def _linked(links, x, y, step_x, step_y):
    """Whether pixel (x, y) and its neighbour one step away belong to one surface."""
    height, width = links.shape
    nx, ny = x + step_x, y + step_y
    if nx < 0 or ny < 0 or nx >= width or ny >= height:
        return False
    if step_x != 0:
        return links[y, min(x, nx)] & CONNECTED_RIGHT != 0
    return links[min(y, ny), x] & CONNECTED_DOWN != 0


@numba.njit(cache=True)
def _half_step(field, links, x, y, step_x, step_y, fallback):
    """Half a pixel's change of `field` in a direction, by the surface's own slope there."""
    if _linked(links, x, y, step_x, step_y):
        return 0.5 * (field[y + step_y, x + step_x] - field[y, x])
    if _linked(links, x, y, -step_x, -step_y):
        return 0.5 * (field[y, x] - field[y - step_y, x - step_x])
    return 0.5 * fallback


@numba.njit(cache=True)
def _draw_quarter(u, v, w, links, x, y, step_x, step_y, map_x, map_y, nearest):
    """The quarter of pixel (x, y) towards a diagonal neighbour it is not fully linked to."""
    ru = _half_step(u, links, x, y, step_x, 0, float(step_x))
    rv = _half_step(v, links, x, y, step_x, 0, 0.0)
    du = _half_step(u, links, x, y, 0, step_y, 0.0)
    dv = _half_step(v, links, x, y, 0, step_y, float(step_y))
    # Across a cut the pixel repeats its own colour: a step further would sample the other surface.
    sx = x + (0.5 * step_x if _linked(links, x, y, step_x, 0) else 0.0)
    sy = y + (0.5 * step_y if _linked(links, x, y, 0, step_y) else 0.0)
    pu, pv, pw = u[y, x], v[y, x], w[y, x]
    wr = max(pw + _half_step(w, links, x, y, step_x, 0, 0.0), 0.5 * pw)
    wd = max(pw + _half_step(w, links, x, y, 0, step_y, 0.0), 0.5 * pw)
    wc = max(wr + wd - pw, 0.5 * pw)
    _draw_triangle(pu, pv, pw, x, y, pu + ru, pv + rv, wr, sx, y, pu + ru + du, pv + rv + dv, wc, sx, sy, map_x, map_y, nearest)  # fmt: skip  # noqa: E501
    _draw_triangle(pu, pv, pw, x, y, pu + du, pv + dv, wd, x, sy, pu + ru + du, pv + rv + dv, wc, sx, sy, map_x, map_y, nearest)  # fmt: skip  # noqa: E501


@numba.njit(cache=True)
def _draw_grid(u, v, w, links, map_x, map_y, nearest):
    """Walk the cells between four pixel centres, the half cells around the picture's rim included."""
    rows, columns = u.shape
    for top in range(-1, rows):
        for left in range(-1, columns):
            right, bottom = left + 1, top + 1
            inside = top >= 0 and left >= 0 and right < columns and bottom < rows
            if (
                inside
                and links[top, left] == CONNECTED_RIGHT | CONNECTED_DOWN
                and links[bottom, left] & CONNECTED_RIGHT
                and links[top, right] & CONNECTED_DOWN
            ):
                _draw_triangle(
                    u[top, left], v[top, left], w[top, left], left, top,
                    u[top, right], v[top, right], w[top, right], right, top,
                    u[bottom, right], v[bottom, right], w[bottom, right], right, bottom,
                    map_x, map_y, nearest,
                )  # fmt: skip
                _draw_triangle(
                    u[top, left], v[top, left], w[top, left], left, top,
                    u[bottom, left], v[bottom, left], w[bottom, left], left, bottom,
                    u[bottom, right], v[bottom, right], w[bottom, right], right, bottom,
                    map_x, map_y, nearest,
                )  # fmt: skip
                continue
            for corner in range(4):
                x = right if corner & 1 else left
                y = bottom if corner & 2 else top
                if x < 0 or y < 0 or x >= columns or y >= rows or not w[y, x] > 0 or np.isnan(u[y, x]):
                    continue
                _draw_quarter(
                    u, v, w, links, x, y, -1 if corner & 1 else 1, -1 if corner & 2 else 1, map_x, map_y, nearest
                )


def surface_links(
    inverse_depth: Float32[np.ndarray, "h w"], present: Bool[np.ndarray, "h w"], jump: float = 0.04
) -> UInt8[np.ndarray, "h w"]:
    """Which neighbours belong to one surface.

    Inverse depth is linear over any plane in view, so a cut is a step of more than `jump` (relative)
    that is also three times steeper than the slopes on both its sides.
    """
    links = np.zeros(inverse_depth.shape, np.uint8)
    _link_neighbours(inverse_depth, present, np.float32(jump), links)
    return links


@numba.njit(cache=True, inline="always")
def _is_cut(before, a, b, after, jump):
    step = abs(b - a)
    return step > jump * max(a, b) and step > 3.0 * max(abs(a - before), abs(after - b))


@numba.njit(cache=True)
def _link_neighbours(w, present, jump, links):
    rows, columns = w.shape
    for y in range(rows):
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
