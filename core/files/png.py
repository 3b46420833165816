"""PNG as chunks: what they carry beside the picture, and PNG files from arrays with such chunks."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from core.files.other_parts import CREDENTIALS, LIGHT_LEVELS, animation
from core.files.photoshop import with_iptc
from core.types.metadata import Metadata, Resolution, Text

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = 33  # 8 bytes of signature and the IHDR chunk, which every encoder writes first
PICTURE_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_MOST_CHUNKS = 200_000
_LARGEST_TEXTS = 8_000_000
_XMP_KEYWORD = "XML:com.adobe.xmp"
_RAW = "Raw profile type "
_SUB_FILTER, _GRAY_ALPHA = 1, 4


@dataclass(frozen=True)
class ColourChunks:
    """What PNG chunks say of colours; `cicp` are its four code points, `chromaticities` x and y of white, R, G, B.

    `bad_profile`: there is a profile that cannot be unpacked.
    """

    cicp: tuple[int, int, int, int] | None = None
    icc_profile: bytes | None = None
    bad_profile: bool = False
    srgb: bool = False
    gamma: float | None = None
    chromaticities: tuple[float, ...] | None = None


class TooManyChunks(ValueError):
    """A file made to be slow."""


def chunk_places(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of each chunk's body, as far as the file goes. Raises TooManyChunks."""
    place = len(SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        if place + 8 > len(data):
            return
        length = int.from_bytes(data[place : place + 4], "big")
        kind, start = data[place + 4 : place + 8], place + 8
        yield kind, start, min(start + length, len(data))
        place = start + length + 4
        if kind == b"IEND":
            return
    raise TooManyChunks("too many chunks")


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of every chunk. Raises TooManyChunks."""
    for kind, start, stop in chunk_places(data):
        yield kind, data[start:stop]


def bare(data: bytes, *more: bytes) -> bytes:
    """The file with the chunks of the picture itself, and of `more` kinds, so that no decoder stumbles over the others.

    Raises TooManyChunks.
    """
    wanted = PICTURE_CHUNKS.union(more)
    kept = [data[start - 8 : stop + 4] for kind, start, stop in chunk_places(data) if kind in wanted]
    return b"".join([SIGNATURE, *kept])


def other_parts(data: bytes) -> tuple[str, ...]:
    """What the file holds beside its picture."""
    frames, found = 1, []
    for kind, start, _ in chunk_places(data):
        if kind == b"acTL":
            frames = int.from_bytes(data[start : start + 4], "big")
        elif kind == b"caBX":
            found.append(CREDENTIALS)
        elif kind in (b"mDCV", b"mDCv", b"cLLI", b"cLLi"):
            found.append(LIGHT_LEVELS)
    return animation(frames) + tuple(dict.fromkeys(found))


def read_colours(data: bytes) -> ColourChunks:
    """What the chunks before the picture say of its colours; one that is damaged is left out."""
    found = ColourChunks()
    for kind, body in chunks(data):
        if kind == b"IDAT":
            break
        if kind == b"cICP" and len(body) == 4:
            found = replace(found, cicp=tuple(body))
        elif kind == b"iCCP" and found.icc_profile is None:
            content, whole = _inflated(body.partition(b"\0")[2][1:], _LARGEST_TEXTS)
            found = replace(found, icc_profile=content if whole else b"")
        elif kind == b"sRGB":
            found = replace(found, srgb=True)
        elif kind == b"gAMA" and len(body) == 4 and any(body):
            found = replace(found, gamma=struct.unpack(">I", body)[0] / 100_000)
        elif kind == b"cHRM" and len(body) == 32:
            found = replace(found, chromaticities=tuple(value / 100_000 for value in struct.unpack(">8I", body)))
    return replace(found, icc_profile=found.icc_profile or None, bad_profile=found.icc_profile == b"")


def read_metadata(data: bytes) -> tuple[Metadata, bool]:
    """What a PNG carries, as stored there, and whether all of its texts could be read.

    IPTC and older EXIF and XMP by ImageMagick's "Raw profile" texts.
    """
    found, left, whole = Metadata(), _LARGEST_TEXTS, True
    photoshop: bytes | None = None
    iptc: bytes | None = None
    for kind, body in chunks(data):
        if kind == b"eXIf":
            found = replace(found, exif=body)
        elif kind == b"pHYs" and len(body) == 9:
            x, y, metres = struct.unpack(">IIB", body)
            if x and y and (metres == 1 or x != y):
                found = replace(found, resolution=Resolution(float(x), float(y), "metre" if metres == 1 else "none"))
        if kind not in (b"tEXt", b"zTXt", b"iTXt"):
            continue
        text, taken = _text(kind, body, left)
        left -= taken
        if text is None:
            whole = False
            continue
        raw = _unwrapped(text)
        if text.keyword == _XMP_KEYWORD:
            found = replace(found, xmp=text.text.encode())
        elif raw is None:
            found = replace(found, texts=(*found.texts, text))
        elif raw[0] in ("exif", "APP1") and found.exif is None:
            found = replace(found, exif=raw[1])
        elif raw[0] == "xmp" and found.xmp is None:
            found = replace(found, xmp=raw[1])
        elif raw[0] in ("8bim", "iptc") and raw[1].startswith(b"8BIM"):
            photoshop = raw[1]
        elif raw[0] == "iptc":
            iptc = raw[1]
    return replace(found, photoshop=with_iptc(photoshop, iptc)), whole


def _text(kind: bytes, body: bytes, left: int) -> tuple[Text | None, int]:
    """The text of a text chunk and the bytes it takes; no text when it is damaged or takes more than are left."""
    keyword, _, content = body.partition(b"\0")
    name, language, translated = keyword.decode("latin-1"), b"", b""
    packed = kind == b"zTXt"
    if kind == b"iTXt":
        packed = content[:1] == b"\1"
        language, _, content = content[2:].partition(b"\0")
        translated, _, content = content.partition(b"\0")
    elif packed:
        content = content[1:]
    whole = len(content) <= left
    if packed:
        content, whole = _inflated(content, max(left, 0))
    if not whole or not name:
        return None, len(content)
    words = content.decode(*(("utf-8", "replace") if kind == b"iTXt" else ("latin-1",)))
    return Text(name, words, language.decode("latin-1"), translated.decode("utf-8", "replace")), len(content)


def _inflated(data: bytes, most: int) -> tuple[bytes, bool]:
    """As much as can be unpacked, but not more than `most` bytes, and whether that is all and sound."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(data, most) if most else b""
    except zlib.error:
        return b"", False
    return content, unpacker.eof


def _unwrapped(text: Text) -> tuple[str, bytes] | None:
    """Kind and bytes of a "Raw profile" text: name, length and hexadecimal digits on lines of their own."""
    lines = text.text.split("\n")
    if not text.keyword.startswith(_RAW) or len(lines) < 4:
        return None
    try:
        return text.keyword.removeprefix(_RAW), bytes.fromhex("".join(lines[3:]))
    except ValueError:
        return None


def encode_png(values: np.ndarray, icc_profile: bytes | None = None, metadata: Metadata | None = None) -> bytes:
    """Uint8 or uint16 [H W], [H W 2] (gray and alpha), [H W 3] or [H W 4] (straight alpha) as PNG.

    Pillow cannot write 16-bit colour and OpenCV no profile, so OpenCV's chunks are completed here.
    """
    data = _encoded_gray_alpha(values) if values.shape[2:] == (2,) else _encoded(values)
    extra = b""
    if icc_profile is not None:
        extra += _chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc_profile))
    if metadata is not None:
        extra += b"".join(_metadata_chunks(metadata))
    return data[:_HEADER_END] + extra + data[_HEADER_END:]


def _encoded(values: np.ndarray) -> bytes:
    if values.ndim == 3:
        values = cv2.cvtColor(values, cv2.COLOR_RGB2BGR if values.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    done, buffer = cv2.imencode(".png", values)
    assert done  # an array of these types can always be written
    return buffer.tobytes()


def _encoded_gray_alpha(values: np.ndarray) -> bytes:
    """OpenCV knows no gray with alpha, Pillow none of 16 bits."""
    height, width, _ = values.shape
    header = struct.pack(">IIBBBBB", width, height, 8 * values.itemsize, _GRAY_ALPHA, 0, 0, 0)
    rows = values.astype(values.dtype.newbyteorder(">")).reshape(height, -1).view(np.uint8)
    step = 2 * values.itemsize
    filtered = np.full((height, 1 + rows.shape[1]), _SUB_FILTER, np.uint8)
    filtered[:, 1:] = rows
    filtered[:, 1 + step :] -= rows[:, :-step]
    picture = _chunk(b"IDAT", zlib.compress(filtered.tobytes(), 3))
    return SIGNATURE + _chunk(b"IHDR", header) + picture + _chunk(b"IEND", b"")


def _metadata_chunks(metadata: Metadata) -> Iterator[bytes]:
    if metadata.resolution is not None:
        known = metadata.resolution.unit != "none"
        sides = metadata.resolution.per("metre")
        yield _chunk(b"pHYs", struct.pack(">IIB", *(min(max(round(side), 1), 2**31 - 1) for side in sides), known))
    if metadata.exif is not None:
        yield _chunk(b"eXIf", metadata.exif)
    if metadata.xmp is not None:
        yield _chunk(b"iTXt", _XMP_KEYWORD.encode() + b"\0\0\0\0\0" + metadata.xmp)
    if metadata.photoshop is not None:
        yield _wrapped("iptc", metadata.photoshop)
    for text in metadata.texts:
        yield _text_chunk(text)


def _wrapped(name: str, content: bytes) -> bytes:
    digits = content.hex()
    lines = "\n".join(digits[first : first + 72] for first in range(0, len(digits), 72))
    packed = zlib.compress(f"\n{name}\n{len(content):8}\n{lines}\n".encode())
    return _chunk(b"zTXt", (_RAW + name).encode() + b"\0\0" + packed)


def _text_chunk(text: Text) -> bytes:
    """Latin-1 as tEXt, which every reader knows, anything else as iTXt."""
    keyword = text.keyword.encode("latin-1", "replace")[:79]
    if text.language or text.translated or not text.text.isascii():
        names = text.language.encode("latin-1", "replace") + b"\0" + text.translated.encode() + b"\0"
        return _chunk(b"iTXt", keyword + b"\0\0\0" + names + text.text.encode())
    return _chunk(b"tEXt", keyword + b"\0" + text.text.encode())


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
