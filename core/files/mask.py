"""Masks as PNG out, and any picture as a mask in; object numbers in."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from core.errors import InvalidInput
from core.files.exr import decode_exr
from core.files.exr_bands import EXR_MAGIC
from core.files.header import read_header
from core.files.limits import PHOTO_LIMITS, check_size, room_for_picture
from core.files.mask_levels import coverage_of_colours, coverage_of_levels
from core.files.npy import NPY_MAGIC, decode_npy
from core.files.photo import open_photo
from core.files.png import bare, encode_png
from core.files.profile import to_8_bit
from core.files.quiet import decoding
from core.files.reading.png_pixels import png_header
from core.files.source import DECODER_FAULTS, name_of, read_source, sniffed_format
from core.maths.colour import is_gray
from core.types.mask import Mask

_EXR_CHANNELS = ("A", "Y", "V", "R")
_STORED_FORMATS = ("PNG", "TIFF", "BMP", "GIF")
_VOID = 255  # of PASCAL VOC and those after it: the border between objects


def encode_mask(mask: Mask) -> bytes:
    """8-bit gray PNG: 255 = fully the object."""
    return encode_png(mask.coverage)


def read_mask(source: Path | bytes, width: int, height: int, name: str = "", label: int | None = None) -> Mask:
    """One object's coverage from a picture, NPY or EXR file of exactly the photo's size.

    A picture with transparency is taken by its alpha, one with a coloured palette by its labels, any other by its
    brightness; `label` chooses one of several. Raises InvalidInput when the file cannot be read, has another size or
    does not say what the object is, NotEnoughMemory.
    """
    name = name or name_of(source, "The mask")
    data = read_source(source, name, PHOTO_LIMITS.max_bytes)
    if data.startswith((NPY_MAGIC, EXR_MAGIC)):
        levels, full = _numbers(data, name)
    else:
        size = _told_size(data)
        if size is not None and sorted(size) != sorted((width, height)):
            raise _of_another_size(*size, width, height, name)
        levels, full = _picture_levels(data, name)
    if levels.shape[:2] != (height, width):
        raise _of_another_size(levels.shape[1], levels.shape[0], width, height, name)
    if levels.ndim == 3:
        return Mask(coverage_of_colours(to_8_bit(levels), name), source=f"file {name}")
    return Mask(coverage_of_levels(levels, full, name, label), source=f"file {name}")


def read_object_ids(path: Path) -> UInt8[np.ndarray, "H W"]:
    """The number of the object at every pixel, as an 8-bit gray or palette picture stores it.

    Raises InvalidInput when the file cannot be read or holds colours, NotEnoughMemory.
    """
    name = name_of(path, "")
    with _opened(read_source(path, name, PHOTO_LIMITS.max_bytes), name) as picture:
        if picture.mode not in ("L", "P"):
            raise InvalidInput(f"{name} holds {picture.mode} pixels; object numbers must be 8-bit gray or palette PNG.")
        return np.array(picture)


def _told_size(data: bytes) -> tuple[int, int] | None:
    """The size as stored; None where it is not known before decoding (a TIFF may begin with a thumbnail)."""
    header = read_header(data)
    return None if header is None or header.file_format == "TIFF" else header.size


def _of_another_size(width: int, height: int, photo_width: int, photo_height: int, name: str) -> InvalidInput:
    return InvalidInput(
        f"{name} is {width}x{height} and the photo is {photo_width}x{photo_height}; a mask must have the photo's size."
    )


def _numbers(data: bytes, name: str) -> tuple[np.ndarray, float | None]:
    """Numbers [H W] of an NPY or EXR file, and which of them means fully covered."""
    if data.startswith(NPY_MAGIC):
        levels = decode_npy(data, name)
        if levels.ndim != 2 or not levels.size:
            raise InvalidInput(f"{name} holds an array of shape {levels.shape}; a mask must be numbers [H W].")
        check_size(levels.shape[1], levels.shape[0], name)
    else:
        (levels,) = decode_exr(data, name, lambda channels: [_mask_channel(channels)]).values()
    return _scaled(levels)


def _mask_channel(channels: Sequence[str]) -> str:
    return next((channel for channel in _EXR_CHANNELS if channel in channels), channels[0])


def _scaled(levels: np.ndarray) -> tuple[np.ndarray, float]:
    """Numbers of any type, and which of them means fully covered: 1, 255 or the largest."""
    levels = levels.astype(np.uint8) if levels.dtype == bool else levels
    levels = np.nan_to_num(levels, nan=0, posinf=0, neginf=0) if levels.dtype.kind == "f" else levels
    top = float(levels.max(initial=0))
    return levels, 1.0 if top <= 1 else 255.0 if top <= 255 else top


def _picture_levels(data: bytes, name: str) -> tuple[np.ndarray, float | None]:
    """Numbers [H W] of a picture and which of them means fully covered, None for labels; or colours [H W 3]."""
    file_format = sniffed_format(data)
    if file_format in ("PNG", "TIFF"):
        with _opened(_bare_png(data, name) if file_format == "PNG" else data, name) as stored:
            if stored.mode in ("F", "I"):
                return _scaled(np.array(stored))
            labels = _palette_labels(stored)
        if labels is not None:
            return labels, None
    picture = open_photo(data, name)
    full = float(np.iinfo(picture.pixels.dtype).max)
    if picture.alpha is not None and picture.alpha.min() < picture.alpha.max():
        return picture.alpha, full
    return (picture.pixels[..., 0] if is_gray(picture.pixels) else picture.pixels), full


def _palette_labels(picture: Image.Image) -> UInt8[np.ndarray, "H W"] | None:
    """The labels of a picture whose palette paints them; None for any other, and for a palette of grays up to white."""
    if picture.mode != "P" or "transparency" in picture.info:
        return None
    indices = np.array(picture)
    palette = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
    used = np.flatnonzero(np.bincount(indices.ravel()))
    colours = palette[used[used < len(palette)]]
    if (colours == colours[:, :1]).all() and colours.max(initial=0) >= 128:
        return None
    if used[-1] == _VOID and len(used[used > 0]) > 1:
        indices[indices == _VOID] = 0
    return indices


def _bare_png(data: bytes, name: str) -> bytes:
    png_header(data, name)
    return bare(data)


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Image.Image]:
    """A picture whose stored numbers matter more than its colours, not decoded yet."""
    try:
        with (
            decoding(),
            Image.open(BytesIO(data), formats=_STORED_FORMATS) as picture,
            room_for_picture(*picture.size, 8, name),
        ):
            yield picture
    except DECODER_FAULTS as error:
        raise InvalidInput(f"{name} is no picture or is damaged; a mask must be a PNG or another picture.") from error
