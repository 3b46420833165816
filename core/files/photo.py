"""Open a picture file: content sniffed, limits checked before decoding, orientation applied, 8 or 16 bit kept."""

from dataclasses import replace
from pathlib import Path

from core.errors import InvalidInput
from core.files import icc, profile, xmp
from core.files.exif import focal_35mm_of, is_adobe_rgb, resolution_of, upright_exif
from core.files.limits import PHOTO_LIMITS, PhotoLimits
from core.files.other_parts import GAIN_MAP, SECOND_PICTURE
from core.files.photoshop import kept_resources
from core.files.quiet import decoding
from core.files.reading.decoded import Decoded, damaged, upright
from core.files.reading.heif import decode_avif, decode_heif
from core.files.reading.jpeg import decode_jpeg, decode_webp
from core.files.reading.png import decode_png_photo
from core.files.reading.tiff import decode_tiff
from core.files.source import DECODER_FAULTS, name_of, read_source, sniffed_format
from core.types.metadata import Metadata
from core.types.names import shown
from core.types.photo import Photo

_BAD_PROFILE = "The photo's colour profile cannot be used and was left out, so its colours may differ."
_READABLE = "use a JPEG, PNG, WebP, TIFF, HEIC or AVIF file"
_DECODERS = {
    "JPEG": decode_jpeg,
    "PNG": decode_png_photo,
    "WEBP": decode_webp,
    "TIFF": decode_tiff,
    "HEIF": decode_heif,
    "AVIF": decode_avif,
}


def open_photo(source: Path | bytes, name: str = "", limits: PhotoLimits = PHOTO_LIMITS) -> Photo:
    """The picture in a file or in bytes; `name` is the file's name when empty.

    Pixels keep the file's values and bit depth; what they mean (embedded profile, code points, gamma, Adobe RGB by
    EXIF) becomes an RGB profile, gray and palette become RGB. CMYK, Lab and HDR are converted. Of several pictures
    in a file the first. Whatever is not as in the file is told in the photo's `notices`. A profile or a piece of
    metadata too damaged to be read is left out, which is told too. Raises InvalidInput with one sentence for
    anything else.
    """
    name = shown(name) if name else name_of(source, "The picture")
    data = read_source(source, name, limits.max_bytes)
    file_format = picture_format(data, name)
    try:
        with decoding():
            decoded = _DECODERS[file_format](data, name, limits)
    except DECODER_FAULTS as error:
        raise damaged(name, file_format) from error
    values = decoded.values
    height, width = values.pixels.shape[:2]
    pixels = upright(values.pixels, decoded.orientation)
    alpha = None if values.alpha is None else upright(values.alpha, decoded.orientation)
    icc_profile, bad_profile = values.icc_profile, values.bad_profile
    if icc_profile is None and is_adobe_rgb(decoded.exif) and not values.converted:
        icc_profile = icc.rgb_profile("Adobe RGB (1998) compatible", icc.ADOBE_RGB, icc.ADOBE_RGB_CURVE)
    try:
        srgb = profile.srgb_of(pixels, icc_profile)
    except profile.BadProfile:
        icc_profile, bad_profile, srgb = None, True, profile.srgb_of(pixels, None)
    metadata, notices = _upright_metadata(decoded, pixels.shape[1], pixels.shape[0])
    notices = (_BAD_PROFILE, *notices) if bad_profile else notices
    return Photo(
        name=name,
        pixels=pixels,
        srgb=srgb,
        alpha=alpha,
        file_format=file_format,
        icc_profile=icc_profile,
        metadata=metadata,
        focal_35mm=focal_35mm_of(decoded.exif, width, height),
        gray=values.gray,
        notices=(*values.notices, *notices),
    )


def picture_format(data: bytes, name: str) -> str:
    """As `sniffed_format`. Raises InvalidInput for what is no picture."""
    file_format = sniffed_format(data)
    if file_format is None:
        raise InvalidInput(f"{name} is not a picture this program can read; {_READABLE}.")
    return file_format


def _upright_metadata(decoded: Decoded, width: int, height: int) -> tuple[Metadata, tuple[str, ...]]:
    """What is true of the upright picture, and what there is to say about the rest of the file."""
    found, notices = decoded.metadata, []
    packet, others = None, list(decoded.other_parts)
    if found.xmp:
        packet, parts, unread = _readable_xmp(found.xmp, decoded.extended_xmp, width, height)
        others += parts
        notices += unread
    if GAIN_MAP in others and SECOND_PICTURE in others:
        others.remove(SECOND_PICTURE)  # the gain map is that picture
    if others:
        held = ", ".join(dict.fromkeys(others))
        notices.insert(0, f"The file also holds {held}; only its first picture is opened, and results hold no more.")
    if found.exif and decoded.exif is None:
        notices.append("The photo's EXIF cannot be read and was left out.")
    elif found.exif and decoded.exif is not None and not decoded.exif.whole:
        notices.append("Parts of the photo's EXIF cannot be read and were left out.")
    resolution = found.resolution or resolution_of(decoded.exif)
    if resolution is not None and decoded.orientation >= 5:
        resolution = replace(resolution, x=resolution.y, y=resolution.x)
    exif = upright_exif(decoded.exif, decoded.orientation, width, height)
    photoshop = kept_resources(found.photoshop)
    return replace(found, exif=exif, xmp=packet, photoshop=photoshop, resolution=resolution), tuple(notices)


def _readable_xmp(
    packet: bytes, extension: bytes, width: int, height: int
) -> tuple[bytes | None, tuple[str, ...], tuple[str, ...]]:
    """What of it can be read, as it is true of the upright picture; other parts it names; what to say of the rest."""
    try:
        return *xmp.upright_xmp(packet, extension, width, height), ()
    except xmp.BadPacket:
        if not extension:
            return None, (), ("The photo's XMP cannot be read and was left out.",)
    kept, parts, unread = _readable_xmp(packet, b"", width, height)
    return kept, parts, unread or ("The extension of the photo's XMP cannot be read and was left out.",)
