"""HEIC pictures by libheif, AVIF by Pillow."""

import io
from dataclasses import replace

import numpy as np

from core.files import isobmff
from core.files.code_points import meaning_of, unknown_notices
from core.files.limits import PhotoLimits, room_for_picture
from core.files.other_parts import SECOND_PICTURE, animation
from core.files.reading.decoded import Decoded, Values, by_meaning, by_profile, described, split
from core.files.reading.eight_bit import opened_picture, read_8_bit
from core.types.metadata import Metadata


def decode_heif(data: bytes, name: str, limits: PhotoLimits) -> Decoded:
    """The decoder turns the picture upright itself, whatever the EXIF says. 10 and 12 bit become 16 bit."""
    import pillow_heif

    heif = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    with room_for_picture(*heif.size, 16 if heif.info["bit_depth"] > 8 else 8, name, limits):
        values = np.array(heif)
    values = values.reshape(heif.size[1], -1, values.shape[2] if values.ndim == 3 else 1)[:, : heif.size[0]]
    if values.dtype == np.uint16:
        values = values | values >> heif.info["bit_depth"]
    others = isobmff.other_parts(data)
    if len(heif) > 1:
        others = (f"{len(heif) - 1} more pictures" if len(heif) > 2 else SECOND_PICTURE, *others)
    nclx = heif.info.get("nclx_profile")
    points = nclx and (nclx["color_primaries"], nclx["transfer_characteristics"])
    plain = Values(*split(values), heif.info.get("icc_profile") or None, values.shape[2] <= 2)
    metadata = Metadata(exif=heif.info.get("exif") or None, xmp=heif.info.get("xmp") or None)
    return replace(described(_meant(plain, points), metadata, others), orientation=1)


def decode_avif(data: bytes, name: str, limits: PhotoLimits) -> Decoded:
    """8 bits whatever the file has; Pillow leaves turning to EXIF."""
    with opened_picture(data, "AVIF", name, limits) as image:
        icc_profile, info = image.info.get("icc_profile") or None, image.info
        plain = read_8_bit(image, None, name)
        others = animation(getattr(image, "n_frames", 1))
    others += tuple(part for part in isobmff.other_parts(data) if part != isobmff.SEQUENCE)
    values = _meant(replace(plain, icc_profile=icc_profile), isobmff.colour_code_points(data))
    bits = isobmff.bit_depth(data)
    if bits > 8:
        values = values.telling(
            f"The photo has {bits} bits per channel, of which 8 are read; save it as 16-bit TIFF to keep all."
        )
    if isobmff.is_cropped(data):
        values = values.telling("The photo says that it is cropped, which is not done: what was cut away is there.")
    metadata = Metadata(exif=info.get("exif") or None, xmp=info.get("xmp") or None)
    return described(values, metadata, others)


def _meant(plain: Values, points: tuple[int, int] | None) -> Values:
    """By the profile of the file, else by its code points: only PQ and HLG go before a profile, which cannot say it."""
    meaning = None if points is None else meaning_of(*points)
    if meaning is not None and (meaning.hdr is not None or plain.icc_profile is None):
        return by_meaning(plain, meaning)
    return by_profile(plain) if plain.icc_profile is not None else plain.telling(*unknown_notices(points))
