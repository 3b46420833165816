"""XMP packets: kept as they came, apart from the statements that would no longer be true of the edited picture."""

from collections.abc import Iterator
from xml.dom import Node, minidom
from xml.parsers.expat import ExpatError

from core.files.other_parts import DEPTH, GAIN_MAP, SECOND_PICTURE

_LARGEST = 8_000_000
_MOST_MARKS = 100_000  # an element or attribute takes about a kilobyte once it is read
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_TIFF, _EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
_XMP, _NOTE = "http://ns.adobe.com/xap/1.0/", "http://ns.adobe.com/xmp/note/"
_CAMERA = "http://ns.google.com/photos/1.0/camera/"

# Whole vocabularies about other pictures and data in the photo's file, which its results do not hold.
_OTHER_PARTS = {
    "http://ns.adobe.com/hdr-gain-map/1.0/": GAIN_MAP,
    "http://ns.apple.com/HDRGainMap/1.0/": GAIN_MAP,
    "http://ns.google.com/photos/1.0/depthmap/": DEPTH,
    "http://ns.google.com/photos/1.0/image/": SECOND_PICTURE,
    "http://ns.google.com/photos/1.0/audio/": "sound",
    "http://ns.google.com/photos/1.0/container/": "",
    "http://ns.google.com/photos/1.0/container/item/": "",
    "http://ns.google.com/photos/dd/1.0/device/": DEPTH,
    "http://ns.google.com/photos/dd/1.0/container/": "",
}
_MOTION = ("MotionPhoto", "MicroVideo")
_NO_LONGER = {(_XMP, "Thumbnails"), (_NOTE, "HasExtendedXMP")}


class BadPacket(ValueError):
    """The packet is no XML that can be read safely."""


def upright_xmp(packet: bytes, extended: bytes, width: int, height: int) -> tuple[bytes, tuple[str, ...]]:
    """The packet (with its extension joined in) for the upright picture of that size, and the other parts it named.

    Orientation 1 and the picture's own size; no thumbnails, no pointers to other parts of the file it came in. In
    UTF-8; the very bytes when nothing had to change. Raises BadPacket.
    """
    packet = _trimmed(packet)
    try:
        return _upright(packet, extended, width, height)
    except RecursionError as error:
        raise BadPacket("nested too deeply") from error


def _upright(packet: bytes, extended: bytes, width: int, height: int) -> tuple[bytes, tuple[str, ...]]:
    document = _parsed(packet)
    changed = bool(extended) and _joined(document, _parsed(extended))
    truths = {(_TIFF, "Orientation"): 1, (_TIFF, "ImageWidth"): width, (_TIFF, "ImageLength"): height}
    truths |= {(_EXIF, "PixelXDimension"): width, (_EXIF, "PixelYDimension"): height}
    parts: list[str] = []
    for node in list(_properties(document)):
        name = (node.namespaceURI or "", node.localName or "")
        part = _other_part(name)
        if name in truths:
            changed = _say(node, str(truths[name])) or changed
        elif name in _NO_LONGER or part is not None:
            _remove(node)
            changed = True
            parts += [part] if part else []
    if changed or not _is_utf8(packet):
        packet = "".join(child.toxml() for child in document.childNodes).encode()
    return packet, tuple(dict.fromkeys(parts))


def _other_part(name: tuple[str, str]) -> str | None:
    """What a property points to; empty for mere bookkeeping about such parts, None for any other property."""
    if name[0] == _CAMERA and name[1].startswith(_MOTION):
        return "a video"
    return _OTHER_PARTS.get(name[0])


def _trimmed(packet: bytes) -> bytes:
    """Without the zeros that some writers fill up with; UTF-16 keeps the one of its last character."""
    trimmed = packet.rstrip(b"\0")
    wide = packet.startswith((b"\xff\xfe", b"<\0"))
    return trimmed + b"\0" if wide and len(trimmed) % 2 else trimmed


def _parsed(packet: bytes) -> minidom.Document:
    plain = packet.replace(b"\0", b"")
    if len(packet) > _LARGEST or plain.count(b"<") + plain.count(b"=") > _MOST_MARKS:
        raise BadPacket("too large")
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise BadPacket("with a document type")
    try:
        return minidom.parseString(packet)
    except (ExpatError, ValueError, LookupError, RecursionError) as error:
        raise BadPacket("no XML") from error


def _is_utf8(packet: bytes) -> bool:
    try:
        return "\0" not in packet.decode()
    except UnicodeDecodeError:
        return False


def _elements(node: minidom.Node) -> Iterator[minidom.Element]:
    """All elements beneath, without recursion."""
    waiting: list[minidom.Node] = [node]
    while waiting:
        found = [child for child in waiting.pop().childNodes if isinstance(child, minidom.Element)]
        yield from found
        waiting += found


def _properties(document: minidom.Document) -> Iterator[minidom.Attr | minidom.Element]:
    """Properties of the resource itself, whether written as attributes or as elements of an rdf:Description."""
    for description in _descriptions(document):
        yield from list(description.attributes.values())
        yield from (child for child in description.childNodes if isinstance(child, minidom.Element))


def _descriptions(document: minidom.Document) -> list[minidom.Element]:
    roots = [element for element in _elements(document) if _is(element, "RDF")]
    return [
        child
        for root in roots
        for child in root.childNodes
        if isinstance(child, minidom.Element) and _is(child, "Description")
    ]


def _is(node: minidom.Node, name: str) -> bool:
    return isinstance(node, minidom.Element) and node.namespaceURI == _RDF and node.localName == name


def _say(node: minidom.Attr | minidom.Element, value: str) -> bool:
    """Give a simple property another value; whether it had one."""
    if isinstance(node, minidom.Attr):
        before, node.value = node.value, value
        return before != value
    before = "".join(child.data for child in node.childNodes if child.nodeType == Node.TEXT_NODE)
    while node.firstChild is not None:
        node.removeChild(node.firstChild)
    words = minidom.Text()
    words.data = value
    node.appendChild(words)
    return before != value


def _remove(node: minidom.Attr | minidom.Element) -> None:
    if isinstance(node, minidom.Element) and node.parentNode is not None:
        node.parentNode.removeChild(node)
    elif isinstance(node, minidom.Attr) and node.ownerElement is not None:
        node.ownerElement.removeAttributeNode(node)


def _joined(document: minidom.Document, extension: minidom.Document) -> bool:
    """Put the extension's descriptions into the packet; whether there were any."""
    root = next((element for element in _elements(document) if _is(element, "RDF")), None)
    found = [] if root is None else _descriptions(extension)
    for description in found:
        assert root is not None
        root.appendChild(document.importNode(description, True))
    return bool(found)
