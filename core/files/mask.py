"""Masks as PNG out, and any picture as a mask in; object numbers in."""

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from core.errors import InvalidInput
from core.files.photo import open_photo
from core.files.png import encode_png
from core.files.profile import to_8_bit
from core.files.source import name_of, read_source
from core.types.mask import Mask

_MAX_BYTES = 50_000_000


def encode_mask(mask: Mask) -> bytes:
    """8-bit gray PNG: 255 = fully the object."""
    return encode_png(mask.coverage)


def read_mask(source: Path | bytes, width: int, height: int, name: str = "") -> Mask:
    """Coverage from a picture file of exactly the photo's size.

    A picture with transparency is taken by its alpha, any other by its brightness.
    Raises InvalidInput when the file cannot be read or has another size.
    """
    name = name or name_of(source, "The mask")
    picture = open_photo(source, name)
    if (picture.width, picture.height) != (width, height):
        raise InvalidInput(
            f"{name} is {picture.width}x{picture.height} and the photo is {width}x{height}; "
            "a mask must have the photo's size."
        )
    if picture.alpha is not None and picture.alpha.min() < np.iinfo(picture.alpha.dtype).max:
        return Mask(to_8_bit(picture.alpha), source=f"file {name}")
    return Mask(cv2.cvtColor(to_8_bit(picture.pixels), cv2.COLOR_RGB2GRAY), source=f"file {name}")


def read_object_ids(path: Path) -> UInt8[np.ndarray, "H W"]:
    """The number of the object at every pixel, as an 8-bit gray or palette picture stores it.

    Raises InvalidInput when the file cannot be read or holds colours.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(BytesIO(read_source(path, path.name, _MAX_BYTES))) as picture:
            mode, ids = picture.mode, np.array(picture)
    except (UnidentifiedImageError, OSError) as error:
        raise InvalidInput(f"{path} is no picture; object numbers must be 8-bit gray or palette PNG.") from error
    if mode not in ("L", "P"):
        raise InvalidInput(f"{path} holds {mode} pixels; object numbers must be 8-bit gray or palette PNG.")
    return ids
