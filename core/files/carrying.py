"""What each picture format can hold of a photo's metadata, and the words for what it cannot."""

from dataclasses import replace

from core.files.directories import Directory, Structure, encode_structure
from core.files.exif import RESOLUTION_UNIT, read_exif, resolution_entries
from core.files.jpeg import comment_texts, fits
from core.files.photoshop import iptc_of, without_iptc
from core.types.metadata import Metadata

_GRAY_AS_RGB = "WebP stores the gray photo as RGB; the other formats keep it gray."


def left_out(metadata: Metadata, format_name: str, gray: bool = False) -> tuple[str, ...]:
    """Sentences about what a picture format (`Format.name`) cannot hold of a photo; none when it holds all."""
    told = (_GRAY_AS_RGB,) if gray and format_name == "webp" else ()
    title, lost = {
        "png": ("PNG", ()),
        "jpeg": ("JPEG", fits(metadata)[1]),
        "webp": ("WebP", _beyond_webp(metadata)),
    }.get(format_name, ("TIFF", _texts(metadata)))
    if not lost:
        return told
    without = f"{title} cannot hold {', '.join(lost)} of the photo, so the result is without; PNG holds everything."
    return (without, *told)


def _beyond_webp(metadata: Metadata) -> tuple[str, ...]:
    found = ["IPTC"] if iptc_of(metadata.photoshop) else []
    found += ["Photoshop's resources"] if without_iptc(metadata.photoshop) else []
    return (*found, *_texts(metadata))


def _texts(metadata: Metadata) -> tuple[str, ...]:
    found = ["the comment"] if metadata.comments else []
    names = ", ".join(dict.fromkeys(text.keyword for text in metadata.texts))
    return (*found, *([f"the texts {names}"] if names else []))


def png_metadata(metadata: Metadata) -> Metadata:
    """For PNG: comments become texts."""
    return replace(metadata, texts=(*metadata.texts, *comment_texts(metadata)), comments=())


def webp_exif(metadata: Metadata) -> bytes | None:
    """For WebP, which has no place for a resolution but EXIF."""
    exif = read_exif(metadata.exif)
    if metadata.resolution is None or (exif is not None and RESOLUTION_UNIT in exif.first.entries):
        return metadata.exif
    exif = exif or Structure("<", Directory())
    return encode_structure(replace(exif, first=exif.first.having(*resolution_entries(metadata.resolution, exif))))
