"""HEIC pictures by libheif."""

import io

import numpy as np
from PIL import Image

from core.files.limits import PhotoLimits, check_picture
from core.files.reading.decoded import Decoded, rgb_profile, split
from core.memory import memory_for


def decode_heif(data: bytes, _format: str, name: str, limits: PhotoLimits) -> Decoded:
    """The decoder turns the picture upright itself, whatever the EXIF says. 10 and 12 bit become 16 bit."""
    import pillow_heif

    heif = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    needed = check_picture(*heif.size, 16 if heif.info["bit_depth"] > 8 else 8, name, limits)
    exif = Image.Exif()
    exif.load(heif.info.get("exif") or b"")
    with memory_for(needed, name):
        values = np.array(heif)
    values = values.reshape(heif.size[1], -1, values.shape[2] if values.ndim == 3 else 1)[:, : heif.size[0]]
    if values.dtype == np.uint16:
        values = values | values >> heif.info["bit_depth"]
    pixels, alpha = split(values)
    icc_profile = heif.info.get("icc_profile") or None
    return Decoded(pixels, alpha, rgb_profile(icc_profile), 1, exif)
