"""HEIC and AVIF as boxes: the colour code points of the main picture, and what else the file holds."""

import struct
from collections.abc import Iterator

from core.files.other_parts import DEPTH, GAIN_MAP

SEQUENCE = "a sequence of pictures"
_MOST_BOXES = 10_000
_AUXILIARY = {
    "alpha": "",
    "hevc:2015:auxid:1": "",  # transparency
    "hevc:2015:auxid:2": DEPTH,
    "depth": DEPTH,
    "disparity": DEPTH,
    "hdrgainmap": GAIN_MAP,
    "portraiteffectsmatte": "mattes",
    "semantic": "mattes",
    "stylemap": "mattes",
}


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each box in a row, as far as the row is sound."""
    place = 0
    for _ in range(_MOST_BOXES):
        if place + 8 > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, place)
        head = 8
        if size == 1 and place + 16 <= len(data):
            size, head = struct.unpack_from(">Q", data, place + 8)[0], 16
        elif size == 0:
            size = len(data) - place
        if size < head or place + size > len(data):
            return
        yield kind, data[place + head : place + size]
        place += size


def _first(data: bytes, *path: bytes) -> bytes:
    """The content of the first box on a path of types; empty where there is none."""
    for kind in path:
        data = next((content for found, content in boxes(data) if found == kind), b"")
        data = data[4:] if kind in (b"meta", b"iref") else data
    return data


def colour_code_points(data: bytes) -> tuple[int, int] | None:
    """Primaries and transfer of the main picture's `nclx` box; None where it has none."""
    for kind, content in _main_properties(data):
        if kind == b"colr" and content[:4] == b"nclx" and len(content) >= 10:
            primaries, transfer = struct.unpack_from(">HH", content, 4)
            return primaries, transfer
    return None


def bit_depth(data: bytes) -> int:
    """The bits per channel of the main picture by its `pixi` box; 8 where it has none."""
    return max((max(content[5:], default=8) for kind, content in _main_properties(data) if kind == b"pixi"), default=8)


def is_cropped(data: bytes) -> bool:
    """Whether the main picture has a `clap` box (clean aperture)."""
    return any(kind == b"clap" for kind, _ in _main_properties(data))


def _main_properties(data: bytes) -> list[tuple[bytes, bytes]]:
    meta = _first(data, b"meta")
    properties = list(boxes(_first(meta, b"iprp", b"ipco")))
    numbers = _properties_of(meta, _main_item(meta))
    return [properties[number - 1] for number in numbers if 0 < number <= len(properties)]


def other_parts(data: bytes) -> tuple[str, ...]:
    """What auxiliary pictures and tracks the file holds: "depth", "a gain map", "a sequence of pictures" ..."""
    found = [SEQUENCE] if any(kind == b"moov" for kind, _ in boxes(data)) else []
    meta = _first(data, b"meta")
    if any(content[8:12] == b"tmap" for kind, content in boxes(_first(meta, b"iinf")[6:]) if kind == b"infe"):
        found.append(GAIN_MAP)
    for kind, content in boxes(_first(meta, b"iprp", b"ipco")):
        if kind == b"auxC":
            name = content[4:].partition(b"\0")[0].decode("latin-1").lower()
            told = next((part for word, part in _AUXILIARY.items() if word in name), "auxiliary pictures")
            found += [told] if told else []
    return tuple(dict.fromkeys(found))


def _main_item(meta: bytes) -> int:
    content = _first(meta, b"pitm")
    form = ">H" if content[:1] == b"\0" else ">I"
    return struct.unpack_from(form, content, 4)[0] if len(content) >= 4 + struct.calcsize(form) else 0


def _properties_of(meta: bytes, item: int) -> list[int]:
    """The numbers, from 1, of an item's properties."""
    content = _first(meta, b"iprp", b"ipma")
    if len(content) < 8:
        return []
    wide_ids, wide_numbers = content[0] > 0, content[3] & 1
    place = 8
    try:
        for _ in range(min(struct.unpack_from(">I", content, 4)[0], _MOST_BOXES)):
            (number,) = struct.unpack_from(">I" if wide_ids else ">H", content, place)
            place += 4 if wide_ids else 2
            count = content[place]
            form = f">{count}{'H' if wide_numbers else 'B'}"
            found = struct.unpack_from(form, content, place + 1)
            place += 1 + struct.calcsize(form)
            if number == item:
                return [value & (0x7FFF if wide_numbers else 0x7F) for value in found]
    except (struct.error, IndexError):
        pass
    return []
