"""Pictures of 8 bits per channel, whatever the container, by Pillow."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, UnidentifiedImageError

from core.errors import InvalidInput
from core.files import profile
from core.files.limits import PhotoLimits, room_for_picture
from core.files.reading.decoded import Values, by_profile, split

# Of tags that it cannot read, which are read here without it.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@contextmanager
def opened_picture(data: bytes, file_format: str, name: str, limits: PhotoLimits) -> Iterator[Image.Image]:
    """The picture, its size checked and its pixels not decoded yet. Raises InvalidInput, NotEnoughMemory."""
    try:
        image = Image.open(io.BytesIO(data), formats=[file_format])
    except UnidentifiedImageError as error:
        raise InvalidInput(
            f"{name} is damaged or stores its pixels in an unusual way; save it again as plain RGB {file_format}."
        ) from error
    # The decoder of WebP keeps canvases of four channels beside the picture.
    bit_depth = 16 if file_format == "WEBP" else 8
    with image, room_for_picture(*image.size, bit_depth, name, limits):
        yield image


def read_8_bit(image: Image.Image, icc_profile: bytes | None, name: str) -> Values:
    """The picture's RGB values and what they mean; CMYK and Lab become sRGB. Raises InvalidInput for 32 bits."""
    if image.mode in ("F", "I"):
        raise InvalidInput(f"{name} has 32-bit pixels, which are not supported; save it with 8 or 16 bits per channel.")
    image.load()
    gray = image.mode in ("L", "LA", "La", "1")
    if image.mode in ("CMYK", "LAB"):
        return _converted(image, icc_profile)
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        pixels, alpha = split(np.asarray(image.convert("RGBA")))
    else:
        pixels, alpha = np.asarray(image.convert("RGB")), None
    return by_profile(Values(pixels, alpha, icc_profile, gray))


def _converted(image: Image.Image, icc_profile: bytes | None) -> Values:
    """CMYK, by its profile if it has one that can be used, or Lab as sRGB."""
    told = f"The photo's {'CMYK' if image.mode == 'CMYK' else 'Lab'} colours were converted to sRGB; results are RGB."
    if image.mode == "LAB":
        return Values(profile.lab_to_srgb(image), None, None, converted=True, notices=(told,))
    bad = icc_profile is not None
    if icc_profile is not None and profile.colour_space(icc_profile) == "CMYK":
        try:
            return Values(profile.cmyk_to_srgb(image, icc_profile), None, None, converted=True, notices=(told,))
        except profile.BadProfile:
            pass
    values = np.asarray(image.convert("RGB"))
    return Values(values, None, None, converted=True, bad_profile=bad, notices=(told,))
