"""A picture as a decoder gives it, and what all decoders share."""

from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.files import icc, profile
from core.files.code_points import HLG, Meaning, to_sdr
from core.files.directories import Structure
from core.types.metadata import Metadata
from core.types.photo import Coverage, Pixels


@dataclass(frozen=True)
class Values:
    """A picture's values as stored, and the RGB profile that says what they mean; None is sRGB.

    `gray`: stored without colours, all three channels are equal. `notices`: what was changed in reading them.
    `bad_profile`: the file has a profile that cannot be used.
    """

    pixels: Pixels
    alpha: Coverage | None
    icc_profile: bytes | None
    gray: bool = False
    notices: tuple[str, ...] = ()
    bad_profile: bool = False


@dataclass(frozen=True)
class Decoded:
    """A picture and what its file says beside it, all as stored: to be turned upright by `orientation`.

    `other_parts` are what else the file holds, as words for a list.
    """

    values: Values
    exif: Structure | None
    metadata: Metadata
    orientation: int = 1
    extended_xmp: bytes = b""
    other_parts: tuple[str, ...] = ()


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
    """The refusal of a file whose content does not fit its format."""
    return InvalidInput(f"{name} looks like {file_format} but is damaged or cut short; save or download it again.")


def coloured(pixels: Pixels, alpha: Coverage | None, meaning: Meaning, gray: bool) -> Values:
    """Values of that meaning; HDR becomes SDR."""
    if meaning.hdr is None:
        return Values(pixels, alpha, meaning.icc_profile, gray)
    mapped, icc_profile = to_sdr(pixels, meaning.hdr, meaning.primaries)
    if alpha is not None and alpha.dtype == np.uint8:
        alpha = alpha.astype(np.uint16) * np.uint16(257)
    kind = "HLG" if meaning.hdr == HLG else "PQ"
    notice = f"The photo is HDR ({kind}) and was tone-mapped; results have standard range."
    return Values(mapped, alpha, icc_profile, gray, (notice,))


def with_profile(pixels: Pixels, alpha: Coverage | None, icc_profile: bytes | None, gray: bool) -> Values:
    """Values by an embedded profile: RGB's as it is, a gray one as the RGB profile of the same curve.

    A gray profile without a curve is applied. One that is of another colour space or damaged is left out.
    """
    space = None if icc_profile is None else profile.colour_space(icc_profile)
    if icc_profile is None or space == "RGB":
        return Values(pixels, alpha, icc_profile, gray)
    if space != "GRAY" or not gray:
        return Values(pixels, alpha, None, gray, bad_profile=True)
    curve = icc.rgb_from_gray(icc_profile)
    if curve is not None:
        return Values(pixels, alpha, curve, gray)
    try:
        level = profile.gray_to_srgb(pixels[..., 0], icc_profile)
    except profile.BadProfile:
        return Values(pixels, alpha, None, gray, bad_profile=True)
    return Values(np.repeat(level[..., None], 3, axis=2), alpha, None, gray)


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
