"""JPEG and WebP pictures."""

from dataclasses import replace

from core.files import jpeg
from core.files.limits import PhotoLimits
from core.files.other_parts import animation
from core.files.reading.decoded import Decoded, described
from core.files.reading.eight_bit import opened_picture, read_8_bit
from core.types.metadata import Metadata


def decode_jpeg(data: bytes, name: str, limits: PhotoLimits) -> Decoded:
    """The first picture of the file. Raises InvalidInput, NotEnoughMemory and what decoders raise."""
    with opened_picture(jpeg.bare(data), "JPEG", name, limits) as image:
        values = read_8_bit(image, image.info.get("icc_profile") or None, name)
        if jpeg.has_profile(data) and not image.info.get("icc_profile"):
            values = replace(values, bad_profile=True)
    metadata, extended_xmp = jpeg.read_metadata(data)
    return described(values, metadata, jpeg.other_parts(data), extended_xmp)


def decode_webp(data: bytes, name: str, limits: PhotoLimits) -> Decoded:
    """The first frame. Raises InvalidInput, NotEnoughMemory and what decoders raise."""
    with opened_picture(data, "WEBP", name, limits) as image:
        values = read_8_bit(image, image.info.get("icc_profile") or None, name)
        metadata = Metadata(exif=image.info.get("exif") or None, xmp=image.info.get("xmp") or None)
        return described(values, metadata, animation(getattr(image, "n_frames", 1)))
