"""TIFF structures as values: directories of tags with their bytes as they were, from and to bytes.

EXIF is such a structure, and so is a TIFF file. Values are never interpreted unless asked for, so that texts, unusual
types and unknown tags come out as they went in.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

ByteOrder = Literal["<", ">"]

EXIF_POINTER, GPS_POINTER, INTEROP_POINTER = 0x8769, 0x8825, 0xA005
MAKER_NOTE = 0x927C
SUB_DIRECTORIES = 0x014A
BYTE, SHORT, LONG, RATIONAL, UNDEFINED = 1, 3, 4, 5, 7

_POINTERS = (EXIF_POINTER, GPS_POINTER, INTEROP_POINTER)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NUMBERS = {1: "B", 3: "H", 4: "I", 5: "II", 6: "b", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d", 13: "I"}
_NUMBERS |= {16: "Q", 17: "q", 18: "Q"}
_PLACES = (13, 18)  # types whose values are offsets in the file they came from
_MOST_DIRECTORIES, _MOST_ENTRIES = 4096, 200_000
_FARTHEST_NOTE = 1 << 17


class NoStructure(ValueError):
    """The bytes do not begin as a TIFF structure, or its first directory lies outside."""


@dataclass(frozen=True)
class Entry:
    """One tag: `data` are `count` values of `type` in the structure's byte order, found at `place`."""

    tag: int
    type: int
    count: int
    data: bytes
    place: int = 0


@dataclass(frozen=True)
class Directory:
    """Entries by tag without pointers, the directories that those lead to, and where it was found."""

    entries: Mapping[int, Entry] = field(default_factory=dict)
    children: Mapping[int, "Directory"] = field(default_factory=dict)
    place: int = 0

    def without(self, tags: frozenset[int]) -> "Directory":
        """The same without these tags, pointers included."""
        entries = {tag: entry for tag, entry in self.entries.items() if tag not in tags}
        return replace(
            self,
            entries=entries,
            children={key: child for key, child in self.children.items() if key & 0xFFFF not in tags},
        )

    def having(self, *entries: Entry) -> "Directory":
        """The same with these entries in place of those of their tags."""
        return replace(self, entries={**self.entries, **{entry.tag: entry for entry in entries}})

    def beneath(self, tag: int) -> "Directory":
        """The directory of a pointer, empty when there is none."""
        return self.children.get(tag, Directory())

    def leading(self, tag: int, child: "Directory") -> "Directory":
        """The same with that directory under a pointer; without the pointer when it would be empty."""
        others = {key: value for key, value in self.children.items() if key != tag}
        return replace(self, children=others | ({tag: child} if child.entries or child.children else {}))


@dataclass(frozen=True)
class Structure:
    """The first directory, and those chained to it: a TIFF file's pages, an EXIF thumbnail.

    `whole`: nothing of the first one and what it leads to was damaged.
    """

    byte_order: ByteOrder
    first: Directory
    chained: tuple[Directory, ...] = ()
    whole: bool = True

    def numbers(self, directory: Directory, tag: int) -> tuple[float, ...]:
        """A tag's values, rationals divided (0 where the denominator is 0); empty for texts and what is absent."""
        entry = directory.entries.get(tag)
        kinds = None if entry is None else _NUMBERS.get(entry.type)
        if entry is None or kinds is None:
            return ()
        values = struct.unpack(f"{self.byte_order}{entry.count * len(kinds)}{kinds[0]}", entry.data)
        if len(kinds) == 1:
            return values
        return tuple(a / b if b else 0.0 for a, b in zip(values[::2], values[1::2], strict=True))

    def number(self, directory: Directory, tag: int, default: float = 0) -> float:
        """A tag's first number."""
        return next(iter(self.numbers(directory, tag)), default)

    def shorts(self, tag: int, *values: int) -> Entry:
        """An entry of 16-bit numbers."""
        return Entry(tag, SHORT, len(values), struct.pack(f"{self.byte_order}{len(values)}H", *values))

    def longs(self, tag: int, *values: int) -> Entry:
        """An entry of 32-bit numbers."""
        return Entry(tag, LONG, len(values), struct.pack(f"{self.byte_order}{len(values)}I", *values))


def read_structure(data: bytes) -> Structure:
    """The directories of a TIFF or BigTIFF structure.

    What is damaged is left out: an entry of an unknown type or whose values lie outside, a directory that lies
    outside or was met before. Values together never exceed the structure. Raises NoStructure.
    """
    return _Reader(data).structure()


class _Reader:
    def __init__(self, data: bytes) -> None:
        order = {b"II": "<", b"MM": ">"}.get(data[:2])
        version = struct.unpack_from(f"{order}H", data, 2)[0] if order is not None and len(data) >= 8 else 0
        if order is None or version not in (42, 43) or (version == 43 and len(data) < 16):
            raise NoStructure("no TIFF header")
        self.data, self.order, self.big = data, order, version == 43
        self.seen: set[int] = set()
        self.left, self.rows_left = len(data), _MOST_ENTRIES
        self.whole = True

    def structure(self) -> Structure:
        place = struct.unpack_from(f"{self.order}Q", self.data, 8)[0] if self.big else self.long(4)
        found: list[Directory] = []
        whole = True
        while place and len(found) < _MOST_DIRECTORIES:
            read = self.directory(place)
            if read is None:
                break
            directory, place = read
            found.append(directory)
            whole = self.whole if len(found) == 1 else whole
        if not found:
            raise NoStructure("no directory")
        return Structure("<" if self.order == "<" else ">", found[0], tuple(found[1:]), whole)

    def long(self, place: int) -> int:
        return struct.unpack_from(f"{self.order}I", self.data, place)[0]

    def directory(self, place: int) -> tuple[Directory, int] | None:
        """The directory at a place and the place of the next; None where there is none."""
        head, row, tail = (8, 20, 8) if self.big else (2, 12, 4)
        if place in self.seen or len(self.seen) >= _MOST_DIRECTORIES or not 8 <= place <= len(self.data) - head:
            return None
        self.seen.add(place)
        count = struct.unpack_from(f"{self.order}{'Q' if self.big else 'H'}", self.data, place)[0]
        room = min((len(self.data) - place - head) // row, self.rows_left)
        self.whole &= count <= room
        count = min(count, room)
        self.rows_left -= count
        entries: dict[int, Entry] = {}
        children: dict[int, Directory] = {}
        for number in range(count):
            entry = self.entry(place + head + number * row)
            if entry is None or entry.tag in entries:
                continue
            pointed = self.pointed(entry)
            if pointed is not None:
                children |= pointed
            elif entry.type not in _PLACES:
                entries[entry.tag] = entry
        after = place + head + count * row
        following = 0
        if after + tail <= len(self.data):
            following = struct.unpack_from(f"{self.order}{'Q' if self.big else 'I'}", self.data, after)[0]
        return Directory(entries, children, place), following

    def entry(self, place: int) -> Entry | None:
        form, inside = ("HHQ", 8) if self.big else ("HHI", 4)
        tag, kind, count = struct.unpack_from(self.order + form, self.data, place)
        size = _SIZES.get(kind, 0) * count
        if kind not in _SIZES:
            self.whole &= kind == 0  # an empty row
            return None
        at = place + 4 + inside
        if size > inside:
            at = struct.unpack_from(f"{self.order}{'Q' if self.big else 'I'}", self.data, at)[0]
        if at + size > len(self.data) or size > self.left:
            self.whole = False
            return None
        self.left -= size
        return Entry(tag, kind, count, self.data[at : at + size], at)

    def pointed(self, entry: Entry) -> dict[int, Directory] | None:
        """The directories that an entry leads to, under keys of their own when several; None when it is no pointer."""
        if entry.tag not in (*_POINTERS, SUB_DIRECTORIES):
            return None
        kinds = _NUMBERS.get(entry.type, "")
        if len(kinds) != 1 or entry.type in (11, 12):
            return {}
        places = struct.unpack(f"{self.order}{entry.count}{kinds}", entry.data)
        found = {}
        for number, place in enumerate(places if entry.tag == SUB_DIRECTORIES else places[:1]):
            read = self.directory(place)
            self.whole &= read is not None or place == 0
            if read is not None:
                found[entry.tag + (number << 16)] = read[0]
        return found


def sub_pictures(directory: Directory) -> tuple[Directory, ...]:
    """The directories under a picture's SubIFDs tag: its reduced or full-size versions."""
    return tuple(child for key, child in directory.children.items() if key & 0xFFFF == SUB_DIRECTORIES)


def encode_structure(structure: Structure, behind: bytes = b"") -> bytes:
    """The first directory with all that it leads to, as a TIFF structure; nothing that is chained to it.

    A maker note keeps its place where it can: what it points to is counted from the structure's beginning.
    The directories go behind the bytes of a TIFF file, whose header is replaced, when there is one.
    """
    return _Writer(structure, behind).encode()


class _Writer:
    def __init__(self, structure: Structure, behind: bytes) -> None:
        self.order, self.first = structure.byte_order, structure.first
        self.out = bytearray((b"II*\0" if self.order == "<" else b"MM\0*") + bytes(4) + behind[8:])
        note = next((d.entries[MAKER_NOTE] for d in _all(self.first) if MAKER_NOTE in d.entries), None)
        self.note = (note.place, note.place + len(note.data)) if note and 8 < note.place < _FARTHEST_NOTE else (0, 0)
        self.free = len(self.out)

    def encode(self) -> bytes:
        struct.pack_into(f"{self.order}I", self.out, 4, self.directory(self.first))
        return bytes(self.out)

    def take(self, size: int) -> int:
        """The next even place with room for so many bytes beside the maker note."""
        place = self.free + self.free % 2
        if place < self.note[1] and place + size > self.note[0]:
            place = self.note[1] + self.note[1] % 2
        self.free = place + size
        return place

    def put(self, place: int, data: bytes) -> None:
        self.out.extend(bytes(max(0, place + len(data) - len(self.out))))
        self.out[place : place + len(data)] = data

    def directory(self, directory: Directory) -> int:
        tags = sorted({*directory.entries, *(tag for tag in directory.children if tag in _POINTERS)})
        place = self.take(2 + 12 * len(tags) + 4)
        rows = [struct.pack(f"{self.order}H", len(tags))]
        for tag in tags:
            if tag in directory.children:
                rows.append(struct.pack(f"{self.order}HHII", tag, LONG, 1, self.directory(directory.children[tag])))
                continue
            entry = directory.entries[tag]
            rows.append(struct.pack(f"{self.order}HHI", tag, entry.type, entry.count) + self.value(entry))
        self.put(place, b"".join(rows) + bytes(4))
        return place

    def value(self, entry: Entry) -> bytes:
        """The four bytes in the entry's row: its data, or where they are put."""
        if len(entry.data) <= 4:
            return entry.data.ljust(4, b"\0")
        kept = entry.tag == MAKER_NOTE and (entry.place, entry.place + len(entry.data)) == self.note
        # What lies before the reserved place by now stays there: directories never move onto a maker note.
        place = entry.place if kept else self.take(len(entry.data))
        self.put(place, entry.data)
        return struct.pack(f"{self.order}I", place)


def _all(directory: Directory) -> Iterator[Directory]:
    yield directory
    for child in directory.children.values():
        yield from _all(child)
