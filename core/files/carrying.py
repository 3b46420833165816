"""What each picture format can hold of a photo's metadata, and the words for what it cannot."""

from dataclasses import replace

from core.files.directories import Directory, Structure, encode_structure
from core.files.exif import RESOLUTION_UNIT, harmless_exif, read_exif, resolution_entries
from core.files.icc import only_colours
from core.files.jpeg import comment_texts, fits
from core.files.photoshop import iptc_of, without_iptc
from core.types.metadata import Metadata
from core.types.photo import Photo


def left_out(metadata: Metadata, format_name: str) -> str | None:
    """One sentence about what a picture format (`Format.name`) cannot hold of the metadata; None when it holds all."""
    names = {"png": (), "jpeg": fits(metadata)[1], "webp": _beyond_webp(metadata)}.get(format_name)
    lost = _texts(metadata) if names is None else names
    if not lost:
        return None
    title = {"jpeg": "JPEG", "webp": "WebP"}.get(format_name, "TIFF")
    return f"{title} cannot hold {', '.join(lost)} of the photo, so the result is without; PNG holds everything."


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


def without_private_data(photo: Photo) -> Photo:
    """The photo without what says where, by whom and with which very device it was taken.

    Left are its pixels, what their colours mean, its resolution and the EXIF of a list of harmless tags (kind of
    camera, settings, time). All XMP, IPTC, texts and comments go, and so do thumbnails, maker notes and its name.
    """
    kept = Metadata(exif=harmless_exif(photo.metadata.exif), resolution=photo.metadata.resolution)
    icc_profile = None if photo.icc_profile is None else only_colours(photo.icc_profile)
    extension = photo.name.rpartition(".")[2]
    name = f"photo.{extension}" if "." in photo.name and extension.isalnum() and len(extension) <= 4 else "photo"
    return replace(photo, name=name, metadata=kept, icc_profile=icc_profile, notices=())
