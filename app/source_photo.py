"""The picture file that a command works on, as far as it is known before it is decoded."""

import os
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from app.opening import photo_file
from core.errors import InvalidInput
from core.files.formats import Format
from core.files.header import Header, read_header
from core.types.frame import Frame
from core.types.photo import Photo

# What a JPEG file may be coded as, to be handed out again: CMYK is opened, edited and written as RGB.
_COPIED = ("L", "RGB")
_NOT_MIRRORED = (1, 3, 6, 8)


@dataclass(frozen=True)
class SourcePhoto:
    """A photo's file and its header, None where only decoding tells."""

    path: Path
    header: Header | None

    def unedited(self, photo: Photo, frame: Frame, chosen: Format) -> bytes | None:
        """The file's own bytes for a JPEG asked for of which nothing was edited, for that is never coded twice alike.

        None for any other: lossless formats give the same pixels back. Raises InvalidInput when it cannot be read.
        """
        header = self.header
        if header is None or header.file_format != "JPEG" or chosen.name != "jpeg":
            return None
        if header.coded_as not in _COPIED or header.orientation not in _NOT_MIRRORED:
            return None
        if not np.array_equal(frame.pixels, photo.pixels):
            return None
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise InvalidInput(f"{self.path} cannot be read again ({error.strerror}); do not move it yet.") from error


def source_photo(source: str) -> SourcePhoto:
    """The file behind what the command line names. Raises InvalidInput when there is none that can be read."""
    path = photo_file(source)
    return SourcePhoto(path, read_header(path))


def named_from(path: Path, folder: Path) -> str:
    """How a file in `folder` names another."""
    try:
        return PurePath(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive of Windows
        return path.absolute().as_posix()
