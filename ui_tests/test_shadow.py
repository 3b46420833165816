"""Shadows in the browser: one click takes one along, its box lets the brush paint it, and none is a sentence."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import assert_not_blank, screenshot, wait_in_page
from drawn import drawn_studio
from editor import Editor
from playwright.sync_api import Page
from shadowed import HEIGHT, WIDTH, shadowed_card

from core.files.png import encode_png

SCENE = shadowed_card(texture=0.05)
ROWS, COLUMNS = np.nonzero(SCENE.card.coverage)
CARD = float(COLUMNS.mean()) / WIDTH, float(ROWS.mean()) / HEIGHT
BESIDE = 0.85, 0.8
CORE = (SCENE.ratio[..., 1] < 0.31) & (SCENE.card.coverage == 0)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with drawn_studio(tmp_path_factory.mktemp("autosave")) as running:
        yield running


def opened(page: Page, address: str, folder: Path, pixels: np.ndarray) -> Editor:
    """The card is cut out and selected."""
    (folder / "card.png").write_bytes(encode_png(pixels))
    editor = Editor(page, address)
    editor.open_file(folder / "card.png")
    editor.wait_for_photo()
    editor.click_photo(*CARD)
    assert_not_blank(screenshot(page))
    return editor


@pytest.fixture
def editor(page: Page, address: str, tmp_path: Path) -> Editor:
    return opened(page, address, tmp_path, SCENE.photo.pixels)


def shown_brightness(editor: Editor) -> float:
    """Mean of what the stage shows where the shadow's core was: the edited picture, or the photo while nothing is."""
    pixels = editor.page.evaluate(
        """async ([width, height]) => {
          const result = document.querySelector("#result");
          const image = result.hidden ? document.querySelector("#base") : result;
          const canvas = new OffscreenCanvas(width, height), pen = canvas.getContext("2d");
          pen.drawImage(image, 0, 0, width, height);
          return Array.from(pen.getImageData(0, 0, width, height).data);
        }""",
        [WIDTH, HEIGHT],
    )
    return float(np.array(pixels).reshape(HEIGHT, WIDTH, 4)[CORE][:, 1].mean())


def button(editor: Editor, name: str):
    return editor.page.locator(f"#shadow-{name}")


def test_a_shadow_taken_along_goes_when_its_object_is_removed(editor: Editor) -> None:
    assert button(editor, "take").is_visible()
    assert not button(editor, "leave").is_visible()
    button(editor, "take").click()
    wait_in_page(editor.page, lambda: editor.steps()[-1].endswith("shadow taken along"))
    wait_in_page(editor.page, lambda: button(editor, "leave").is_visible())
    assert not button(editor, "take").is_visible()
    editor.settle()
    before = shown_brightness(editor)
    editor.press("Delete")
    wait_in_page(editor.page, lambda: editor.steps()[-1].endswith("removed"))
    editor.settle()
    wait_in_page(editor.page, lambda: shown_brightness(editor) > 1.4 * before)


def test_a_shadow_that_is_left_stays(editor: Editor) -> None:
    button(editor, "take").click()
    wait_in_page(editor.page, lambda: button(editor, "leave").is_visible())
    button(editor, "leave").click()
    wait_in_page(editor.page, lambda: editor.steps()[-1].endswith("shadow left"))
    editor.settle()
    before = shown_brightness(editor)
    editor.press("Delete")
    wait_in_page(editor.page, lambda: editor.steps()[-1].endswith("removed"))
    editor.settle()
    assert shown_brightness(editor) == pytest.approx(before, rel=0.05)


def test_with_its_box_ticked_the_brush_paints_the_shadow(editor: Editor) -> None:
    editor.by_id("shadow-paint").check()
    wait_in_page(editor.page, lambda: "shadow" in editor.by_id("hint").inner_text())
    editor.drag_photo((CARD[0] - 0.15, BESIDE[1]), (CARD[0] + 0.1, BESIDE[1]))
    assert editor.steps()[-1].endswith("shadow painted")
    assert button(editor, "leave").is_visible()
    editor.by_id("shadow-paint").uncheck()
    wait_in_page(editor.page, lambda: editor.by_id("tool-move").get_attribute("aria-pressed") == "true")
    editor.press("p")
    editor.drag_photo((CARD[0] - 0.05, CARD[1]), (CARD[0] + 0.05, CARD[1]))
    assert editor.steps()[-1].endswith("Object 1 painted")


def test_no_shadow_is_told_in_the_status_line(page: Page, address: str, tmp_path: Path) -> None:
    lit = SCENE.lit.copy()
    card = SCENE.card.coverage > 0
    lit[card] = SCENE.photo.pixels[card]
    editor = opened(page, address, tmp_path, lit)
    steps = editor.steps()
    button(editor, "take").click()
    wait_in_page(page, lambda: "No shadow of Object 1" in editor.status())
    assert editor.by_id("status").get_attribute("data-tone") == "notice"
    assert editor.steps() == steps
