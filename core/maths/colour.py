"""sRGB coding of integer pixels, and blending in linear light."""

from functools import cache

import numpy as np
from jaxtyping import Float32, Shaped

_LUMA = (0.2126, 0.7152, 0.0722)


def linear_from_srgb(coded: Float32[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """Linear light in [0, 1] from sRGB-coded values in [0, 1] (IEC 61966-2-1)."""
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def srgb_from_linear(linear: Float32[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """sRGB-coded values in [0, 1] from linear light in [0, 1]."""
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)


@cache
def _linear_table(dtype: np.dtype) -> np.ndarray:
    levels = np.iinfo(dtype).max
    return linear_from_srgb(np.linspace(0.0, 1.0, levels + 1, dtype=np.float32))


def linear_light(pixels: Shaped[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """Linear light in [0, 1] of 8- or 16-bit coded pixels."""
    return _linear_table(pixels.dtype)[pixels]


def coded_pixels(linear: Float32[np.ndarray, "*shape"], dtype: np.dtype) -> Shaped[np.ndarray, "*shape"]:
    """Integer pixels of `dtype` (uint8 or uint16), rounded, from linear light in [0, 1]."""
    return np.rint(srgb_from_linear(linear) * np.iinfo(dtype).max).astype(dtype)


def blend(
    over: Shaped[np.ndarray, "N 3"], under: Shaped[np.ndarray, "N 3"], alpha: Float32[np.ndarray, "N"]
) -> Shaped[np.ndarray, "N 3"]:
    """Alpha * over + (1 - alpha) * under in linear light; both integer pixels of one type."""
    mixed = alpha[:, None] * linear_light(over) + (1.0 - alpha[:, None]) * linear_light(under)
    return coded_pixels(mixed, over.dtype)


def is_gray(pixels: Shaped[np.ndarray, "H W 3"]) -> bool:
    """Whether red, green and blue are the same everywhere."""
    return bool((pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 0] == pixels[..., 2]).all())


def untinted(pixels: Shaped[np.ndarray, "H W 3"]) -> Shaped[np.ndarray, "H W 3"]:
    """The picture without colours: gray pixels as they are, others as gray of the same luma (BT.709)."""
    tinted = (pixels[..., 0] != pixels[..., 1]) | (pixels[..., 0] != pixels[..., 2])
    if not tinted.any():
        return pixels
    gray = pixels.copy()
    gray[tinted] = np.rint(pixels[tinted] @ np.array(_LUMA)).astype(pixels.dtype)[:, None]
    return gray
