"""PNG pictures of 8 and 16 bits."""

from dataclasses import replace

from core.files import png
from core.files.code_points import meaning_of_chunks, unknown_notices
from core.files.limits import PhotoLimits
from core.files.reading.decoded import Decoded, Values, by_meaning, described, split
from core.files.reading.eight_bit import opened_picture, read_8_bit
from core.files.reading.png_pixels import decode_png, png_header


def decode_png_photo(data: bytes, name: str, limits: PhotoLimits) -> Decoded:
    """The picture, its colours by its own chunks. Raises InvalidInput, NotEnoughMemory and what decoders raise."""
    values = _values(data, name, limits)
    metadata, whole = png.read_metadata(data)
    if not whole:
        values = values.telling("Texts of the file that are damaged or longer than 8 MB were left out.")
    return described(values, metadata, png.other_parts(data))


def _values(data: bytes, name: str, limits: PhotoLimits) -> Values:
    header = png_header(data, name, limits)
    if header.bit_depth == 16:
        # Pillow knows no 16-bit RGB.
        stored = decode_png(data, header, name, limits)
        plain = Values(*split(stored.reshape(*stored.shape[:2], -1)), None, header.channels <= 2)
    else:
        with opened_picture(png.bare(data), "PNG", name, limits) as image:
            plain = read_8_bit(image, None, name)
    told = png.read_colours(data)
    meaning = meaning_of_chunks(told)
    if meaning is not None:
        return by_meaning(plain, meaning)
    return replace(plain, bad_profile=told.bad_profile).telling(*unknown_notices(told.cicp and told.cicp[:2]))
