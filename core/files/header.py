"""What the first bytes of a picture file say, before anything of it is decoded."""

from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path

from PIL import Image

from core.files.limits import PHOTO_LIMITS
from core.files.png import bare
from core.files.quiet import decoding
from core.files.source import DECODER_FAULTS, name_of, opened, sniffed_format

_SNIFFED_BYTES = 256
_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True)
class Header:
    """A picture as plain readers find it: its format, its size, and the EXIF orientation that they leave to be applied.

    `coded_as` is Pillow's word for the pixels: L, RGB, CMYK, ...
    """

    file_format: str
    width: int
    height: int
    orientation: int
    coded_as: str

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as stored."""
        return self.width, self.height


def read_header(source: Path | bytes) -> Header | None:
    """The header of a picture file; None where it is told by decoding only, or not at all.

    Raises InvalidInput for a file that cannot be read.
    """
    if isinstance(source, bytes):
        return _header(BytesIO(source))
    with opened(source, name_of(source, ""), PHOTO_LIMITS.max_bytes) as (stream, _):
        return _header(stream)


def _header(stream: BytesIO | BufferedReader) -> Header | None:
    file_format = sniffed_format(stream.read(_SNIFFED_BYTES) or b"")
    stream.seek(0)
    # libheif and libavif turn pictures upright themselves, and so does Pillow with TIFF.
    if file_format not in ("JPEG", "PNG", "WEBP", "TIFF"):
        return None
    try:
        if file_format == "PNG":
            stream = BytesIO(bare(stream.read(), b"eXIf"))
        with decoding(), Image.open(stream, formats=[file_format]) as image:
            orientation = 1 if file_format == "TIFF" else _orientation(image)
            return Header(file_format, *image.size, orientation, image.mode)
    except DECODER_FAULTS:
        return None


def _orientation(image: Image.Image) -> int:
    try:
        # The PNG reader's own method would decode the whole picture, as EXIF may also stand behind it.
        value = Image.Image.getexif(image).get(_ORIENTATION_TAG, 1)
    except DECODER_FAULTS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
