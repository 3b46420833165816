"""Pictures of 8 bits per channel, whatever the container, by Pillow."""

import numpy as np
from PIL import Image, ImageCms

from core.errors import InvalidInput
from core.files import profile
from core.files.reading.decoded import rgb_profile, split
from core.types.photo import Coverage, Pixels


def read_8_bit(image: Image.Image, name: str) -> tuple[Pixels, Coverage | None, bytes | None]:
    if image.mode in ("F", "I"):
        raise InvalidInput(f"{name} has 32-bit pixels, which are not supported; save it with 8 or 16 bits per channel.")
    image.load()
    icc_profile = image.info.get("icc_profile") or None
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        pixels, alpha = split(np.asarray(image.convert("RGBA")))
        gray = image.mode in ("L", "LA", "La")
    else:
        alpha, gray = None, image.mode in ("L", "1")
        # YCbCr, palette and so on; what has a profile of its own follows below.
        pixels = np.asarray(image.convert("RGB")) if image.mode != "LAB" else profile.lab_to_srgb(image)
    own_space = {"CMYK": "CMYK", "LAB": "Lab"}.get(image.mode, "GRAY" if gray else "RGB")
    if icc_profile is None or profile.colour_space(icc_profile) != own_space or own_space == "Lab":
        return pixels, alpha, rgb_profile(icc_profile) if own_space in ("RGB", "GRAY") else None
    if own_space == "RGB":
        return pixels, alpha, icc_profile
    try:
        if not gray:
            return profile.cmyk_to_srgb(image, icc_profile), alpha, None
        level = profile.gray_to_srgb(np.asarray(image.convert("L")), icc_profile)
        return np.repeat(level[..., None], 3, axis=2), alpha, None
    except ImageCms.PyCMSError:
        return pixels, alpha, None
