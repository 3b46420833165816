"""Looking closely in the browser: the stage shows the picture's own pixels, edited or not."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import screenshot, wait_in_page
from drawn import drawn_studio
from editor import Editor
from playwright.sync_api import Page

from core.files.png import encode_png

WIDTH, HEIGHT = 1600, 1200
CARD = np.s_[500:800, 600:1000]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with drawn_studio(tmp_path_factory.mktemp("autosave")) as running:
        yield running


@pytest.fixture
def striped(page: Page, address: str, tmp_path: Path) -> Editor:
    """Stripes of one pixel, which any smaller picture turns into grey, and a card."""
    pixels = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    pixels[:, ::2] = 230
    pixels[CARD] = (200, 70, 50)
    (tmp_path / "stripes.png").write_bytes(encode_png(pixels))
    editor = Editor(page, address)
    editor.open_file(tmp_path / "stripes.png")
    editor.wait_for_photo()
    return editor


def contrast(editor: Editor) -> float:
    """How far neighbouring columns of the stage's middle differ, beside the card."""
    box = editor.by_id("stage").bounding_box()
    assert box is not None
    shown = screenshot(editor.page).astype(int)
    rows = slice(int(box["y"] + 40), int(box["y"] + 80))
    columns = slice(int(box["x"] + 40), int(box["x"] + 140))
    return float(np.abs(np.diff(shown[rows, columns, 1], axis=1)).mean())


def test_zooming_in_brings_the_photos_own_pixels(striped: Editor) -> None:
    assert not striped.by_id("detail").is_visible()
    striped.press("Control+1")
    wait_in_page(striped.page, lambda: striped.by_id("detail").is_visible())
    wait_in_page(striped.page, lambda: contrast(striped) > 100)
    striped.press("Control+0")
    wait_in_page(striped.page, lambda: not striped.by_id("detail").is_visible())


def test_an_edited_picture_becomes_sharp_as_well(striped: Editor) -> None:
    striped.click_photo(0.5, 0.54)
    striped.press("Delete")
    striped.settle()
    striped.press("Control+1")
    wait_in_page(striped.page, lambda: striped.by_id("detail").is_visible(), seconds=60)
    wait_in_page(striped.page, lambda: contrast(striped) > 100)
    striped.press("Control+z")
    wait_in_page(striped.page, lambda: contrast(striped) > 100)
    assert striped.steps()[0].endswith("Original")
