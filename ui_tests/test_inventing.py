"""Inventing again in the browser: a brush changes only what it touches, variations are shown and taken."""

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
CARD = np.s_[90:230, 150:330]
INSIDE, UPPER, LOWER = (0.5, 0.5), (0.5, 0.36), (0.5, 0.64)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with drawn_studio(tmp_path_factory.mktemp("autosave")) as running:
        yield running


@pytest.fixture
def removed(page: Page, address: str, tmp_path: Path) -> Editor:
    """A card was taken out of a wall of pebbles, and the tool is in hand."""
    random = np.random.default_rng(0)
    blocks = random.integers(40, 215, (HEIGHT // 8, WIDTH // 8, 3)).astype(np.uint8)
    pixels = np.kron(blocks, np.ones((8, 8, 1), np.uint8))
    pixels[CARD] = (200, 70, 50)
    (tmp_path / "wall.png").write_bytes(encode_png(pixels))
    editor = Editor(page, address)
    editor.open_file(tmp_path / "wall.png")
    editor.wait_for_photo()
    editor.click_photo(*INSIDE)
    editor.press("Delete")
    editor.settle()
    editor.press("i")
    wait_in_page(page, lambda: editor.by_id("invent-bar").is_visible())
    assert_not_blank(screenshot(page))
    return editor


def result(editor: Editor) -> np.ndarray:
    """The edited picture as the server has it."""
    source = editor.page.evaluate(
        """async () => {
          const image = document.querySelector("#result");
          const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight), pen = canvas.getContext("2d");
          pen.drawImage(image, 0, 0);
          const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
          return { width: canvas.width, data: Array.from(data) };
        }"""
    )
    return np.array(source["data"], np.uint8).reshape(-1, source["width"], 4)[..., :3].astype(int)


def test_hatching_shows_with_the_tool_and_goes_with_it(removed: Editor) -> None:
    wait_in_page(removed.page, lambda: removed.by_id("invented").is_visible())
    removed.press("v")
    wait_in_page(removed.page, lambda: not removed.by_id("invented").is_visible())
    assert not removed.by_id("invent-bar").is_visible()


def test_a_stroke_changes_what_it_touches_and_nothing_else(removed: Editor) -> None:
    before = result(removed)
    for _ in range(4):
        removed.press("]")
    removed.drag_photo((0.4, UPPER[1]), (0.6, UPPER[1]))
    assert removed.steps()[-1].endswith("Invented again")
    changed = np.abs(result(removed) - before).max(axis=2) > 24
    rows = np.flatnonzero(changed.any(axis=1)) / len(changed)
    assert rows.size
    assert rows.max() < LOWER[1]
    removed.press("Control+z")
    removed.settle()
    wait_in_page(removed.page, lambda: np.abs(result(removed) - before).max() < 24)


def test_kept_parts_stay_while_the_rest_changes(removed: Editor) -> None:
    before = result(removed)
    removed.by_id("invent-keep").check()
    removed.drag_photo((0.33, UPPER[1]), (0.67, UPPER[1]))
    assert removed.steps()[-1].endswith("Rest invented again")
    changed = np.abs(result(removed) - before).max(axis=2) > 24
    height, width = changed.shape
    assert changed.any()
    assert not changed[round(UPPER[1] * height), round(0.4 * width) : round(0.6 * width)].any()


def test_variations_are_shown_and_one_is_taken(removed: Editor) -> None:
    before = result(removed)
    removed.by_id("invent-others").click()
    wait_in_page(removed.page, lambda: removed.by_id("variations").locator("img:not([hidden])").count() == 4)
    removed.by_id("variation-2").click()
    wait_in_page(removed.page, lambda: removed.steps()[-1].endswith("Variation 2"))
    removed.settle()
    wait_in_page(removed.page, lambda: np.abs(result(removed) - before).max() > 24)
    outside = np.ones(before.shape[:2], bool)
    outside[60:260, 120:360] = False
    assert np.abs(result(removed) - before).max(axis=2)[outside].max() <= 24


def test_an_edit_is_checked_and_the_best_variation_taken(removed: Editor) -> None:
    assert removed.by_id("adherence").inner_text() == ""
    removed.by_id("check-edit").click()
    wait_in_page(removed.page, lambda: "gone from its place" in removed.by_id("adherence").inner_text())
    removed.by_id("invent-others").click()
    wait_in_page(removed.page, lambda: removed.by_id("variations").locator("img:not([hidden])").count() == 4)
    removed.by_id("take-best").click()
    removed.settle()
    wait_in_page(removed.page, lambda: removed.by_id("take-best").is_enabled())
    assert "gone from its place" in removed.by_id("adherence").inner_text()


def test_without_inventions_the_tool_says_so(page: Page, address: str, tmp_path: Path) -> None:
    (tmp_path / "plain.png").write_bytes(encode_png(np.full((HEIGHT, WIDTH, 3), 90, np.uint8)))
    editor = Editor(page, address)
    editor.open_file(tmp_path / "plain.png")
    editor.wait_for_photo()
    editor.press("i")
    wait_in_page(page, lambda: "Nothing is invented yet" in editor.by_id("hint").inner_text())
    assert editor.by_id("invent-all").is_disabled()


def test_the_order_of_painting_is_chosen_for_an_engine_that_has_one(removed: Editor) -> None:
    page = removed.page
    page.locator("#invent-others").click()
    order = removed.by_id("paint-order")
    assert order.is_disabled()
    page.locator("#engine").select_option("lras-small")
    wait_in_page(page, order.is_enabled)
    removed.settle()
    inwards, steps = result(removed), removed.steps()
    order.select_option("scattered")
    wait_in_page(page, lambda: len(removed.steps()) == len(steps) + 1)
    removed.settle()
    assert order.input_value() == "scattered"
    wait_in_page(page, lambda: not np.array_equal(result(removed), inwards))
    assert_not_blank(screenshot(page))
