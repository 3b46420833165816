"""Fills for the uncovered part of a picture: the smooth membrane, and the classical methods it is compared with.

Every fill is `(picture, unknown, source_ok) -> picture`: pixels outside `unknown` come back bit for bit, and only
pixels of `source_ok` (known, not a moved object) may influence the hole. `core.maths.exemplar` has the default.
"""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Shaped, UInt8, UInt16

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


def put_back(picture: Picture, values: Float32[np.ndarray, "N 3"], unknown: Bool[np.ndarray, "H W"]) -> Picture:
    """A copy of `picture` whose N unknown pixels, in reading order, are `values` (0..1) in the picture's own type."""
    result = picture.copy()
    if picture.dtype != np.float32:
        values = np.rint(np.clip(values, 0, 1) * np.iinfo(picture.dtype).max).astype(picture.dtype)
    result[unknown] = values
    return result


def block_means(
    values: Shaped[np.ndarray, "H W *C"], usable: Bool[np.ndarray, "H W"], step: int
) -> tuple[Float32[np.ndarray, "h w *C"], Float32[np.ndarray, "h w"]]:
    """Means of the usable pixels of each `step` x `step` block, and the share of usable ones; rims are padded.

    Integer pictures give means in 0..1. They are averaged as 16-bit integers: a float copy of a 12 megapixel
    picture alone would cost half a second.
    """
    height, width = usable.shape
    size = (-(-width // step), -(-height // step))
    rim = (0, size[1] * step - height, 0, size[0] * step - width)
    weight = cv2.copyMakeBorder(usable.astype(np.uint8) * np.uint8(255), *rim, cv2.BORDER_CONSTANT)
    share = cv2.resize(weight.astype(np.float32) / 255, size, interpolation=cv2.INTER_AREA)
    spread = (...,) + (None,) * (values.ndim - 2)
    masked = np.where(usable[spread], values, values.dtype.type(0))
    if masked.dtype == np.uint8:
        masked = masked.astype(np.uint16) * np.uint16(257)
    padded = cv2.copyMakeBorder(masked, *rim, cv2.BORDER_CONSTANT)
    total = cv2.resize(padded, size, interpolation=cv2.INTER_AREA).reshape(share.shape + values.shape[2:])
    scale = np.float32(1.0 / np.iinfo(masked.dtype).max if masked.dtype == np.uint16 else 1.0)
    return total * scale / np.maximum(share, 1e-6)[spread], share


def extend(
    values: Float32[np.ndarray, "H W C"], unknown: Bool[np.ndarray, "H W"], source_ok: Bool[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W C"]:
    """The membrane over `unknown` from `source_ok` pixels; solved on at most 500 pixels a side, then enlarged."""
    step = solving_step(unknown, most=500)
    if step == 1:
        return membrane(values, unknown, source_ok & ~unknown)
    return np.where(unknown[..., None], _enlarged_membrane(values, unknown, source_ok, step), values)


def _enlarged_membrane(values: np.ndarray, unknown: np.ndarray, source_ok: np.ndarray, step: int) -> np.ndarray:
    """The membrane of block means at the field's own size; integer pictures come out in 0..1."""
    means, share = block_means(values, source_ok & ~unknown, step)
    solved = membrane(means, share <= 0, share > 0)
    size = (solved.shape[1] * step, solved.shape[0] * step)
    large = cv2.resize(solved, size, interpolation=cv2.INTER_LINEAR).reshape(size[1], size[0], -1)
    return large[: unknown.shape[0], : unknown.shape[1]]


def solving_step(unknown: Bool[np.ndarray, "H W"], most: int = 800) -> int:
    """By how much a window is reduced before solving: to at most `most` pixels on its longer side, as a preview has."""
    return -(-max(unknown.shape) // most)


def smooth(picture: Picture, unknown: Bool[np.ndarray, "H W"], source_ok: Bool[np.ndarray, "H W"]) -> Picture:
    """Continue the allowed neighbours smoothly over the hole: the quick fill, and the base of the exemplar fill."""
    if not (source_ok & ~unknown).any():
        return _neutral(picture, unknown)
    step = solving_step(unknown, most=500)
    if step == 1:
        filled = membrane(to_float(picture), unknown, source_ok & ~unknown)
    else:
        filled = _enlarged_membrane(picture, unknown, source_ok, step)
    return put_back(picture, filled[unknown], unknown)


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
    return put_back(picture, to_float(result)[unknown], unknown)


def biharmonic(picture: Picture, unknown: Bool[np.ndarray, "H W"], source_ok: Bool[np.ndarray, "H W"]) -> Picture:
    """scikit-image's biharmonic inpainting (Damelin 2018)."""
    from skimage.restoration import inpaint_biharmonic

    missing = unknown | ~source_ok
    if missing.all():
        return _neutral(picture, unknown)
    result = inpaint_biharmonic(to_float(picture), missing, split_into_regions=False, channel_axis=-1)
    return put_back(picture, result.astype(np.float32)[unknown], unknown)


def _opencv(picture: Picture, unknown: np.ndarray, source_ok: np.ndarray, method: int) -> Picture:
    missing = unknown | ~source_ok
    if missing.all():
        return _neutral(picture, unknown)
    result = cv2.inpaint(_bytes(picture), missing.astype(np.uint8), 5, method)
    return put_back(picture, to_float(result)[unknown], unknown)


def _neutral(picture: Picture, unknown: np.ndarray) -> Picture:
    return put_back(picture, np.full((np.count_nonzero(unknown), 3), NEUTRAL, np.float32), unknown)


def _bytes(picture: Picture) -> UInt8[np.ndarray, "H W 3"]:
    return picture if picture.dtype == np.uint8 else np.rint(to_float(picture) * 255).clip(0, 255).astype(np.uint8)
