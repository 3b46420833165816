"""Passes over a whole picture, shared out among the cores as bands of rows.

A band's work is a compiled kernel, or numpy and OpenCV calls that release the interpreter. Each band writes only its
own rows, so that results do not depend on the number of threads. On 12 megapixels a boolean assignment by numpy takes
0.2 s, the same as a kernel in bands 0.01 s.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from core.maths.compiled import compiled, no_type_check

# Pixels of one band: small enough for the cache between two calls, large enough to be worth a thread's wake-up.
_BAND = 1 << 17


def cores() -> int:
    """How many threads are worth running at once."""
    return os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores(), thread_name_prefix="bands")


def in_bands(shape: tuple[int, ...], work: Callable[[int, int], Any]) -> None:
    """Call `work(first, last)` for bands of rows that together cover a picture of `shape` (H, W, ...).

    `work` must not call `in_bands` itself: it would wait for the threads it runs on.
    """
    rows, columns = shape[:2]
    step = max(1, _BAND // max(1, columns))
    if rows <= 2 * step:
        work(0, rows)
    else:
        list(_pool().map(lambda first: work(first, min(rows, first + step)), range(0, rows, step)))


def reciprocal(values: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """1 / value where it is positive, 0 elsewhere: depth to inverse depth and back."""
    result = np.empty(values.shape, np.float32)
    in_bands(values.shape, partial(_reciprocal, values, result))
    return result


@compiled
@no_type_check
def _reciprocal(values, result, first, last):
    for y in range(first, last):
        for x in range(values.shape[1]):
            value = values[y, x]
            result[y, x] = np.float32(1) / value if value > 0 else np.float32(0)


def copied(field: Shaped[np.ndarray, "H W *C"]) -> Shaped[np.ndarray, "H W *C"]:
    """A copy; most of the time that a large one takes goes into getting its memory, which threads share."""
    result = np.empty(field.shape, field.dtype)
    in_bands(field.shape, lambda first, last: np.copyto(result[first:last], field[first:last]))
    return result


def paste(
    target: Shaped[np.ndarray, "H W *C"], values: Shaped[np.ndarray, "#H #W *C"], where: Bool[np.ndarray, "H W"]
) -> None:
    """`target[where] = values[where]`, in place; `values` of one row or column count for all."""
    if target.ndim == 2:
        target, values = target[..., None], values[..., None]
    in_bands(target.shape, partial(_paste, target, values, where))


@compiled
@no_type_check
def _paste(target, values, where, first, last):
    rows, columns, channels = values.shape
    for y in range(first, last):
        for x in range(target.shape[1]):
            if where[y, x]:
                for c in range(channels):
                    target[y, x, c] = values[min(y, rows - 1), min(x, columns - 1), c]


def block_any(marked: Bool[np.ndarray, "H W"], step: int) -> Bool[np.ndarray, "h w"]:
    """Whether any pixel of each `step` x `step` block is marked; blocks at the rim may be cut."""
    height, width = marked.shape
    result = np.zeros((-(-height // step), -(-width // step)), bool)
    in_bands((result.shape[0], width * step), partial(_block_any, marked, step, result))
    return result


@compiled
@no_type_check
def _block_any(marked, step, result, first, last):
    height, width = marked.shape
    for row in range(first, last):
        for y in range(row * step, min(height, (row + 1) * step)):
            for x in range(width):
                if marked[y, x]:
                    result[row, x // step] = True
