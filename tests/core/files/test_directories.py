import struct

import carried
import pytest

from core.files.directories import (
    EXIF_POINTER,
    INTEROP_POINTER,
    MAKER_NOTE,
    Directory,
    Entry,
    NoStructure,
    Structure,
    encode_structure,
    read_structure,
    sub_pictures,
)


def rows(directory: Directory) -> dict:
    entries = {tag: (e.type, e.count, e.data) for tag, e in directory.entries.items()}
    return entries | {("beneath", tag): rows(child) for tag, child in directory.children.items()}


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_every_byte_and_directory_comes_back(byte_order):
    data = carried.exif(byte_order)
    structure = read_structure(data)
    assert structure.byte_order == byte_order
    again = read_structure(encode_structure(structure))
    assert rows(again.first) == rows(structure.first)
    assert rows(again.first.beneath(EXIF_POINTER).beneath(INTEROP_POINTER))[1][2] == b"R98\0"
    assert structure.numbers(structure.first.beneath(EXIF_POINTER), 0x9204) == (pytest.approx(-1 / 3),)


def test_maker_note_keeps_its_place_whatever_lies_around_it():
    for place in (10, 60, 200, 1000, 5001):
        note = Entry(MAKER_NOTE, 7, 100, b"n" * 100, place)
        texts = {tag: carried.text(tag, "w" * 40) for tag in range(0x9100, 0x9108)}
        structure = Structure("<", Directory({}, {EXIF_POINTER: Directory({MAKER_NOTE: note} | texts)}))
        read = read_structure(encode_structure(structure)).first.beneath(EXIF_POINTER)
        assert (read.entries[MAKER_NOTE].place, read.entries[MAKER_NOTE].data) == (place, b"n" * 100)
        assert all(read.entries[tag].data == entry.data for tag, entry in texts.items())


def directory_bytes(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    return (
        struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHII", *e) for e in entries)
        + struct.pack("<I", following)
    )


def test_loops_and_places_outside_are_left_out():
    loop = b"II*\0\x08\0\0\0" + directory_bytes(
        (EXIF_POINTER, 4, 1, 8), (0x010F, 2, 400, 9000), (0x0110, 99, 1, 1), (0x0112, 3, 1, 6), following=8
    )
    structure = read_structure(loop)
    assert list(structure.first.entries) == [0x0112]
    assert structure.first.children == {}
    assert structure.chained == ()


def test_values_together_are_no_more_than_the_structure():
    many = [(0x9000 + number, 7, 900, 8) for number in range(100)]
    structure = read_structure((b"II*\0\x08\0\0\0" + directory_bytes(*many)).ljust(1400, b"\0"))
    assert sum(len(entry.data) for entry in structure.first.entries.values()) <= 1400


def test_directories_over_each_other_do_not_multiply():
    places = list(range(8, 8 + 4000, 2))
    data = bytearray(b"II*\0\x08\0\0\0" + struct.pack("<H", 0xFFFF) * 400_000)
    data += struct.pack("<HI", 0, 0)
    head = directory_bytes((330, 4, len(places), len(data) + 20))
    data[4:8] = struct.pack("<I", len(data))
    structure = read_structure(bytes(data + head.ljust(20, b"\0") + struct.pack(f"<{len(places)}I", *places)))
    assert sum(len(child.entries) for child in structure.first.children.values()) <= 200_000


@pytest.mark.parametrize("data", [b"", b"II*\0", b"II*\0\x08\0\0\0", b"MM\0*\xff\xff\xff\xff" + bytes(20), bytes(100)])
def test_what_is_no_structure_is_said(data):
    with pytest.raises(NoStructure):
        read_structure(data)


def test_big_tiff_and_sub_directories():
    inner = struct.pack("<Q", 1) + struct.pack("<HHQQ", 256, 16, 1, 77) + bytes(8)
    outer = struct.pack("<Q", 2) + struct.pack("<HHQQ", 256, 3, 1, 5) + struct.pack("<HHQQ", 330, 18, 1, 16 + 8 + 48)
    data = b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + outer + bytes(0)
    data = data[: 16 + 8 + 40] + struct.pack("<Q", 0) + inner
    structure = read_structure(data)
    assert structure.number(structure.first, 256) == 5
    (picture,) = sub_pictures(structure.first)
    assert structure.number(picture, 256) == 77


def test_damage_gives_a_structure_or_says_that_there_is_none():
    import random

    data = carried.exif()
    rng = random.Random(1)
    for _ in range(400):
        broken = bytearray(data)
        for _ in range(4):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        try:
            structure = read_structure(bytes(broken[: rng.randrange(8, len(broken))]))
        except NoStructure:
            continue
        assert rows(read_structure(encode_structure(structure)).first) == rows(structure.first)
