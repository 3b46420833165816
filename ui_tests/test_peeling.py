"""The peeled photo from the export menu, in a real browser with the real engine."""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import wait_in_page
from drawn import drawn_studio
from editor import Editor
from playwright.sync_api import Page

from core.files.photo import open_photo
from core.files.png import encode_png

WIDTH, HEIGHT = 480, 320


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with drawn_studio(tmp_path_factory.mktemp("autosave")) as running:
        yield running


@pytest.fixture
def pixels() -> np.ndarray:
    """A blue square partly behind a red one."""
    drawn = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    drawn[60:200, 60:200], drawn[120:260, 180:320] = (60, 80, 200), (200, 70, 50)
    return drawn


def test_layers_of_found_objects_show_the_photo(page: Page, address: str, tmp_path: Path, pixels: np.ndarray) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    (tmp_path / "squares.png").write_bytes(encode_png(pixels))
    editor = Editor(page, address)
    editor.open_file(tmp_path / "squares.png")
    editor.wait_for_photo()
    editor.by_id("export").click()
    assert editor.by_id("export-peeled-ora").get_attribute("title") == "Peeled layers (.ora)"
    assert editor.by_id("export-peeled-exr").get_attribute("title") == "Peeled layers with depth (.exr)"
    if folder := os.environ.get("LRAS_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "peel-menu.png")
    editor.press("Escape")
    editor.by_id("stage").click(position={"x": 5, "y": 5})
    layers = editor.download("peeled-ora").read_bytes()
    wait_in_page(page, lambda: "squares-peeled.ora saved" in editor.status())
    with zipfile.ZipFile(io.BytesIO(layers)) as archive:
        listed = ElementTree.fromstring(archive.read("stack.xml")).findall("stack/layer")
        canvas = np.zeros((HEIGHT, WIDTH, 3))
        for one in reversed(listed):
            layer = open_photo(archive.read(one.get("src") or ""))
            assert layer.alpha is not None
            rows, columns = layer.alpha.shape
            x, y = int(one.get("x") or 0), int(one.get("y") or 0)
            share = (layer.alpha / 255)[..., None]
            window = canvas[y : y + rows, x : x + columns]
            window[:] = np.rint(share * layer.pixels + (1 - share) * window)
    assert len(listed) == 3
    assert np.array_equal(canvas, pixels)
    assert editor.download("peeled-exr").read_bytes()[:4] == b"\x76\x2f\x31\x01"
    assert editor.objects() == []
