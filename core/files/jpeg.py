"""JPEG segments: what they carry beside the picture, and putting that into a JPEG."""

import hashlib
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace

from core.files.other_parts import CREDENTIALS, GAIN_MAP, SECOND_PICTURE
from core.types.metadata import EXIF_PREFIX, UNITS, Metadata, Resolution, Text

_APP0, _APP1, _APP2, _APP11, _APP13, _COMMENT, _START_OF_SCAN = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xFE, 0xDA
_BODY_LIMIT = 65_533
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENDED_PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="%s"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
_PACKET_WRAPPER = re.compile(rb"<\?xpacket.*?\?>", re.DOTALL)
_PHOTOSHOP = b"Photoshop 3.0\0"
_JFIF = b"JFIF\0"
_SECOND_PICTURES = b"MPF\0"
_PROFILE = b"ICC_PROFILE\0"
_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
_EXTENDED_HEADER = len(_EXTENDED_XMP) + 40
COMMENT_KEYWORD = "Comment"


def segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of every segment before the picture, as far as the file is sound."""
    for marker, start, stop in _places(data):
        yield marker, data[start + 4 : stop]


def _places(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, begin (at the marker itself) and end of every segment before the picture."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF or 0xD0 <= marker <= 0xD8 or marker == 1:
            place += 1 if marker == 0xFF else 2
            continue
        if marker == _START_OF_SCAN:
            return
        size = struct.unpack_from(">H", data, place + 2)[0]
        if size < 2 or place + 2 + size > len(data):
            return
        yield marker, place, place + 2 + size
        place += 2 + size


def bare(data: bytes) -> bytes:
    """The file with the segments of its picture and profile alone, so that no decoder stumbles over the others."""
    kept, end = [data[:2]], 2
    for marker, start, stop in _places(data):
        others = marker == _APP2 and data[start + 4 : stop].startswith(_SECOND_PICTURES)
        if marker not in (_APP1, _APP13, _COMMENT) and not others:
            kept.append(data[start:stop])
        end = stop
    return b"".join([*kept, data[end:]])


def read_metadata(data: bytes) -> tuple[Metadata, bytes]:
    """What a JPEG carries, as stored there, and the extension of its XMP (empty when there is none)."""
    found = Metadata()
    photoshop, comments = [], []
    extensions: dict[bytes, dict[int, bytes]] = {}
    for marker, body in segments(data):
        if marker == _APP1 and body.startswith(EXIF_PREFIX) and found.exif is None:
            found = replace(found, exif=body)
        elif marker == _APP1 and body.startswith(_XMP) and found.xmp is None:
            found = replace(found, xmp=body.removeprefix(_XMP))
        elif marker == _APP1 and body.startswith(_EXTENDED_XMP) and len(body) > _EXTENDED_HEADER:
            identity, place = struct.unpack_from(">32s4xI", body, len(_EXTENDED_XMP))
            extensions.setdefault(identity, {})[place] = body[_EXTENDED_HEADER:]
        elif marker == _APP13 and body.startswith(_PHOTOSHOP):
            photoshop.append(body.removeprefix(_PHOTOSHOP))
        elif marker == _COMMENT:
            comments.append(body)
        elif marker == _APP0 and body.startswith(_JFIF) and len(body) >= 12:
            found = replace(found, resolution=_density(body))
    found = replace(found, photoshop=b"".join(photoshop) or None, comments=tuple(comments))
    return found, _extension(found.xmp or b"", extensions)


def _extension(packet: bytes, extensions: Mapping[bytes, Mapping[int, bytes]]) -> bytes:
    """The extension that the packet names; programs that change a packet leave older ones behind."""
    parts = next((parts for identity, parts in extensions.items() if identity in packet), {})
    return b"".join(parts[place] for place in sorted(parts))


def _density(jfif: bytes) -> Resolution | None:
    unit, x, y = struct.unpack_from(">BHH", jfif, 7)
    if unit >= len(UNITS) or not x or not y or (unit == 0 and x == y):
        return None
    return Resolution(float(x), float(y), UNITS[unit])


def other_parts(data: bytes) -> tuple[str, ...]:
    """What the file holds beside its picture."""
    found = []
    for marker, body in segments(data):
        if marker == _APP2 and body.startswith(_SECOND_PICTURES):
            found.append(SECOND_PICTURE)
        elif marker == _APP2 and body.startswith(_GAIN_MAP):
            found.append(GAIN_MAP)
        elif marker == _APP11 and body.startswith(b"JP"):
            found.append(CREDENTIALS)
    return tuple(dict.fromkeys(found))


def has_profile(data: bytes) -> bool:
    """Whether the file has a colour profile, whole or not."""
    return any(marker == _APP2 and body.startswith(_PROFILE) for marker, body in segments(data))


def with_metadata(data: bytes, metadata: Metadata) -> bytes:
    """A JPEG that begins with JFIF, with these segments put behind that; what `fits` does not name is not put."""
    kept, _ = fits(metadata)
    extra = []
    if kept.exif is not None:
        extra.append(_segment(_APP1, EXIF_PREFIX + kept.exif))
    if kept.xmp is not None:
        extra += _xmp_segments(kept.xmp)
    step = _BODY_LIMIT - len(_PHOTOSHOP)
    block = kept.photoshop or b""
    extra += [_segment(_APP13, _PHOTOSHOP + block[first : first + step]) for first in range(0, len(block), step)]
    extra += [_segment(_COMMENT, comment) for comment in kept.comments]
    size = struct.unpack_from(">H", data, 4)[0]
    head = bytearray(data[: 4 + size])
    if kept.resolution is not None:
        head[13:18] = _encoded_density(kept.resolution)
    return bytes(head) + b"".join(extra) + data[4 + size :]


def _xmp_segments(packet: bytes) -> list[bytes]:
    """The packet; one that is too long for a segment as the extension of one that only names it."""
    if len(_XMP + packet) <= _BODY_LIMIT:
        return [_segment(_APP1, _XMP + packet)]
    extension = _PACKET_WRAPPER.sub(b"", packet)
    identity = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper().encode()
    head = _EXTENDED_XMP + identity + struct.pack(">I", len(extension))
    step = _BODY_LIMIT - len(head) - 4
    return [_segment(_APP1, _XMP + _EXTENDED_PACKET % identity)] + [
        _segment(_APP1, head + struct.pack(">I", place) + extension[place : place + step])
        for place in range(0, len(extension), step)
    ]


def fits(metadata: Metadata) -> tuple[Metadata, tuple[str, ...]]:
    """What a JPEG can hold of the metadata, texts called Comment as comments; and the names of what it cannot."""
    lost = []
    kept = metadata
    if kept.exif is not None and len(EXIF_PREFIX + kept.exif) > _BODY_LIMIT:
        kept, lost = replace(kept, exif=None), [*lost, "EXIF of more than 64 KB"]
    comments = [*kept.comments, *(t.text.encode() for t in kept.texts if t.keyword == COMMENT_KEYWORD)]
    others = [text.keyword for text in kept.texts if text.keyword != COMMENT_KEYWORD]
    if others:
        lost.append(f"the texts {', '.join(dict.fromkeys(others))}")
    if any(len(comment) > _BODY_LIMIT for comment in comments):
        lost.append("a comment of more than 64 KB")
    short = tuple(comment for comment in comments if len(comment) <= _BODY_LIMIT)
    return replace(kept, comments=short, texts=()), tuple(lost)


def comment_texts(metadata: Metadata) -> tuple[Text, ...]:
    """The comments as texts, for formats that know texts: UTF-8, else Latin-1."""
    return tuple(Text(COMMENT_KEYWORD, _decoded(comment)) for comment in metadata.comments)


def _decoded(comment: bytes) -> str:
    comment = comment.rstrip(b"\0")
    try:
        return comment.decode()
    except UnicodeDecodeError:
        return comment.decode("latin-1")


def _encoded_density(resolution: Resolution) -> bytes:
    told = resolution.numbered()
    x, y = told.x, told.y
    largest = max(x, y)
    if told.unit == "none" and (largest > 65_535 or min(x, y) < 1):
        x, y = x * 65_535 / largest, y * 65_535 / largest
    return struct.pack(">BHH", UNITS.index(told.unit), *(min(max(round(value), 1), 65_535) for value in (x, y)))


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
