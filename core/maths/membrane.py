"""Smooth interpolation into holes: Laplace's equation solved coarse to fine."""

import numpy as np
from jaxtyping import Bool, Float32

from core.maths.compiled import compiled, no_type_check

_SWEEPS_PER_LEVEL = 24
_COARSEST = 4


def membrane(
    values: Float32[np.ndarray, "H W C"], unknown: Bool[np.ndarray, "H W"], source: Bool[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W C"]:
    """Fill `unknown` pixels harmonically from `source` pixels (known pixels outside `source` are ignored).

    Known pixels come back unchanged. Exact on fields that are linear in the picture, so inverse depth of a
    plane continues as that plane. With no source pixel at all the unknown ones become 0.
    """
    if not unknown.any():
        return values.copy()
    usable = source & ~unknown
    filled = _solve(np.where(usable[..., None], values, np.float32(0)), usable)
    return np.where(unknown[..., None], filled, values)


def _solve(values: Float32[np.ndarray, "H W C"], fixed: Bool[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W C"]:
    if fixed.all() or min(values.shape[:2]) <= _COARSEST:
        guess = values.copy()
        if fixed.any():
            guess[~fixed] = values[fixed].mean(axis=0)
    else:
        guess = values.copy()
        coarse_values, coarse_fixed = _halved(values, fixed)
        _interpolate_free(_solve(coarse_values, coarse_fixed), fixed, guess)
    _relax(guess, fixed, _SWEEPS_PER_LEVEL)
    return guess


@compiled
@no_type_check
def _halved(values, fixed):
    """Average the fixed pixels of each 2x2 block; a block is fixed when any of its pixels is."""
    rows, columns, channels = values.shape
    half_rows, half_columns = (rows + 1) // 2, (columns + 1) // 2
    out = np.zeros((half_rows, half_columns, channels), np.float32)
    count = np.zeros((half_rows, half_columns), np.int32)
    for y in range(rows):
        for x in range(columns):
            if fixed[y, x]:
                count[y // 2, x // 2] += 1
                for c in range(channels):
                    out[y // 2, x // 2, c] += values[y, x, c]
    for y in range(half_rows):
        for x in range(half_columns):
            if count[y, x]:
                for c in range(channels):
                    out[y, x, c] /= count[y, x]
    return out, count > 0


@compiled
@no_type_check
def _interpolate_free(coarse, fixed, guess):
    """Write the bilinear interpolation of `coarse` into the pixels of `guess` that are not fixed."""
    rows, columns, channels = guess.shape
    half_rows, half_columns = coarse.shape[:2]
    for y in range(rows):
        position = min(max(0.5 * y - 0.25, 0.0), half_rows - 1.0)
        y0 = int(position)
        y1 = min(y0 + 1, half_rows - 1)
        fy = position - y0
        for x in range(columns):
            if fixed[y, x]:
                continue
            position = min(max(0.5 * x - 0.25, 0.0), half_columns - 1.0)
            x0 = int(position)
            x1 = min(x0 + 1, half_columns - 1)
            fx = position - x0
            for c in range(channels):
                guess[y, x, c] = (1 - fy) * ((1 - fx) * coarse[y0, x0, c] + fx * coarse[y0, x1, c]) + fy * (
                    (1 - fx) * coarse[y1, x0, c] + fx * coarse[y1, x1, c]
                )


@compiled
@no_type_check
def _relax(guess, fixed, sweeps):
    """Gauss-Seidel sweeps, alternating direction, over the free pixels; the picture's rim reflects."""
    rows, columns, channels = guess.shape
    free_y, free_x = np.nonzero(~fixed)
    count = free_y.size
    for sweep in range(sweeps):
        for step in range(count):
            k = step if sweep % 2 == 0 else count - 1 - step
            y, x = free_y[k], free_x[k]
            if 0 < y < rows - 1 and 0 < x < columns - 1:
                for c in range(channels):
                    total = guess[y - 1, x, c] + guess[y + 1, x, c] + guess[y, x - 1, c] + guess[y, x + 1, c]
                    guess[y, x, c] = np.float32(0.25) * total
                continue
            neighbours = (y > 0) + (y < rows - 1) + (x > 0) + (x < columns - 1)
            for c in range(channels):
                total = np.float32(0)
                if y > 0:
                    total += guess[y - 1, x, c]
                if y < rows - 1:
                    total += guess[y + 1, x, c]
                if x > 0:
                    total += guess[y, x - 1, c]
                if x < columns - 1:
                    total += guess[y, x + 1, c]
                if neighbours:
                    guess[y, x, c] = total / neighbours
