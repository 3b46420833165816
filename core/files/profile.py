"""Colour profiles: what a picture's own values look like in sRGB."""

import io
from functools import cache, lru_cache

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image, ImageCms

from core.types.photo import Pixels

_GRID_STEPS = 6
BadProfile = ImageCms.PyCMSError
_CONVERSION = ImageCms.Flags.BLACKPOINTCOMPENSATION


def colour_space(icc_profile: bytes) -> str:
    """The ICC header's colour space: "RGB", "GRAY", "CMYK", "Lab"..."""
    return icc_profile[16:20].decode("ascii", "replace").strip()


def to_8_bit(values: np.ndarray) -> np.ndarray:
    """16-bit values rounded to 8 bit (65535 -> 255); 8-bit values as they are."""
    return values if values.dtype == np.uint8 else cv2.convertScaleAbs(values, alpha=1 / 257).reshape(values.shape)


def to_16_bit(values: np.ndarray) -> np.ndarray:
    """8-bit values spread over the range (255 -> 65535); 16-bit values as they are."""
    return values if values.dtype == np.uint16 else values.astype(np.uint16) * np.uint16(257)


def srgb_of(pixels: Pixels, icc_profile: bytes | None) -> UInt8[np.ndarray, "H W 3"]:
    """The picture as 8-bit sRGB: relative colorimetric with black point compensation.

    `icc_profile` None means sRGB already. Raises BadProfile when the profile cannot be used.
    """
    rounded = to_8_bit(pixels)
    if icc_profile is None or is_srgb(icc_profile):
        return rounded
    return _through(Image.fromarray(rounded), icc_profile)


@lru_cache(maxsize=8)
def is_srgb(icc_profile: bytes) -> bool:
    """Whether a profile leaves sRGB as it is, up to rounding: half of all files embed sRGB under some name.

    Raises BadProfile when the profile cannot be used.
    """
    grid = _colour_grid()
    return bool(np.abs(_through(Image.fromarray(grid), icc_profile).astype(int) - grid).max() <= 1)


def cmyk_to_srgb(image: Image.Image, icc_profile: bytes) -> UInt8[np.ndarray, "H W 3"]:
    """A CMYK Pillow picture as 8-bit sRGB through its profile. Raises BadProfile."""
    return _through(image, icc_profile)


def lab_to_srgb(image: Image.Image) -> UInt8[np.ndarray, "H W 3"]:
    """A Pillow picture of mode LAB (D50) as 8-bit sRGB."""
    return _through(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())


def gray_to_srgb(values: UInt8[np.ndarray, "H W"] | UInt16[np.ndarray, "H W"], icc_profile: bytes) -> np.ndarray:
    """Gray of a gray profile as sRGB-coded gray of the same depth. Raises BadProfile.

    The profile's curve is measured at 256 inputs without littlecms' shortcut, which is wrong by up to 10 levels
    in the darks. littlecms gives Pillow 8 bits only; for 16 the middles of its steps are joined smoothly.
    """
    inputs = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    outputs = _through(inputs, icc_profile, _CONVERSION | ImageCms.Flags.NOOPTIMIZE)[0, :, 1]
    if values.dtype == np.uint8:
        return outputs[values]
    levels, first, counts = np.unique(outputs, return_index=True, return_counts=True)
    middles = (first + (counts - 1) / 2) * 257.0
    curve = np.interp(np.arange(65536), middles, levels * 257.0)
    return np.round(curve).astype(np.uint16)[values]


def _through(image: Image.Image, icc_profile: bytes, flags: int = _CONVERSION) -> UInt8[np.ndarray, "H W 3"]:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
    except OSError as error:
        raise ImageCms.PyCMSError(error) from error
    result = ImageCms.profileToProfile(
        image,
        source,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags(flags),
    )
    assert result is not None  # only None when converting in place
    return np.asarray(result)


@cache
def _colour_grid() -> UInt8[np.ndarray, "N M 3"]:
    """Colours over the whole cube, as a picture."""
    steps = np.linspace(0, 255, _GRID_STEPS).astype(np.uint8)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(_GRID_STEPS, -1, 3)
