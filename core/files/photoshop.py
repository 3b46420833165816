"""Photoshop image resources: the block in which JPEG and TIFF files keep IPTC and more."""

import struct
from collections.abc import Iterator

IPTC = 0x0404
# What would not be true of an edited picture, or is kept elsewhere: resolution, thumbnails, profile, EXIF, XMP.
_NO_LONGER = frozenset({0x03ED, 0x0409, 0x040C, 0x040F, 0x0422, 0x0423, 0x0424})


def resources(block: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Number, name field (with its padding) and content of each resource, as far as the block is sound."""
    place = 0
    while block[place : place + 4] in (b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR") and place + 12 <= len(block):
        number = struct.unpack_from(">H", block, place + 4)[0]
        start = place + 6
        length = 1 + block[start]
        name = block[start : start + length + length % 2]
        start += len(name)
        if start + 4 > len(block):
            return
        size = struct.unpack_from(">I", block, start)[0]
        if start + 4 + size > len(block):
            return
        yield number, name, block[start + 4 : start + 4 + size]
        place = start + 4 + size + size % 2


def kept_resources(block: bytes | None) -> bytes | None:
    """The block without what is no longer true; None when nothing is left."""
    return b"".join(_encoded(*item) for item in resources(block or b"") if item[0] not in _NO_LONGER) or None


def with_iptc(block: bytes | None, iptc: bytes | None) -> bytes | None:
    """The block, with IPTC records from elsewhere where it has none of its own."""
    return block if not iptc or iptc_of(block) else _encoded(IPTC, b"\0\0", iptc) + (block or b"")


def iptc_of(block: bytes | None) -> bytes | None:
    """The IPTC records in the block; None when there are none."""
    return next((content for number, _, content in resources(block or b"") if number == IPTC), None)


def without_iptc(block: bytes | None) -> bytes | None:
    """The other resources; None when there are none."""
    return b"".join(_encoded(*item) for item in resources(block or b"") if item[0] != IPTC) or None


def _encoded(number: int, name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">4sH", b"8BIM", number)
        + name
        + struct.pack(">I", len(content))
        + content
        + bytes(len(content) % 2)
    )
