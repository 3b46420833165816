"""TIFF pictures: which of a file's directories is the picture, and its 8 or 16 bits."""

import io
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from PIL import Image

from core.errors import InvalidInput
from core.files import tiff_tags as tags
from core.files.directories import (
    Directory,
    Structure,
    encode_structure,
    read_structure,
    sub_pictures,
)
from core.files.exif import orientation_of
from core.files.limits import PhotoLimits, room_for_picture, room_for_planes
from core.files.photoshop import with_iptc
from core.files.reading.decoded import Decoded, Values, by_profile, damaged, split, straight
from core.files.reading.eight_bit import opened_picture, read_8_bit
from core.types.metadata import Metadata

_REDUCED, _MASK = 1, 4  # of NewSubfileType
_MOST_SAMPLES = 16
_RAW = (32803, 34892, 52527)  # colour filter array, linear raw, and depth of DNG

# What a decoder needs to know: everything else (orientation, texts, profiles) is read by ourselves.
_OF_THE_PIXELS = frozenset({
    256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 332, 334, 336, 338,
    339, 347, *range(512, 522), *range(529, 533),
})  # fmt: skip
_PLACES_IN_FILE = (tags.STRIP_OFFSETS, tags.STRIP_BYTE_COUNTS, tags.TILE_OFFSETS, tags.TILE_BYTE_COUNTS, 513, 514)


def decode_tiff(data: bytes, name: str, limits: PhotoLimits) -> Decoded:
    """The first picture that is no reduced version of another, else the largest one.

    Raises InvalidInput for raw files and for kinds of pixels that are not supported, NotEnoughMemory, and what
    decoders raise.
    """
    file = read_structure(data)
    pictures = tuple(_pictures(file))
    if data[8:10] == b"CR" or any(_is_raw(file, picture) for picture in pictures):
        raise InvalidInput(
            f"{name} is a camera's raw file (DNG or alike); develop it and save it as TIFF or JPEG first."
        )
    chosen = _chosen(file, pictures)
    first = file.first.having(*chosen.entries.values())
    exif = Structure(file.byte_order, first)
    blocks = {
        tag: first.entries[tag].data
        for tag in (tags.XMP, tags.IPTC, tags.PHOTOSHOP, tags.ICC_PROFILE)
        if tag in first.entries
    }
    metadata = Metadata(
        xmp=blocks.get(tags.XMP), photoshop=with_iptc(blocks.get(tags.PHOTOSHOP), blocks.get(tags.IPTC))
    )
    values = _values(data, file, chosen, blocks.get(tags.ICC_PROFILE), name, limits)
    pages = sum(
        not _kind(file, page) & (_REDUCED | _MASK) for page in (file.first, *file.chained) if page is not chosen
    )
    others = [f"{pages} more page{'s' * (pages > 1)}"] if pages else []
    if any(_kind(file, page) & _MASK for page in pictures):
        others.append("a mask")
    return Decoded(values, exif, metadata, orientation_of(exif), other_parts=tuple(others))


def _pictures(file: Structure) -> Iterator[Directory]:
    for directory in (file.first, *file.chained):
        yield directory
        yield from sub_pictures(directory)


def _is_raw(file: Structure, picture: Directory) -> bool:
    return tags.DNG_VERSION in picture.entries or file.number(picture, tags.PHOTOMETRIC) in _RAW


def _kind(file: Structure, picture: Directory) -> int:
    """NewSubfileType, also where the older SubfileType says it."""
    if tags.NEW_SUBFILE_TYPE not in picture.entries and file.number(picture, tags.SUBFILE_TYPE) == 2:
        return _REDUCED
    return int(file.number(picture, tags.NEW_SUBFILE_TYPE))


def _chosen(file: Structure, pictures: tuple[Directory, ...]) -> Directory:
    def area(picture: Directory) -> float:
        return file.number(picture, tags.IMAGE_WIDTH) * file.number(picture, tags.IMAGE_LENGTH)

    whole = [picture for picture in pictures if not _kind(file, picture) & (_REDUCED | _MASK) and area(picture)]
    if file.first in whole:
        return file.first
    return max(whole or pictures, key=area)


def _values(
    data: bytes, file: Structure, picture: Directory, icc_profile: bytes | None, name: str, limits: PhotoLimits
) -> Values:
    bits = {int(value) for value in file.numbers(picture, tags.BITS_PER_SAMPLE)} or {1}
    formats = {int(value) for value in file.numbers(picture, tags.SAMPLE_FORMAT)} or {1}
    if formats != {1}:
        raise InvalidInput(f"{name} has floating-point or signed pixels; save it with 8 or 16 bits per channel.")
    if max(bits) > 16:
        raise InvalidInput(f"{name} has {max(bits)}-bit pixels; save it with 8 or 16 bits per channel.")
    photometric = int(file.number(picture, tags.PHOTOMETRIC, 1))
    if bits == {16} and photometric not in (tags.CMYK, *tags.LAB):
        return _sixteen_bit(data, file, picture, icc_profile, name, limits)
    with opened_picture(_alone(data, file, picture), "TIFF", name, limits) as image:
        return read_8_bit(image, icc_profile, name)


def _alone(data: bytes, file: Structure, picture: Directory) -> bytes:
    """The file with that picture alone, as plain TIFF; BigTIFF's long numbers fit, for files here are small."""
    kept = Directory({tag: entry for tag, entry in picture.entries.items() if tag in _OF_THE_PIXELS})
    long = {tag: file.numbers(picture, tag) for tag in _PLACES_IN_FILE if tag in kept.entries}
    kept = kept.having(*(file.longs(tag, *map(int, values)) for tag, values in long.items()))
    return encode_structure(replace(file, first=kept, chained=()), behind=data)


def _sixteen_bit(
    data: bytes, file: Structure, picture: Directory, icc_profile: bytes | None, name: str, limits: PhotoLimits
) -> Values:
    """Each plane as a gray picture of its own, or all samples as one wide one: OpenCV then reads every layout."""
    width, height = int(file.number(picture, tags.IMAGE_WIDTH)), int(file.number(picture, tags.IMAGE_LENGTH))
    samples = int(file.number(picture, tags.SAMPLES_PER_PIXEL, 1))
    photometric = int(file.number(picture, tags.PHOTOMETRIC, 1))
    colours = {tags.GRAY_FROM_WHITE: 1, tags.GRAY_FROM_BLACK: 1, tags.RGB: 3}.get(photometric)
    if colours is None or not colours <= samples <= _MOST_SAMPLES:
        raise InvalidInput(f"{name} stores its 16 bits in an unusual way; save it as plain 16-bit RGB TIFF or PNG.")
    with room_for_picture(width, height, 16, name, limits), room_for_planes(width, height, samples, name):
        values = _samples(data, file, picture, (height, width, samples), name)
    extra = file.numbers(picture, tags.EXTRA_SAMPLES)
    has_alpha = samples > colours and (not extra or extra[0] in (tags.PREMULTIPLIED_ALPHA, tags.STRAIGHT_ALPHA))
    spare = samples - colours - has_alpha
    told = (f"{spare} further channel{'s' * (spare > 1)} of the file left out.",) if spare else ()
    values = values[..., : colours + has_alpha]
    if photometric == tags.GRAY_FROM_WHITE:
        values = np.concatenate([65535 - values[..., :1], values[..., 1:]], axis=2)
    pixels, alpha = split(values)
    if alpha is not None and extra[:1] == (tags.PREMULTIPLIED_ALPHA,):
        pixels = straight(pixels, alpha)
    return by_profile(Values(pixels, alpha, icc_profile, colours == 1, notices=told))


def _samples(data: bytes, file: Structure, picture: Directory, shape: tuple[int, int, int], name: str) -> np.ndarray:
    """All samples [H W S] in the machine's byte order, the predictor undone."""
    height, width, samples = shape
    planar = samples > 1 and file.number(picture, tags.PLANAR_CONFIGURATION, 1) == 2
    tile = int(file.number(picture, tags.TILE_WIDTH))
    wide = -(-width // tile) * tile if tile else width
    each = 1 if planar else samples
    places, sizes = (tags.TILE_OFFSETS, tags.TILE_BYTE_COUNTS) if tile else (tags.STRIP_OFFSETS, tags.STRIP_BYTE_COUNTS)
    offsets, counts = file.numbers(picture, places), file.numbers(picture, sizes)
    planes = samples if planar else 1
    share = len(offsets) // planes
    if not share or len(counts) < share * planes or len(offsets) != share * planes:
        raise damaged(name, "TIFF")
    found = []
    for plane in range(planes):
        part = slice(plane * share, (plane + 1) * share)
        changed = picture.without(frozenset({tags.EXTRA_SAMPLES, tags.SAMPLE_FORMAT})).having(
            file.longs(tags.IMAGE_WIDTH, wide * each),
            file.shorts(tags.BITS_PER_SAMPLE, 16), file.shorts(tags.PHOTOMETRIC, tags.GRAY_FROM_BLACK),
            file.shorts(tags.SAMPLES_PER_PIXEL, 1), file.shorts(tags.PLANAR_CONFIGURATION, 1),
            file.shorts(tags.PREDICTOR, 1),
            file.longs(places, *map(int, offsets[part])), file.longs(sizes, *map(int, counts[part])),
            *([file.longs(tags.TILE_WIDTH, tile * each)] if tile else []),
        )  # fmt: skip
        values = _plane(_alone(data, file, changed))
        if values.shape != (height, wide * each) or values.dtype != np.uint16:
            raise damaged(name, "TIFF")
        found.append(values.reshape(height, -1, tile or wide, each))
    values = np.concatenate(found, axis=3)
    if file.number(picture, tags.PREDICTOR, 1) == tags.HORIZONTAL_DIFFERENCES:
        values = np.cumsum(values, axis=2, dtype=np.uint16)
    return values.reshape(height, wide, samples)[:, :width]


def _plane(data: bytes) -> np.ndarray:
    """One gray plane by OpenCV, which is quick, else by Pillow, which knows more packings (Zstandard, LZMA)."""
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        with Image.open(io.BytesIO(data), formats=["TIFF"]) as picture:
            values = np.asarray(picture)
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))
