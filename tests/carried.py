"""Small files of every format that carry what the format can, for tests of what travels."""

import io
import re
import struct
import zipfile
import zlib

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

from core.files import icc
from core.files.carrying import png_metadata
from core.files.directories import Directory, Entry, Structure, encode_structure
from core.files.jpeg import with_metadata
from core.files.photoshop import with_iptc
from core.files.picture import Picture, encode_picture_tiff
from core.files.png import encode_png
from core.types.metadata import Metadata, Resolution, Text

OWNER, PLACE, SERIAL, UNIQUE = "Jörg Müller", "Straße 7, Köln", "SN-4711-0815", "0123456789abcdef0123456789abcdef"
PRIVATE = (OWNER, PLACE, SERIAL, UNIQUE, "Lieblingsplatz", "MAKERNOTE", "hello from the comment", "N51")
SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PROFILE = icc.rgb_profile("Owner's screen SN-4711-0815", icc.ADOBE_RGB, icc.ADOBE_RGB_CURVE)

XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
 xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" aux:SerialNumber="{SERIAL}" tiff:Orientation="ORIENTATION">
<dc:creator><rdf:Seq><rdf:li>{OWNER}</rdf:li></rdf:Seq></dc:creator>
<dc:subject><rdf:Bag><rdf:li>Lieblingsplatz</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
IPTC = b"".join(
    b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(words.encode())) + words.encode()
    for number, words in ((25, "Lieblingsplatz"), (80, OWNER), (90, PLACE))
)
PHOTOSHOP = with_iptc(None, IPTC)
TEXTS = (Text("Title", "A walk"), Text("Author", OWNER), Text("Description", PLACE, "de", "Beschreibung"))
COMMENT = b"hello from the comment"


def text(tag: int, words: str) -> Entry:
    data = words.encode() + b"\0"
    return Entry(tag, 2, len(data), data)


def exif(byte_order: str = ">", orientation: int = 1) -> bytes:
    """Every directory, UTF-8, rare types, a maker note, private and harmless tags."""

    def packed(tag: int, kind: int, code: str, *values: float) -> Entry:
        data = struct.pack(f"{byte_order}{code}", *values)
        return Entry(tag, kind, max(1, len(values) // (2 if kind in (5, 10) else 1)), data)

    interop = Directory({1: text(1, "R98"), 2: Entry(2, 7, 4, b"0100")})
    details = Directory(
        {
            0x829A: packed(0x829A, 5, "II", 1, 250),
            0x9003: text(0x9003, "2026:01:02 03:04:05"),
            0x9204: packed(0x9204, 10, "ii", -1, 3),
            0x9286: Entry(0x9286, 7, 8 + 14, b"UNICODE\0" + "Größe".encode("utf-16-be") + b"\0\0\0\0"),
            0x927C: Entry(0x927C, 7, 300, (b"MAKERNOTE" + SERIAL.encode()).ljust(300, b"Z"), 1000),
            0xA405: packed(0xA405, 3, "H", 28),
            0xA420: text(0xA420, UNIQUE),
            0xA430: text(0xA430, OWNER),
            0xA431: text(0xA431, SERIAL),
            0xA435: text(0xA435, SERIAL),
            0xC000: packed(0xC000, 12, "d", 1.5),
            0xC001: packed(0xC001, 9, "i", -7),
            0xC002: Entry(0xC002, 2, 0, b""),
        },
        {0xA005: interop},
    )
    gps = Directory({1: text(1, "N"), 2: packed(2, 5, "6I", 51, 1, 30, 1, 0, 1), 27: Entry(27, 7, 3, b"N51")})
    first = Directory(
        {
            0x010E: text(0x010E, PLACE),
            0x010F: text(0x010F, "Maker"),
            0x0110: text(0x0110, "Camera 3"),
            0x0112: packed(0x0112, 3, "H", orientation),
            0x013B: text(0x013B, OWNER),
            0x8298: text(0x8298, f"© 2026 {OWNER}"),
            0xC614 - 0x3000: packed(0xC614 - 0x3000, 4, "I", 42),
        },
        {0x8769: details, 0x8825: gps},
    )
    return encode_structure(Structure("<" if byte_order == "<" else ">", first))


def pixels(gray: bool = False) -> np.ndarray:
    values = np.random.default_rng(4).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    return np.repeat(values[..., :1], 3, axis=2) if gray else values


def metadata(orientation: int = 1, byte_order: str = ">") -> Metadata:
    return Metadata(
        exif=exif(byte_order, orientation),
        xmp=XMP.replace("ORIENTATION", str(orientation)).encode(),
        photoshop=PHOTOSHOP,
        texts=TEXTS,
        comments=(COMMENT,),
        resolution=Resolution(300.0, 150.0, "inch"),
    )


def saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def sample(file_format: str, orientation: int = 1, others: bool = False) -> bytes:
    """A file of that format with a wide profile and all the metadata that the format can hold.

    `others`: a JPEG says that it holds a second picture.
    """
    told, image = metadata(orientation), Image.fromarray(pixels())
    if file_format == "JPEG":
        data = with_metadata(saved(image, "JPEG", quality=95, icc_profile=PROFILE), told)
        return data[:2] + b"\xff\xe2\0\x06MPF\0" + data[2:] if others else data
    if file_format == "PNG":
        return encode_png(pixels(), PROFILE, png_metadata(told))
    if file_format == "TIFF":
        return encode_picture_tiff(Picture(pixels(), None, PROFILE, told))
    described = {"exif": b"Exif\0\0" + (told.exif or b""), "xmp": told.xmp, "icc_profile": PROFILE}
    if file_format == "HEIF":
        stream = io.BytesIO()
        pillow_heif.from_pillow(image).save(stream, quality=90, **described)
        return stream.getvalue()
    return saved(image, file_format, **described)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunks(data: bytes, *added: bytes) -> bytes:
    """A PNG with chunks behind its header."""
    return data[:33] + b"".join(added) + data[33:]


def unpacked(data: bytes) -> bytes:
    """The bytes and whatever is deflated or written as hexadecimal digits among them."""
    found = [data]
    for match in re.finditer(rb"x[\x01\x5e\x9c\xda]", data):
        try:
            found.append(zlib.decompressobj().decompress(data[match.start() :]))
        except zlib.error:
            continue
    digits = [
        bytes.fromhex(run.decode())
        for part in found
        for run in re.findall(rb"(?:[0-9a-f]{2})+", part.replace(b"\n", b""))
    ]
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found += [unpacked(archive.read(name)) for name in archive.namelist()]
    return b"\n".join([*found, *digits])


def leaks(data: bytes) -> list[str]:
    """The private words that can be found in a file, in whatever coding."""
    content = unpacked(data)
    codings = ("utf-8", "utf-16-be", "utf-16-le", "latin-1")
    return [words for words in PRIVATE if any(words.encode(coding) in content for coding in codings)]
