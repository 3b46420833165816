"""Select everything in the browser: outlines appear, one click cuts an object out."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import assert_not_blank, screenshot, wait_in_page
from drawn import drawn_studio
from editor import Editor
from playwright.sync_api import Page

from core.files.png import encode_png

WIDTH, HEIGHT = 480, 320
RED, BLUE = np.s_[60:200, 60:200], np.s_[120:260, 280:420]
IN_RED, IN_BLUE = (0.27, 0.4), (0.73, 0.6)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with drawn_studio(tmp_path_factory.mktemp("autosave")) as running:
        yield running


@pytest.fixture
def opened(page: Page, address: str, tmp_path: Path) -> Editor:
    pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    pixels[RED], pixels[BLUE] = (200, 70, 50), (60, 80, 200)
    (tmp_path / "squares.png").write_bytes(encode_png(pixels))
    editor = Editor(page, address)
    editor.open_file(tmp_path / "squares.png")
    editor.wait_for_photo()
    assert_not_blank(screenshot(page))
    return editor


def test_the_photos_objects_are_outlined_and_a_click_cuts_one_out(opened: Editor) -> None:
    before = opened.picture().astype(int)
    opened.press("a")
    wait_in_page(opened.page, lambda: opened.by_id("hint").inner_text() == "Click an outlined object to cut it out")
    wait_in_page(opened.page, lambda: np.abs(opened.picture() - before).max() > 60)
    assert len(opened.steps()) == 1
    opened.click_photo(*IN_RED)
    assert opened.steps()[-1].endswith("Object 1 cut out")
    opened.click_photo(*IN_BLUE)
    assert len(opened.objects()) == 2


def test_outlines_go_with_their_tool(opened: Editor) -> None:
    opened.page.mouse.move(*opened.point(0.5, 0.05))
    opened.settle()
    before = opened.picture().astype(int)
    opened.by_id("tool-all").click()
    wait_in_page(opened.page, lambda: np.abs(opened.picture() - before).max() > 60)
    opened.by_id("tool-move").click()
    opened.page.mouse.move(*opened.point(0.5, 0.05))
    wait_in_page(opened.page, lambda: np.abs(opened.picture() - before).mean() < 0.5)


def test_beside_the_objects_nothing_is_taken(opened: Editor) -> None:
    opened.press("a")
    wait_in_page(opened.page, lambda: opened.by_id("hint").inner_text() == "Click an outlined object to cut it out")
    opened.page.mouse.click(*opened.point(0.5, 0.05))
    opened.page.wait_for_timeout(500)
    assert opened.objects() == []
