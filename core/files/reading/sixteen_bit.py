"""PNG and TIFF of 16 bits per channel."""

import io

import cv2
import numpy as np
import tifffile
from PIL import Image, ImageCms

from core.errors import InvalidInput
from core.files import profile
from core.files.exif import orientation_of
from core.files.reading.decoded import damaged, rgb_profile, split, straight, upright
from core.files.reading.png_pixels import decode_png
from core.types.photo import Coverage, Pixels

_TIFF_PLANAR, _TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_EXTRA_SAMPLES = 284, 258, 262, 338


def is_16_bit(image: Image.Image, data: bytes) -> bool:
    if image.format == "PNG":
        return data[24] == 16
    if image.format == "TIFF":
        return 16 in _tiff_tag(image, _TIFF_BITS, (1,)) and image.mode not in ("CMYK", "LAB")
    return False


def _tiff_tag(image: Image.Image, tag: int, default: tuple[int, ...]) -> tuple[int, ...]:
    value = image.tag_v2.get(tag, default)  # type: ignore[attr-defined]
    return value if isinstance(value, tuple) else (value,)


def read_16_bit(image: Image.Image, data: bytes, name: str) -> tuple[Pixels, Coverage | None, bytes | None]:
    """Pillow knows no 16-bit RGB, OpenCV no separate planes, tifffile no LZW by itself."""
    if image.format == "TIFF" and _tiff_tag(image, _TIFF_PLANAR, (1,)) == (2,):
        values = tifffile.imread(io.BytesIO(data), key=0)
        values = np.moveaxis(values, 0, -1) if values.ndim == 3 else values
        values = upright(values, orientation_of(image.getexif()))
    elif image.format == "PNG":
        values = decode_png(data, name)
    else:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if values is None:
            raise damaged(name, str(image.format))
        if values.ndim == 3:
            values = cv2.cvtColor(values, cv2.COLOR_BGR2RGB if values.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    if values.dtype != np.uint16 or values.shape[:2] != (image.height, image.width):
        raise InvalidInput(f"{name} stores its 16 bits in an unusual way; save it as plain 16-bit RGB TIFF or PNG.")
    values = values.reshape(image.height, image.width, -1)
    if image.format == "TIFF" and _tiff_tag(image, _TIFF_PHOTOMETRIC, (1,)) == (0,):
        values = np.concatenate([65535 - values[..., :1], values[..., 1:]], axis=2)
    pixels, alpha = split(values)
    if alpha is not None and image.format == "TIFF" and _tiff_tag(image, _TIFF_EXTRA_SAMPLES, (2,))[0] == 1:
        pixels = straight(pixels, alpha)
    icc_profile = image.info.get("icc_profile") or None
    if icc_profile is not None and profile.colour_space(icc_profile) == "GRAY" and values.shape[2] <= 2:
        try:
            gray = profile.gray_to_srgb(values[..., 0], icc_profile)
        except ImageCms.PyCMSError:
            return pixels, alpha, None
        pixels = np.repeat(gray[..., None], 3, axis=2)
    return pixels, alpha, rgb_profile(icc_profile)
