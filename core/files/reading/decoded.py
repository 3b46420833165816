"""A picture as a decoder gives it, and what all decoders share."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.errors import InvalidInput
from core.files import profile
from core.types.photo import Coverage, Pixels


@dataclass(frozen=True)
class Decoded:
    """A picture as stored: not yet upright. `icc_profile` is None once the values are sRGB."""

    pixels: Pixels
    alpha: Coverage | None
    icc_profile: bytes | None
    orientation: int
    exif: Image.Exif


def upright(values: np.ndarray, orientation: int) -> np.ndarray:
    """The stored picture [H W] or [H W C] turned and mirrored as EXIF orientation 1..8 says."""
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return np.ascontiguousarray(values)


def damaged(name: str, file_format: str) -> InvalidInput:
    return InvalidInput(f"{name} looks like {file_format} but is damaged or cut short; save or download it again.")


def rgb_profile(icc_profile: bytes | None) -> bytes | None:
    """The profile when it can describe RGB values, else None."""
    return icc_profile if icc_profile is not None and profile.colour_space(icc_profile) == "RGB" else None


def split(values: np.ndarray) -> tuple[Pixels, Coverage | None]:
    """[H W 1..4] -> RGB and alpha; gray is repeated."""
    channels = values.shape[2]
    alpha = np.ascontiguousarray(values[..., -1]) if channels in (2, 4) else None
    rgb = values[..., :3] if channels >= 3 else np.repeat(values[..., :1], 3, axis=2)
    return np.ascontiguousarray(rgb), alpha


def straight(premultiplied: Pixels, alpha: Coverage) -> Pixels:
    """16-bit colours with the alpha divided out."""
    colours = premultiplied * (65535.0 / np.maximum(alpha, 1).astype(np.float32))[..., None]
    return np.minimum(np.rint(colours), 65535).astype(np.uint16)
