"""Compiled kernels of PatchMatch (Barnes et al. 2009) for completing one picture from itself.

A target is a patch centre whose patch touches the hole; its match is a centre whose patch lies wholly in allowed
source. Matches may differ in tone: each carries a bounded offset per channel, which lets a shaded table be continued
from its lit part.

Kernels release the GIL and work on a band of rows; a band reads its neighbours' matches from a snapshot, so that the
result depends on the bands and the seed but not on how many threads run. `no_type_check` keeps the test run's shape
checker from wrapping functions before numba sees them.
"""

import math
from typing import Any, NamedTuple, cast, no_type_check

import numba
import numpy as np

from core.maths.fill import coded

RADIUS = 3
PAD = RADIUS + 1
_SIDE = 2 * RADIUS + 1
_LANES = _SIDE + 1


class Field(NamedTuple):
    """One level's arrays, padded by `PAD` on each side so that no kernel tests the frame; the last three are written.

    `image` [4 H W]: three colours and the local coarseness of the texture, without which smooth patches would win
    everywhere (Newson et al. 2014). `weight`: what a pixel counts as context. `guide` [4 H W]: the overall tone
    (the membrane's inside the hole) and log depth. `match` [2 H W]: (y, x) of the source of each target.
    """

    image: np.ndarray
    weight: np.ndarray
    guide: np.ndarray
    target: np.ndarray
    allowed: np.ndarray
    limit: np.float32
    far: np.float32
    match: np.ndarray
    cost: np.ndarray
    bias: np.ndarray


def _compiled(function: Any) -> Any:
    return cast(Any, numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")(function))


@_compiled
@no_type_check
def _next(state):
    """One step of xorshift64*; `state` is a one-element uint64 array."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return (x * np.uint64(2685821657736338717)) >> np.uint64(33)


@_compiled
@no_type_check
def _between(state, low, high):
    """A whole number in [low, high]."""
    return low + np.int64(_next(state) % np.uint64(high - low + 1))


@_compiled
@no_type_check
def _load_weights(weight, ty, tx, patch):
    """Copy the target's weights into the [7 8] buffer and return their sum."""
    total = np.float32(0)
    for dy in range(_SIDE):
        for i in range(_SIDE):
            patch[dy, i] = weight[ty + dy - RADIUS, tx + i - RADIUS]
            total += patch[dy, i]
    return total


@_compiled
@no_type_check
def _colour_cost(image, patch, total, limit, ty, tx, qy, qx):
    """Mean squared difference of colour and coarseness after the best bounded tone offset, and that offset.

    Rows are eight wide with a zero weight at the end: 105 ns a patch against 170 ns for seven.
    """
    s0 = np.float32(0)
    s1 = np.float32(0)
    s2 = np.float32(0)
    square = np.float32(0)
    for dy in range(_SIDE):
        for i in range(_LANES):
            w = patch[dy, i]
            d0 = image[0, ty + dy - RADIUS, tx + i - RADIUS] - image[0, qy + dy - RADIUS, qx + i - RADIUS]
            d1 = image[1, ty + dy - RADIUS, tx + i - RADIUS] - image[1, qy + dy - RADIUS, qx + i - RADIUS]
            d2 = image[2, ty + dy - RADIUS, tx + i - RADIUS] - image[2, qy + dy - RADIUS, qx + i - RADIUS]
            d3 = image[3, ty + dy - RADIUS, tx + i - RADIUS] - image[3, qy + dy - RADIUS, qx + i - RADIUS]
            s0 += w * d0
            s1 += w * d1
            s2 += w * d2
            square += w * (d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3)
    inverse = np.float32(1) / max(total, np.float32(1e-6))
    o0 = min(max(s0 * inverse, -limit), limit)
    o1 = min(max(s1 * inverse, -limit), limit)
    o2 = min(max(s2 * inverse, -limit), limit)
    tone = o0 * o0 + o1 * o1 + o2 * o2
    left = square - 2 * (o0 * s0 + o1 * s1 + o2 * s2) + total * tone
    # A tone offset is cheaper than a wrong texture but not free.
    return max(left * inverse, np.float32(0)) + np.float32(0.3) * tone, o0, o1, o2


@_compiled
@no_type_check
def _place_cost(field, ty, tx, qy, qx):
    """What a source adds by being far away, at another depth, or of another overall tone than the hole's surroundings.

    Weights found by eye on coffee and by figures on the mask benchmark.
    """
    dy = np.float32(qy - ty)
    dx = np.float32(qx - tx)
    d0 = field.guide[0, ty, tx] - field.guide[0, qy, qx]
    d1 = field.guide[1, ty, tx] - field.guide[1, qy, qx]
    d2 = field.guide[2, ty, tx] - field.guide[2, qy, qx]
    depth = min(abs(field.guide[3, ty, tx] - field.guide[3, qy, qx]), np.float32(1))
    tone = np.float32(0.5) * (d0 * d0 + d1 * d1 + d2 * d2)
    return field.far * math.sqrt(dx * dx + dy * dy) + tone + np.float32(4e-3) * depth


@_compiled
@no_type_check
def _try_match(field, patch, total, ty, tx, qy, qx):
    """Keep (qy, qx) as the target's match when it is cheaper."""
    place = _place_cost(field, ty, tx, qy, qx)
    if place >= field.cost[ty, tx]:
        return
    value, o0, o1, o2 = _colour_cost(field.image, patch, total, field.limit, ty, tx, qy, qx)
    value += place
    if value < field.cost[ty, tx]:
        field.cost[ty, tx] = value
        field.match[0, ty, tx] = qy
        field.match[1, ty, tx] = qx
        field.bias[0, ty, tx] = o0
        field.bias[1, ty, tx] = o1
        field.bias[2, ty, tx] = o2


@_compiled
@no_type_check
def rate(field, rows):
    """Recompute cost and tone offset of every target's match after the picture changed."""
    patch = np.zeros((_SIDE, _LANES), dtype=np.float32)
    for ty in range(rows[0], rows[1]):
        for tx in range(PAD, field.target.shape[1] - PAD):
            if field.target[ty, tx]:
                total = _load_weights(field.weight, ty, tx, patch)
                field.cost[ty, tx] = np.float32(np.inf)
                qy, qx = field.match[0, ty, tx], field.match[1, ty, tx]
                _try_match(field, patch, total, ty, tx, qy, qx)


@_compiled
@no_type_check
def scatter(field, sources, rows, tries, seed):
    """Try `tries` random sources for every target; `sources` is [N 2] of allowed centres (y, x)."""
    state = np.array([seed], dtype=np.uint64)
    patch = np.zeros((_SIDE, _LANES), dtype=np.float32)
    for ty in range(rows[0], rows[1]):
        for tx in range(PAD, field.target.shape[1] - PAD):
            if not field.target[ty, tx]:
                continue
            total = _load_weights(field.weight, ty, tx, patch)
            for _ in range(tries):
                pick = _between(state, 0, sources.shape[0] - 1)
                qy, qx = sources[pick, 0], sources[pick, 1]
                _try_match(field, patch, total, ty, tx, qy, qx)


@_compiled
@no_type_check
def sweep(field, before, rows, forward, reach, seed):
    """One PatchMatch pass over a band: take over shifted matches of two neighbours, then search around the best."""
    state = np.array([seed], dtype=np.uint64)
    patch = np.zeros((_SIDE, _LANES), dtype=np.float32)
    height, width = field.target.shape
    step = 1 if forward else -1
    first = rows[0] if forward else rows[1] - 1
    for i in range(rows[1] - rows[0]):
        ty = first + i * step
        for j in range(PAD, width - PAD):
            tx = j if forward else width - 1 - j
            if not field.target[ty, tx]:
                continue
            total = _load_weights(field.weight, ty, tx, patch)
            for k in range(2):
                ny = ty - step if k == 0 else ty
                nx = tx - step if k == 1 else tx
                if not field.target[ny, nx]:
                    continue
                known = field.match if rows[0] <= ny < rows[1] else before
                qy = known[0, ny, nx] + ty - ny
                qx = known[1, ny, nx] + tx - nx
                if field.allowed[qy, qx]:
                    _try_match(field, patch, total, ty, tx, qy, qx)
            radius = reach
            while radius >= 1:
                by, bx = field.match[0, ty, tx], field.match[1, ty, tx]
                qy = _between(state, max(by - radius, PAD), min(by + radius, height - PAD - 1))
                qx = _between(state, max(bx - radius, PAD), min(bx + radius, width - PAD - 1))
                if field.allowed[qy, qx]:
                    _try_match(field, patch, total, ty, tx, qy, qx)
                radius //= 2


@_compiled
@no_type_check
def vote(field, where, trust, falloff, out, rows):
    """Average of what the patches over each pixel of `where` say, weighted by `trust` and `falloff` [7 7]."""
    for y in range(rows[0], rows[1]):
        for x in range(PAD, where.shape[1] - PAD):
            if not where[y, x]:
                continue
            total = np.float32(1e-12)
            v0 = np.float32(0)
            v1 = np.float32(0)
            v2 = np.float32(0)
            v3 = np.float32(0)
            for dy in range(-RADIUS, RADIUS + 1):
                for dx in range(-RADIUS, RADIUS + 1):
                    ty = y - dy
                    tx = x - dx
                    if not field.target[ty, tx]:
                        continue
                    w = trust[ty, tx] * falloff[dy + RADIUS, dx + RADIUS]
                    qy = field.match[0, ty, tx] + dy
                    qx = field.match[1, ty, tx] + dx
                    total += w
                    v0 += w * (field.image[0, qy, qx] + field.bias[0, ty, tx])
                    v1 += w * (field.image[1, qy, qx] + field.bias[1, ty, tx])
                    v2 += w * (field.image[2, qy, qx] + field.bias[2, ty, tx])
                    v3 += w * field.image[3, qy, qx]
            out[0, y, x] = v0 / total
            out[1, y, x] = v1 / total
            out[2, y, x] = v2 / total
            out[3, y, x] = v3 / total


@_compiled
@no_type_check
def upsample_matches(field, coarse, sources, rows, seed):
    """Matches of a level twice as fine; a match that falls outside the allowed source is looked for nearby."""
    state = np.array([seed], dtype=np.uint64)
    height, width = field.target.shape
    for ty in range(rows[0], rows[1]):
        for tx in range(PAD, width - PAD):
            if not field.target[ty, tx]:
                continue
            cy = (ty - PAD) // 2 + PAD
            cx = (tx - PAD) // 2 + PAD
            qy = 2 * (coarse[0, cy, cx] - PAD) + ((ty - PAD) & 1) + PAD
            qx = 2 * (coarse[1, cy, cx] - PAD) + ((tx - PAD) & 1) + PAD
            radius = 2
            while coarse[0, cy, cx] < 0 or not (PAD <= qy < height and PAD <= qx < width and field.allowed[qy, qx]):
                if radius > 64 or coarse[0, cy, cx] < 0:
                    pick = _between(state, 0, sources.shape[0] - 1)
                    qy, qx = sources[pick, 0], sources[pick, 1]
                    break
                y0, x0 = min(max(qy, PAD), height - 1), min(max(qx, PAD), width - 1)
                qy = _between(state, max(y0 - radius, PAD), min(y0 + radius, height - 1))
                qx = _between(state, max(x0 - radius, PAD), min(x0 + radius, width - 1))
                radius += 1
            field.match[0, ty, tx] = qy
            field.match[1, ty, tx] = qx


@_compiled
@no_type_check
def transfer(picture, unknown, levels, match, correction, step, result, first, last):
    """Copy the unknown pixels of rows `first` to `last` from where the reduced solution took theirs.

    `match` [H W 2] and `correction` [H W 3] are padded and `step` times smaller. A pixel blends the copies of the four
    nearest reduced pixels: one and the same copy inside a coherent piece, a soft joint between two.
    """
    height, width = correction.shape[0] - 2 * PAD, correction.shape[1] - 2 * PAD
    scale = np.float32(1) / levels
    value = np.empty(3, np.float32)
    for y in range(first, last):
        v = (y + 0.5) / step - 0.5
        y0 = math.floor(v)
        for x in range(unknown.shape[1]):
            if not unknown[y, x]:
                continue
            u = (x + 0.5) / step - 0.5
            x0 = math.floor(u)
            value[:] = 0
            for k in range(4):
                dy, dx = k // 2, k % 2
                share = np.float32((v - y0 if dy else 1 - v + y0) * (u - x0 if dx else 1 - u + x0))
                if share <= 0:
                    continue
                sy = min(max(y0 + dy, 0), height - 1)
                sx = min(max(x0 + dx, 0), width - 1)
                qy = y + step * (match[sy + PAD, sx + PAD, 0] - PAD - sy)
                qx = x + step * (match[sy + PAD, sx + PAD, 1] - PAD - sx)
                for c in range(3):
                    value[c] += share * (picture[qy, qx, c] * scale + correction[sy + PAD, sx + PAD, c])
            for c in range(3):
                result[y, x, c] = coded(value[c], levels)
