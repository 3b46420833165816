"""JPEG and WebP pictures."""

from dataclasses import replace

from core.files import jpeg
from core.files.exif import orientation_of, read_exif
from core.files.limits import PhotoLimits
from core.files.reading.decoded import Decoded
from core.files.reading.eight_bit import opened, read_8_bit
from core.types.metadata import Metadata


def decode_jpeg(data: bytes, name: str, limits: PhotoLimits) -> Decoded:
    """The first picture of the file. Raises InvalidInput, NotEnoughMemory and what decoders raise."""
    with opened(jpeg.bare(data), "JPEG", name, limits) as image:
        values = read_8_bit(image, image.info.get("icc_profile") or None, name)
        if jpeg.has_profile(data) and not image.info.get("icc_profile"):
            values = replace(values, bad_profile=True)
    metadata, extended_xmp = jpeg.read_metadata(data)
    exif = read_exif(metadata.exif)
    return Decoded(values, exif, metadata, orientation_of(exif), extended_xmp, jpeg.other_parts(data))


def decode_webp(data: bytes, name: str, limits: PhotoLimits) -> Decoded:
    """The first frame. Raises InvalidInput, NotEnoughMemory and what decoders raise."""
    with opened(data, "WEBP", name, limits) as image:
        values = read_8_bit(image, image.info.get("icc_profile") or None, name)
        metadata = Metadata(exif=image.info.get("exif") or None, xmp=image.info.get("xmp") or None)
        frames = getattr(image, "n_frames", 1)
    exif = read_exif(metadata.exif)
    others = (f"an animation of {frames} frames",) if frames > 1 else ()
    return Decoded(values, exif, metadata, orientation_of(exif), other_parts=others)
