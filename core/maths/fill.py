"""Fills for the uncovered part of a picture: the smooth membrane, and the classical methods it is compared with.

Every fill is `(picture, unknown, source_ok) -> picture`: pixels outside `unknown` come back bit for bit, and only
pixels of `source_ok` (known, not a moved object) may influence the hole. `core.maths.exemplar` has the default.
"""

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Shaped, UInt8, UInt16

from core.maths.bands import copied, in_bands
from core.maths.compiled import compiled, no_type_check
from core.maths.membrane import membrane

Picture = Float32[np.ndarray, "H W 3"] | UInt8[np.ndarray, "H W 3"] | UInt16[np.ndarray, "H W 3"]
Fill = Callable[[Picture, Bool[np.ndarray, "H W"], Bool[np.ndarray, "H W"]], Picture]

# Mid grey, for a hole that no pixel may fill.
NEUTRAL = 0.5


def to_float(picture: Picture) -> Float32[np.ndarray, "H W 3"]:
    """Values in 0..1 of an integer picture; a float picture as it is."""
    if picture.dtype == np.float32:
        return picture
    return picture.astype(np.float32) * np.float32(1.0 / np.iinfo(picture.dtype).max)


def put_back(picture: Picture, values: Float32[np.ndarray, "H W 3"], unknown: Bool[np.ndarray, "H W"]) -> Picture:
    """A copy of `picture` whose unknown pixels are `values` (0..1) in the picture's own type."""
    result = copied(picture)
    in_bands(unknown.shape, partial(_put_back, values, unknown, full_scale(picture), result))
    return result


def full_scale(picture: Shaped[np.ndarray, "H W C"]) -> np.float32:
    """The value of white: 1 for float pictures."""
    return np.float32(1 if picture.dtype == np.float32 else np.iinfo(picture.dtype).max)


@compiled
@no_type_check
def coded(value, levels):
    """A value of 0..1 as a picture with that full scale holds it; those of float pictures (1) stay as they are."""
    return value if levels == 1 else np.rint(min(max(value, np.float32(0)), np.float32(1)) * levels)


@compiled
@no_type_check
def _put_back(values, unknown, levels, result, first, last):
    for y in range(first, last):
        for x in range(unknown.shape[1]):
            if unknown[y, x]:
                for c in range(3):
                    result[y, x, c] = coded(values[y, x, c], levels)


def block_means(
    values: Shaped[np.ndarray, "H W C"], usable: Bool[np.ndarray, "H W"], step: int
) -> tuple[Float32[np.ndarray, "h w C"], Float32[np.ndarray, "h w"]]:
    """Means of the usable pixels of each `step` x `step` block, and their share of it; integers give 0..1."""
    height, width = usable.shape
    share = np.empty((-(-height // step), -(-width // step)), np.float32)
    means = np.empty((*share.shape, values.shape[2]), np.float32)
    scale = np.float32(1) / full_scale(values)
    in_bands((share.shape[0], width * step), partial(_block_means, values, usable, step, scale, means, share))
    return means, share


@compiled
@no_type_check
def _block_means(values, usable, step, scale, means, share, first, last):
    height, width, channels = values.shape
    total = np.empty((share.shape[1], channels), np.float64)
    count = np.empty(share.shape[1], np.int64)
    for row in range(first, last):
        total[:] = 0
        count[:] = 0
        for y in range(row * step, min(height, (row + 1) * step)):
            for x in range(width):
                if usable[y, x]:
                    count[x // step] += 1
                    for c in range(channels):
                        total[x // step, c] += values[y, x, c]
        for column in range(share.shape[1]):
            share[row, column] = count[column] / (step * step)
            for c in range(channels):
                means[row, column, c] = total[column, c] * scale / max(count[column], 1)


def extend(
    values: Float32[np.ndarray, "H W C"], unknown: Bool[np.ndarray, "H W"], source_ok: Bool[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W C"]:
    """The membrane over `unknown` from `source_ok` pixels; solved on at most 500 pixels a side, then enlarged."""
    step = solving_step(unknown, most=500)
    if step == 1:
        return membrane(values, unknown, source_ok & ~unknown)
    return _enlarged(_coarse_membrane(values, unknown, source_ok, step), values, unknown, step)


def _coarse_membrane(values: np.ndarray, unknown: np.ndarray, source_ok: np.ndarray, step: int) -> np.ndarray:
    """The membrane of block means; integer pictures give 0..1."""
    means, share = block_means(values, source_ok & ~unknown, step)
    return membrane(means, share <= 0, share > 0)


def _enlarged(solved: np.ndarray, picture: np.ndarray, unknown: np.ndarray, step: int) -> np.ndarray:
    """A copy of `picture` with the unknown pixels interpolated from blocks of `step` x `step` pixels."""
    result = copied(picture)
    in_bands(unknown.shape, partial(_write_enlarged, solved, step, unknown, full_scale(picture), result))
    return result


@compiled
@no_type_check
def _write_enlarged(solved, step, unknown, levels, result, first, last):
    rows, columns, channels = solved.shape
    scale = np.float32(1.0 / step)
    half = np.float32(0.5)
    for y in range(first, last):
        v = min(max((y + half) * scale - half, np.float32(0)), np.float32(rows - 1))
        y0 = int(v)
        y1 = min(y0 + 1, rows - 1)
        fy = v - np.float32(y0)
        for x in range(unknown.shape[1]):
            if not unknown[y, x]:
                continue
            u = min(max((x + half) * scale - half, np.float32(0)), np.float32(columns - 1))
            x0 = int(u)
            x1 = min(x0 + 1, columns - 1)
            fx = u - np.float32(x0)
            for c in range(channels):
                above = solved[y0, x0, c] + fx * (solved[y0, x1, c] - solved[y0, x0, c])
                below = solved[y1, x0, c] + fx * (solved[y1, x1, c] - solved[y1, x0, c])
                result[y, x, c] = coded(above + fy * (below - above), levels)


def solving_step(unknown: Bool[np.ndarray, "H W"], most: int = 750) -> int:
    """By how much a window is reduced before solving: to at most `most` pixels on its longer side, as a preview has."""
    return -(-max(unknown.shape) // most)


def smooth(picture: Picture, unknown: Bool[np.ndarray, "H W"], source_ok: Bool[np.ndarray, "H W"]) -> Picture:
    """Continue the allowed neighbours smoothly over the hole: the quick fill, and the base of the exemplar fill."""
    if not (source_ok & ~unknown).any():
        return _neutral(picture, unknown)
    step = solving_step(unknown, most=500)
    if step == 1:
        return put_back(picture, membrane(to_float(picture), unknown, source_ok & ~unknown), unknown)
    return _enlarged(_coarse_membrane(picture, unknown, source_ok, step), picture, unknown, step)


def telea(picture: Picture, unknown: Bool[np.ndarray, "H W"], source_ok: Bool[np.ndarray, "H W"]) -> Picture:
    """OpenCV's fast marching inpainting (Telea 2004), radius 5."""
    return _opencv(picture, unknown, source_ok, cv2.INPAINT_TELEA)


def navier_stokes(picture: Picture, unknown: Bool[np.ndarray, "H W"], source_ok: Bool[np.ndarray, "H W"]) -> Picture:
    """OpenCV's fluid dynamics inpainting (Bertalmio 2001), radius 5."""
    return _opencv(picture, unknown, source_ok, cv2.INPAINT_NS)


def frequency_selective(
    picture: Picture, unknown: Bool[np.ndarray, "H W"], source_ok: Bool[np.ndarray, "H W"]
) -> Picture:
    """OpenCV contrib's frequency selective reconstruction, fast setting (Genser 2018)."""
    missing = unknown | ~source_ok
    if missing.all():
        return _neutral(picture, unknown)
    result = np.zeros((*unknown.shape, 3), np.uint8)
    kept = np.where(missing, 0, 255).astype(np.uint8)
    cv2.xphoto.inpaint(_bytes(picture), kept, result, cv2.xphoto.INPAINT_FSR_FAST)
    return put_back(picture, to_float(result), unknown)


def biharmonic(picture: Picture, unknown: Bool[np.ndarray, "H W"], source_ok: Bool[np.ndarray, "H W"]) -> Picture:
    """scikit-image's biharmonic inpainting (Damelin 2018)."""
    from skimage.restoration import inpaint_biharmonic

    missing = unknown | ~source_ok
    if missing.all():
        return _neutral(picture, unknown)
    result = inpaint_biharmonic(to_float(picture), missing, split_into_regions=False, channel_axis=-1)
    return put_back(picture, result.astype(np.float32), unknown)


def _opencv(picture: Picture, unknown: np.ndarray, source_ok: np.ndarray, method: int) -> Picture:
    missing = unknown | ~source_ok
    if missing.all():
        return _neutral(picture, unknown)
    result = cv2.inpaint(_bytes(picture), missing.astype(np.uint8), 5, method)
    return put_back(picture, to_float(result), unknown)


def _neutral(picture: Picture, unknown: np.ndarray) -> Picture:
    return put_back(picture, np.full((*unknown.shape, 3), NEUTRAL, np.float32), unknown)


def _bytes(picture: Picture) -> UInt8[np.ndarray, "H W 3"]:
    return picture if picture.dtype == np.uint8 else np.rint(to_float(picture) * 255).clip(0, 255).astype(np.uint8)
