"""Layered pictures as OpenRaster (.ora), which GIMP, Krita and MyPaint open."""

from dataclasses import dataclass
from xml.etree import ElementTree

import cv2

from core.errors import InvalidInput
from core.files.archive import encode_zip
from core.files.picture import Picture, encode_picture_png
from core.maths.sizes import size_within

_THUMBNAIL_SIDE = 256


@dataclass(frozen=True, eq=False)
class Layer:
    """One named picture, its top left corner at (x, y) of the canvas; one that multiplies darkens what is below."""

    name: str
    picture: Picture
    x: int = 0
    y: int = 0
    visible: bool = True
    multiplies: bool = False


@dataclass(frozen=True, eq=False)
class LayerStack:
    """Layers from the bottom to the top, and the picture that they make together (the canvas' size)."""

    layers: tuple[Layer, ...]
    merged: Picture


def encode_ora(stack: LayerStack) -> bytes:
    """OpenRaster 0.0.5: the layers, the merged picture and a thumbnail. Raises InvalidInput without layers."""
    if not stack.layers:
        raise InvalidInput("There is no layer to write; add one.")
    height, width = stack.merged.pixels.shape[:2]
    image = ElementTree.Element("image", version="0.0.5", w=str(width), h=str(height), name="LRAS Studio")
    root = ElementTree.SubElement(image, "stack")
    files = {"mimetype": b"image/openraster", "stack.xml": b""}
    for number, layer in reversed(list(enumerate(stack.layers))):  # the format lists the topmost first
        source = f"data/layer{number:03}.png"
        ElementTree.SubElement(
            root,
            "layer",
            {
                "name": _printable(layer.name),
                "src": source,
                "x": str(layer.x),
                "y": str(layer.y),
                "opacity": "1.0",
                "visibility": "visible" if layer.visible else "hidden",
                "composite-op": "svg:multiply" if layer.multiplies else "svg:src-over",
            },
        )
        files[source] = encode_picture_png(layer.picture)
    files["stack.xml"] = ElementTree.tostring(image, encoding="UTF-8", xml_declaration=True)
    files["mergedimage.png"] = encode_picture_png(stack.merged)
    files["Thumbnails/thumbnail.png"] = encode_picture_png(_thumbnail(stack.merged))
    return encode_zip(files)


def _thumbnail(picture: Picture) -> Picture:
    height, width = picture.pixels.shape[:2]
    size = size_within(width, height, _THUMBNAIL_SIDE)
    pixels = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA)
    alpha = None if picture.alpha is None else cv2.resize(picture.alpha, size, interpolation=cv2.INTER_AREA)
    return Picture(pixels, alpha, picture.icc_profile).rounded()


def _printable(name: str) -> str:
    """XML 1.0 knows no control characters."""
    return "".join(character if character.isprintable() else " " for character in name)
