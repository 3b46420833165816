"""The command line, called as a shell would, and files for it."""

from pathlib import Path

import numpy as np
import pytest

from app import cli
from core.files.mask import encode_mask
from core.files.png import encode_png
from core.types.mask import Mask


def run(*words: str) -> int:
    """The exit code of `launch.py` with these words."""
    try:
        return cli.main(list(words))
    except SystemExit as stop:
        return int(stop.code or 0)


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> str:
    """The one line on stderr; every file in the folder is as it was."""
    before = _contents(folder)
    capsys.readouterr()
    assert run(*words) == 2, words
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert _contents(folder) == before
    return err


def write_card(width: int, height: int) -> None:
    """A photo of waves with a flat card before a wall: photo.png, depth.npy and the card's mask.png."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 7), np.cos(y / 9), np.sin((x + y) / 11)], axis=-1)
    Path("photo.png").write_bytes(encode_png(np.rint(127 + 100 * waves).astype(np.uint8)))
    card = np.s_[height // 3 : 2 * height // 3, 3 * width // 8 : 5 * width // 8]
    depth, mask = np.full((height, width), 4.0, np.float32), np.zeros((height, width), np.uint8)
    depth[card], mask[card] = 2.0, 255
    np.save("depth.npy", depth)
    Path("mask.png").write_bytes(encode_mask(Mask(mask)))


def _contents(folder: Path) -> dict[str, bytes | None]:
    """Of every file; None for a pipe or a folder."""
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}
