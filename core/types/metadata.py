"""What a picture file says about its picture beside the pixels, independent of the file's format."""

from dataclasses import dataclass
from typing import Literal

EXIF_PREFIX = b"Exif\0\0"
Unit = Literal["none", "inch", "centimetre", "metre"]
UNITS: tuple[Unit, ...] = ("none", "inch", "centimetre")
"""Those that files number, JFIF from 0 and EXIF from 1."""

_METRES = {"inch": 0.0254, "centimetre": 0.01, "metre": 1.0}


@dataclass(frozen=True)
class Text:
    """A named text of a PNG file, with its language tag and its translated name where there are any."""

    keyword: str
    text: str
    language: str = ""
    translated: str = ""


@dataclass(frozen=True)
class Resolution:
    """Pixels per unit across and down; of unit "none" only their ratio means something."""

    x: float
    y: float
    unit: Unit

    def per(self, unit: Literal["inch", "centimetre", "metre"]) -> tuple[float, float]:
        """Pixels across and down per that unit; as they are when there is no unit."""
        factor = 1.0 if self.unit == "none" else _METRES[unit] / _METRES[self.unit]
        return self.x * factor, self.y * factor

    def numbered(self) -> "Resolution":
        """The same in one of the units that files number: per inch instead of per metre."""
        return Resolution(*self.per("inch"), "inch") if self.unit == "metre" else self


@dataclass(frozen=True)
class Metadata:
    """What travels from a photo to its results.

    `exif` is a TIFF structure from its byte order mark on (a prefix "Exif" is taken off), `xmp` an XMP packet,
    `photoshop` a block of Photoshop image resources (IPTC is one of them), each already true of the upright picture;
    `comments` are in whatever coding they came.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    photoshop: bytes | None = None
    texts: tuple[Text, ...] = ()
    comments: tuple[bytes, ...] = ()
    resolution: Resolution | None = None

    def __post_init__(self) -> None:
        if self.exif is not None:
            object.__setattr__(self, "exif", self.exif.removeprefix(EXIF_PREFIX))


NO_METADATA = Metadata()
