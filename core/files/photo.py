"""Open a picture file: content sniffed, limits checked before decoding, orientation applied, 8 or 16 bit kept."""

import io
from pathlib import Path

from PIL import Image, ImageCms, UnidentifiedImageError

from core.errors import InvalidInput
from core.files import profile
from core.files.exif import focal_35mm_of, orientation_of, upright_exif
from core.files.limits import PHOTO_LIMITS, PhotoLimits, check_picture
from core.files.reading.decoded import Decoded, damaged, upright
from core.files.reading.eight_bit import read_8_bit
from core.files.reading.heif import decode_heif
from core.files.reading.png_pixels import png_header
from core.files.reading.sixteen_bit import is_16_bit, read_16_bit
from core.files.source import DECODER_FAULTS, name_of, read_source, shown, sniffed_format
from core.memory import memory_for
from core.types.photo import Photo

_READABLE = "use a JPEG, PNG, WebP, TIFF, HEIC or AVIF file"


def open_photo(source: Path | bytes, name: str = "", limits: PhotoLimits = PHOTO_LIMITS) -> Photo:
    """The picture in a file or in bytes; `name` is the file's name when empty.

    Pixels keep the file's values, bit depth and RGB profile; gray and palette become RGB; CMYK, Lab and gray
    with a profile become sRGB. Of an animation or a multi-page file the first picture. A colour profile or
    EXIF too damaged to be read is left out. Raises InvalidInput with one sentence for anything else.
    """
    name = shown(name) if name else name_of(source, "The picture")
    data = read_source(source, name, limits.max_bytes)
    file_format = picture_format(data, name)
    try:
        decode = decode_heif if file_format == "HEIF" else _decode
        decoded = decode(data, file_format, name, limits)
    except DECODER_FAULTS as error:
        raise damaged(name, file_format) from error
    pixels = upright(decoded.pixels, decoded.orientation)
    alpha = None if decoded.alpha is None else upright(decoded.alpha, decoded.orientation)
    icc_profile = decoded.icc_profile
    try:
        srgb = profile.srgb_of(pixels, icc_profile)
    except ImageCms.PyCMSError:
        icc_profile, srgb = None, profile.srgb_of(pixels, None)
    height, width = decoded.pixels.shape[:2]
    return Photo(
        name=name,
        pixels=pixels,
        srgb=srgb,
        alpha=alpha,
        file_format=file_format,
        icc_profile=icc_profile,
        exif=upright_exif(decoded.exif, pixels.shape[1], pixels.shape[0]),
        focal_35mm=focal_35mm_of(decoded.exif, width, height),
    )


def picture_format(data: bytes, name: str) -> str:
    """As `sniffed_format`. Raises InvalidInput for what is no picture."""
    file_format = sniffed_format(data)
    if file_format is None:
        raise InvalidInput(f"{name} is not a picture this program can read; {_READABLE}.")
    return file_format


def _decode(data: bytes, file_format: str, name: str, limits: PhotoLimits) -> Decoded:
    try:
        image = Image.open(io.BytesIO(data), formats=[file_format])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidInput(
            f"{name} is far larger than the limit of {limits.max_pixels / 1e6:g} megapixels; make the picture smaller."
        ) from error
    except UnidentifiedImageError as error:
        raise InvalidInput(
            f"{name} is damaged or stores its pixels in an unusual way; save it again as plain RGB {file_format}."
        ) from error
    with image, memory_for(check_picture(*image.size, 16 if is_16_bit(image, data) else 8, name, limits), name):
        if file_format == "PNG":
            png_header(data, name, limits)
        exif = image.getexif()
        orientation = orientation_of(exif)
        if is_16_bit(image, data):
            pixels, alpha, icc_profile = read_16_bit(image, data, name)
        else:
            pixels, alpha, icc_profile = read_8_bit(image, name)
        # Of TIFF, Pillow and OpenCV turn the pixels upright themselves.
        return Decoded(pixels, alpha, icc_profile, 1 if file_format == "TIFF" else orientation, exif)
