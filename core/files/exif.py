"""What is read from a picture's EXIF, and the EXIF that goes back into the edited picture."""

import math
import struct
from dataclasses import replace

from core.files.directories import (
    EXIF_POINTER,
    INTEROP_POINTER,
    RATIONAL,
    Directory,
    Entry,
    NoStructure,
    Structure,
    encode_structure,
    read_structure,
)
from core.types.metadata import EXIF_PREFIX, UNITS, Resolution

ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_FOCAL_LENGTH, _FOCAL_LENGTH_35MM, _COLOUR_SPACE = 0x920A, 0xA405, 0xA001
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003
_PLANE_X_RESOLUTION, _PLANE_Y_RESOLUTION, _PLANE_UNIT = 0xA20E, 0xA20F, 0xA210
_INTEROP_INDEX = 1
_MILLIMETRES_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_DIAGONAL_35MM = math.hypot(36.0, 24.0)
_PLAUSIBLE_FOCAL_35MM = (1.0, 10_000.0)
_ADOBE_RGB = 2  # not in the standard, but written

# How a TIFF or DNG stores its own pixels (sizes, strips, tiles, tables, sensor), and the profile and packets that are
# kept elsewhere: wrong in any other file.
_STORAGE_TAGS = frozenset({
    *range(254, 260), *range(262, 267), 273, *range(277, 282), 284, *range(288, 294), 297, 301, 400, 700, 32781,
    *range(317, 326), *range(330, 348), *range(512, 531), 532, *range(32995, 32999), *range(33421, 33424),
    33723, 34377, 34675, 37724, *range(50706, 51190), 52525, 59932,
})  # fmt: skip

# What a picture without private data may say: the camera's kind, its settings, the time, how to show the picture.
# A list of what is harmless: whatever a maker or a program adds tomorrow is left out.
_HARMLESS = frozenset({0x010F, 0x0110, ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, 0x0132})
_HARMLESS_EXIF = frozenset({
    0x829A, 0x829D, 0x8822, 0x8827, *range(0x8830, 0x8836), 0x9000, 0x9003, 0x9004, 0x9101, 0x9102,
    *range(0x9201, 0x920B), *range(0x9290, 0x9293), *range(0xA000, 0xA004), *range(0xA20E, 0xA211), 0xA215, 0xA217,
    0xA300, 0xA301, *range(0xA401, 0xA40B), 0xA40C, *range(0xA432, 0xA435), 0xA500,
})  # fmt: skip
_HARMLESS_INTEROP = frozenset({_INTEROP_INDEX, 2})


def read_exif(data: bytes | None) -> Structure | None:
    """The structure in an EXIF block, with or without its "Exif" prefix; None when there is none or it is damaged."""
    try:
        return None if data is None else read_structure(data.removeprefix(EXIF_PREFIX))
    except NoStructure:
        return None


def orientation_of(exif: Structure | None) -> int:
    """The EXIF orientation 1..8; 1 when there is none or it is nonsense."""
    value = 1 if exif is None else exif.number(exif.first, ORIENTATION, 1)
    return int(value) if value in range(1, 9) else 1


def is_adobe_rgb(exif: Structure | None) -> bool:
    """Whether EXIF says that the colours are Adobe RGB (the mark R03 of DCF), which no profile needs to repeat."""
    if exif is None:
        return False
    details = exif.first.beneath(EXIF_POINTER)
    index = details.beneath(INTEROP_POINTER).entries.get(_INTEROP_INDEX)
    marked = index is not None and index.data.startswith(b"R03")
    return marked or exif.number(details, _COLOUR_SPACE) == _ADOBE_RGB


def upright_exif(exif: Structure | None, orientation: int, width: int, height: int) -> bytes | None:
    """The EXIF of the upright picture of that size, which was stored as `orientation` says.

    Orientation 1, the picture's own size, resolutions across and down; no thumbnail (it would show the unedited
    photo), no storage tags. None when there is nothing to keep.
    """
    if exif is None:
        return None
    first = exif.first.without(_STORAGE_TAGS)
    details = first.beneath(EXIF_POINTER)
    if ORIENTATION in first.entries:
        first = first.having(exif.shorts(ORIENTATION, 1))
    if _PIXEL_WIDTH in details.entries or _PIXEL_HEIGHT in details.entries:
        details = details.having(exif.longs(_PIXEL_WIDTH, width), exif.longs(_PIXEL_HEIGHT, height))
    if orientation >= 5:
        first = _exchanged(first, X_RESOLUTION, Y_RESOLUTION)
        details = _exchanged(details, _PLANE_X_RESOLUTION, _PLANE_Y_RESOLUTION)
    first = first.leading(EXIF_POINTER, details)
    if not set(first.entries) - {ORIENTATION} and not first.children:
        return None
    return encode_structure(replace(exif, first=first, chained=()))


def _exchanged(directory: Directory, one: int, other: int) -> Directory:
    """The same with the values of two tags exchanged."""
    first, second = directory.entries.get(one), directory.entries.get(other)
    if first is None or second is None:
        return directory
    return directory.having(replace(first, tag=other), replace(second, tag=one))


def harmless_exif(exif: bytes | None) -> bytes | None:
    """Only what says nothing of place, owner or device: no GPS, names, texts, serial numbers, maker note, ids."""
    structure = read_exif(exif)
    if structure is None:
        return None
    first = structure.first
    details = first.beneath(EXIF_POINTER)
    interop = _only(details.beneath(INTEROP_POINTER), _HARMLESS_INTEROP)
    details = _only(details, _HARMLESS_EXIF).leading(INTEROP_POINTER, interop)
    first = _only(first, _HARMLESS).leading(EXIF_POINTER, details)
    return encode_structure(replace(structure, first=first)) if first.entries or first.children else None


def _only(directory: Directory, tags: frozenset[int]) -> Directory:
    return Directory({tag: entry for tag, entry in directory.entries.items() if tag in tags})


def resolution_of(exif: Structure | None) -> Resolution | None:
    """The resolution of the first directory; None where it says none."""
    if exif is None:
        return None
    x, y = (exif.number(exif.first, tag) for tag in (X_RESOLUTION, Y_RESOLUTION))
    if not (x > 0 and y > 0):
        return None
    unit = exif.number(exif.first, RESOLUTION_UNIT, 2)
    return Resolution(x, y, UNITS[int(unit) - 1] if unit in (2, 3) else "none")


def resolution_entries(resolution: Resolution, structure: Structure) -> tuple[Entry, Entry, Entry]:
    """The resolution as TIFF tags."""
    told = resolution.numbered()

    def rational(tag: int, value: float) -> Entry:
        parts = (round(value), 1) if abs(value - round(value)) < 0.005 else (round(value * 1000), 1000)
        return Entry(tag, RATIONAL, 1, struct.pack(f"{structure.byte_order}II", *(min(p, 2**32 - 1) for p in parts)))

    unit = structure.shorts(RESOLUTION_UNIT, 1 + UNITS.index(told.unit))
    return rational(X_RESOLUTION, told.x), rational(Y_RESOLUTION, told.y), unit


def focal_35mm_of(exif: Structure | None, width: int, height: int) -> float | None:
    """Focal length as on 36 x 24 mm film, by the diagonal; None when the EXIF does not say.

    From FocalLengthIn35mmFilm, else from FocalLength and the sensor size that the focal-plane resolution
    gives for the stored (not rotated) picture of `width` x `height`.
    """
    if exif is None:
        return None
    focal = _positive(exif, _FOCAL_LENGTH_35MM) or _from_sensor(exif, width, height)
    low, high = _PLAUSIBLE_FOCAL_35MM
    return focal if focal is not None and low <= focal <= high else None


def _from_sensor(exif: Structure, width: int, height: int) -> float | None:
    focal = _positive(exif, _FOCAL_LENGTH)
    x_resolution = _positive(exif, _PLANE_X_RESOLUTION)
    y_resolution = _positive(exif, _PLANE_Y_RESOLUTION) or x_resolution
    unit = _MILLIMETRES_PER_UNIT.get(int(_positive(exif, _PLANE_UNIT) or 2))
    if focal is None or x_resolution is None or y_resolution is None or unit is None:
        return None
    # The resolution belongs to the picture as the camera stored it, which an editor may have made smaller since.
    columns = _positive(exif, _PIXEL_WIDTH) or width
    rows = _positive(exif, _PIXEL_HEIGHT) or height
    diagonal = math.hypot(columns / x_resolution, rows / y_resolution) * unit
    return focal * _DIAGONAL_35MM / diagonal


def _positive(exif: Structure, tag: int) -> float | None:
    """A positive finite number of the Exif directory, else None (0 means unknown in EXIF)."""
    number = exif.number(exif.first.beneath(EXIF_POINTER), tag)
    return float(number) if math.isfinite(number) and number > 0 else None
