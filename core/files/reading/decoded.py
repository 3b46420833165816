"""A picture as a decoder gives it, and what all decoders share."""

from dataclasses import dataclass, replace

import numpy as np

from core.errors import InvalidInput
from core.files import icc, profile
from core.files.code_points import HLG, Meaning, to_sdr
from core.files.directories import Structure
from core.files.exif import orientation_of, read_exif
from core.types.metadata import Metadata
from core.types.photo import Coverage, Pixels


@dataclass(frozen=True)
class Values:
    """A picture's values as stored, and the RGB profile that says what they mean; None is sRGB.

    `gray`: stored without colours, all three channels are equal. `converted`: they were of other colours than RGB, and
    are sRGB now. `bad_profile`: the file has a profile that cannot be used. `notices`: what was changed in reading.
    """

    pixels: Pixels
    alpha: Coverage | None
    icc_profile: bytes | None
    gray: bool = False
    converted: bool = False
    bad_profile: bool = False
    notices: tuple[str, ...] = ()

    def telling(self, *notices: str) -> "Values":
        """The same with further notices."""
        return replace(self, notices=(*self.notices, *notices))


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


def described(
    values: Values, metadata: Metadata, other_parts: tuple[str, ...] = (), extended_xmp: bytes = b""
) -> Decoded:
    """Values that are to be turned as the EXIF of the metadata says."""
    exif = read_exif(metadata.exif)
    return Decoded(values, exif, metadata, orientation_of(exif), extended_xmp, other_parts)


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


def by_meaning(stored: Values, meaning: Meaning) -> Values:
    """The values with that meaning in place of their profile; HDR becomes SDR."""
    if meaning.hdr is None:
        return by_profile(replace(stored, icc_profile=meaning.icc_profile))
    mapped, icc_profile = to_sdr(stored.pixels, meaning.hdr, meaning.primaries)
    alpha = None if stored.alpha is None else profile.to_16_bit(stored.alpha)
    kind = "HLG" if meaning.hdr == HLG else "PQ"
    notice = f"The photo is HDR ({kind}) and was tone-mapped; results have standard range."
    return replace(stored, pixels=mapped, alpha=alpha, icc_profile=icc_profile).telling(notice)


def by_profile(stored: Values) -> Values:
    """The values with an RGB profile in place of the file's own: of a gray one the RGB profile of the same curve.

    A gray profile without a curve is applied. One that is of another colour space or damaged is left out.
    """
    space = None if stored.icc_profile is None else profile.colour_space(stored.icc_profile)
    if stored.icc_profile is None or space == "RGB":
        return stored
    bad = replace(stored, icc_profile=None, bad_profile=True)
    if space != "GRAY" or not stored.gray:
        return bad
    curve = icc.rgb_from_gray(stored.icc_profile)
    if curve is not None:
        return replace(stored, icc_profile=curve)
    try:
        level = profile.gray_to_srgb(stored.pixels[..., 0], stored.icc_profile)
    except profile.BadProfile:
        return bad
    return replace(stored, pixels=np.repeat(level[..., None], 3, axis=2), icc_profile=None)


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
