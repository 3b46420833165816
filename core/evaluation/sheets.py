"""Sheets of pictures beside a benchmark's figures."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from core.errors import InvalidInput
from core.files.atomic import write_atomically
from core.files.png import encode_png

_HEIGHT = 240


def strip(cells: Sequence[UInt8[np.ndarray, "_ _ 3"]], height: int = _HEIGHT) -> UInt8[np.ndarray, "h W 3"]:
    """Pictures of one scene side by side, all of the first one's shape."""
    width = max(1, round(height * cells[0].shape[1] / cells[0].shape[0]))
    return np.hstack([cv2.resize(cell, (width, height), interpolation=cv2.INTER_AREA) for cell in cells])


def write_sheet(path: Path, strips: Sequence[UInt8[np.ndarray, "_ _ 3"]]) -> None:
    """Strips below each other as a PNG. Raises InvalidInput when there is none, EditorError as writing does."""
    if not strips:
        raise InvalidInput(f"The benchmark has no picture for {path}; give a folder whose index lists some.")
    widest = max(found.shape[1] for found in strips)
    padded = [np.pad(found, ((0, 0), (0, widest - found.shape[1]), (0, 0))) for found in strips]
    write_atomically(path, encode_png(np.vstack(padded)))
