"""What the first bytes of a picture file say, before anything of it is decoded."""

from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path

from PIL import Image

from core.files.exif import orientation_of, read_exif
from core.files.limits import PHOTO_LIMITS
from core.files.png import bare, read_metadata
from core.files.quiet import decoding
from core.files.source import DECODER_FAULTS, SNIFFED_BYTES, name_of, opened, sniffed_format


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
    file_format = sniffed_format(stream.read(SNIFFED_BYTES) or b"")
    stream.seek(0)
    # libheif and libavif turn pictures upright themselves, and so does Pillow with TIFF.
    if file_format not in ("JPEG", "PNG", "WEBP", "TIFF"):
        return None
    exif = None
    try:
        if file_format == "PNG":
            data = stream.read()
            stream, exif = BytesIO(bare(data)), read_metadata(data)[0].exif
        with decoding(), Image.open(stream, formats=[file_format]) as image:
            # Pillow's own method would take the word of an XMP packet, too, by which the studio turns no picture.
            orientation = orientation_of(read_exif(exif or image.info.get("exif")))
            return Header(file_format, *image.size, 1 if file_format == "TIFF" else orientation, image.mode)
    except DECODER_FAULTS:
        return None
