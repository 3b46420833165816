"""What is read from a picture's EXIF, and the EXIF that goes back into the edited picture."""

import math
import struct
from typing import Any

from PIL import Image

_ORIENTATION = 0x0112
_EXIF_IFD = 0x8769
_GPS_IFD = 0x8825
_FOCAL_LENGTH = 0x920A
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003
_PLANE_X_RESOLUTION, _PLANE_Y_RESOLUTION, _PLANE_UNIT = 0xA20E, 0xA20F, 0xA210
_FOCAL_LENGTH_35MM = 0xA405
_MILLIMETRES_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_DIAGONAL_35MM = math.hypot(36.0, 24.0)
_PLAUSIBLE_FOCAL_35MM = (1.0, 10_000.0)

# How a TIFF stores its own pixels (sizes, strips, tiles, tables) and the profile and packets that are kept elsewhere:
# wrong in any other file.
_STORAGE_TAGS = frozenset({
    254, 255, *range(256, 260), *range(262, 267), 273, *range(277, 282), 284, *range(288, 294), 297, 301,
    *range(317, 326), *range(330, 348), *range(512, 533), 700, 33723, 34377, 34675,
})  # fmt: skip

# Everything Pillow raises on EXIF whose offsets, counts or types are wrong.
EXIF_FAULTS = (OSError, SyntaxError, ValueError, struct.error, KeyError, TypeError, AttributeError, OverflowError)


def orientation_of(exif: Image.Exif) -> int:
    """The EXIF orientation 1..8; 1 when there is none or it is nonsense."""
    value = exif.get(_ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright_exif(exif: Image.Exif, width: int, height: int) -> bytes | None:
    """The EXIF for the upright picture of that size: orientation 1, no thumbnail, no storage tags.

    None when there is nothing to keep or when the EXIF is too damaged to be written again.
    """
    kept = Image.Exif()
    try:
        described = description_of(exif)
        if not described:
            return None
        if _EXIF_IFD in described:
            described[_EXIF_IFD] |= {_PIXEL_WIDTH: width, _PIXEL_HEIGHT: height}
        kept.update(described | {_ORIENTATION: 1})
        return kept.tobytes()
    except EXIF_FAULTS:
        return None


def description_of(exif: Image.Exif) -> dict[int, Any]:
    """Tags and values that describe the picture, not its storage; sub-directories as dictionaries."""
    described = {
        tag: value for tag, value in exif.items() if tag not in _STORAGE_TAGS and tag not in (_EXIF_IFD, _GPS_IFD)
    }
    for tag in (_EXIF_IFD, _GPS_IFD):
        directory = dict(exif.get_ifd(tag))
        if directory:
            described[tag] = directory
    return described


def focal_35mm_of(exif: Image.Exif, width: int, height: int) -> float | None:
    """Focal length as on 36 x 24 mm film, by the diagonal; None when the EXIF does not say.

    From FocalLengthIn35mmFilm, else from FocalLength and the sensor size that the focal-plane resolution
    gives for the stored (not rotated) picture of `width` x `height`.
    """
    try:
        details = exif.get_ifd(_EXIF_IFD)
    except EXIF_FAULTS:
        return None
    focal = _number(details.get(_FOCAL_LENGTH_35MM)) or _from_sensor(details, width, height)
    low, high = _PLAUSIBLE_FOCAL_35MM
    return focal if focal is not None and low <= focal <= high else None


def _from_sensor(details: dict[int, Any], width: int, height: int) -> float | None:
    focal = _number(details.get(_FOCAL_LENGTH))
    x_resolution = _number(details.get(_PLANE_X_RESOLUTION))
    y_resolution = _number(details.get(_PLANE_Y_RESOLUTION)) or x_resolution
    unit = _MILLIMETRES_PER_UNIT.get(details.get(_PLANE_UNIT, 2))
    if focal is None or x_resolution is None or y_resolution is None or unit is None:
        return None
    # The resolution belongs to the picture as the camera stored it, which an editor may have made smaller since.
    columns = _number(details.get(_PIXEL_WIDTH)) or width
    rows = _number(details.get(_PIXEL_HEIGHT)) or height
    diagonal = math.hypot(columns / x_resolution, rows / y_resolution) * unit
    return focal * _DIAGONAL_35MM / diagonal


def _number(value: object) -> float | None:
    """A positive finite float from an EXIF number, else None (0 means unknown in EXIF)."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and number > 0 else None
