"""The studio as an artist uses it, in a real browser with the real engine."""

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import carried
import cv2
import numpy as np
import pytest
from conftest import assert_not_blank, served, wait_in_page
from editor import Editor
from playwright.sync_api import Browser, Page
from skimage.data import coffee

from app.server import build_app
from app.services import Services
from app.session import Session
from app.store import SessionStore
from core.files.photo import open_photo

CUP = (0.5, 0.5)
SIZE = {"width": 1280, "height": 720}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The whole studio on one port, as `launch.py ui` serves it."""
    store = SessionStore(Services(), tmp_path_factory.mktemp("autosave"))
    with served(build_app(store)) as running:
        yield running


@pytest.fixture
def editor(page: Page, address: str) -> Editor:
    page.set_viewport_size(SIZE)
    return Editor(page, address)


@pytest.fixture
def cup(editor: Editor) -> Editor:
    """Coffee is open and its cup is cut out and selected."""
    editor.open_sample("coffee")
    editor.click_photo(*CUP)
    return editor


def keep_screenshot(editor: Editor, name: str) -> None:
    """Save what the page shows where LRAS_SCREENSHOTS says, for people to look at."""
    folder = os.environ.get("LRAS_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        editor.page.screenshot(path=Path(folder) / f"{name}.png")


def test_the_top_bar_fits_into_narrow_windows(cup: Editor):
    cup.page.evaluate("document.getElementById('unsaved-box').hidden = false")
    for width in (1280, 1024, 900):
        cup.page.set_viewport_size({"width": width, "height": 700})
        last = cup.by_id("keys").bounding_box()
        assert last is not None
        assert last["x"] + last["width"] <= width


def test_an_opened_photo_is_on_the_stage(editor: Editor):
    keep_screenshot(editor, "empty")
    editor.open_sample("coffee")
    assert_not_blank(editor.picture())
    assert editor.by_id("photo-name").inner_text().startswith("coffee")
    assert "600" in editor.by_id("photo-size").inner_text()
    assert editor.by_id("depth-source").is_visible()
    assert "depth network" in editor.by_id("depth-source").inner_text().lower()
    keep_screenshot(editor, "photo")


def test_click_drag_undo_redo(cup: Editor):
    assert cup.stage("data-state") == "selected"
    assert len(cup.objects()) == 1
    before = cup.picture()
    keep_screenshot(cup, "selected")
    cup.drag_photo(CUP, (0.42, 0.52))
    wait_in_page(cup.page, lambda: cup.number("move-right") < 0)
    assert cup.stage("data-object") == "moved"
    assert "invented" in cup.status()
    moved = cup.picture()
    assert np.abs(moved.astype(int) - before).mean() > 3
    assert len(cup.steps()) == 3  # the original, the cut, the drag
    keep_screenshot(cup, "result")
    cup.press("Control+z")
    wait_in_page(cup.page, lambda: cup.stage("data-object") == "rest")
    wait_in_page(cup.page, lambda: cup.number("move-right") == 0)
    cup.press("Control+Shift+z")
    wait_in_page(cup.page, lambda: cup.stage("data-object") == "moved")
    assert len(cup.steps()) == 3


def test_the_numbers_follow_the_hand_and_escape_puts_them_back(cup: Editor):
    steps, mouse = cup.steps(), cup.page.mouse
    mouse.move(*cup.point(*CUP))
    mouse.down()
    mouse.move(*cup.point(0.42, 0.52), steps=6)
    wait_in_page(cup.page, lambda: cup.number("move-x") == cup.number("move-right") < -0.01)
    keep_screenshot(cup, "drag")
    cup.page.keyboard.press("Escape")
    wait_in_page(cup.page, lambda: cup.number("move-right") == 0)
    mouse.up()
    assert cup.steps() == steps


def test_numbers_do_what_the_mouse_does(cup: Editor):
    steps = cup.steps()
    cup.type_number("move-right", -0.2)
    wait_in_page(cup.page, lambda: cup.steps() != steps)
    cup.settle()
    assert cup.number("move-right") == pytest.approx(-0.2, abs=1e-3)
    assert cup.number("move-x") == pytest.approx(-0.2, abs=1e-3)
    cup.type_number("yaw", 6)
    wait_in_page(cup.page, lambda: len(cup.steps()) == len(steps) + 2)
    cup.settle()
    keep_screenshot(cup, "new-view")


def test_the_3d_view_shows_the_photo_and_moves_the_object_by_keys(cup: Editor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.bridge.OBJECT_BUDGET", 3_000)
    monkeypatch.setattr("app.viewport.splats.BACKGROUND_BUDGET", 6_000)
    cup.by_id("view-space").click()
    view = cup.page.frame_locator("[data-testid=viewport]").locator("canvas").first
    view.wait_for()
    cup.page.wait_for_timeout(4000)
    assert_not_blank(cup.picture())
    keep_screenshot(cup, "space")
    before = cup.number("move-x"), cup.number("move-y"), cup.number("move-z")
    steps = cup.steps()
    box = view.bounding_box()
    assert box is not None
    # G takes the object without touching a handle; the mouse carries it until Enter.
    cup.page.mouse.click(box["x"] + 30, box["y"] + box["height"] / 2)
    cup.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.6)
    cup.page.keyboard.press("g")
    cup.page.mouse.move(box["x"] + box["width"] * 0.42, box["y"] + box["height"] * 0.6, steps=6)
    cup.page.wait_for_timeout(800)
    cup.page.keyboard.press("Enter")
    wait_in_page(cup.page, lambda: cup.steps() != steps)
    cup.settle()
    wait_in_page(cup.page, lambda: (cup.number("move-x"), cup.number("move-y"), cup.number("move-z")) != before)
    assert cup.number("move-x") < before[0]


def test_export_is_the_photo_with_the_edit(cup: Editor):
    cup.drag_photo(CUP, (0.42, 0.52))
    exported = open_photo(cup.download("png").read_bytes(), "out.png").pixels
    original = coffee()
    assert exported.shape == original.shape
    same = (exported == original).all(axis=-1)
    assert same[:, 560:].all()  # far from the cup nothing changed, not by one bit
    assert not same.all()
    flow = cup.download("flo").read_bytes()
    assert flow[:4] == b"PIEH"


def test_an_object_under_the_pointer_is_outlined_and_selected_by_a_click(cup: Editor):
    cup.press("Escape")
    wait_in_page(cup.page, lambda: cup.stage("data-state") == "ready")
    steps = cup.steps()
    cup.page.mouse.move(*cup.point(0.02, 0.02))
    cup.page.wait_for_timeout(300)
    away = cup.picture()
    cup.page.mouse.move(*cup.point(*CUP))
    wait_in_page(cup.page, lambda: cup.stage("data-over") == "object")
    wait_in_page(cup.page, lambda: (np.abs(cup.picture().astype(int) - away).max(axis=-1) > 60).sum() > 1000)
    cup.page.mouse.click(*cup.point(*CUP))
    wait_in_page(cup.page, lambda: cup.stage("data-over") == "selected" and cup.stage("data-state") == "selected")
    assert cup.steps() == steps


def test_the_export_menu_says_what_will_be_made(cup: Editor):
    cup.drag_photo(CUP, (0.42, 0.52))
    cup.by_id("export").click()
    words = cup.by_id("export-cost").inner_text()
    assert re.match(r"600 . 400 · [\d.]+ % invented · (about|less than) ", words)


def test_what_a_file_holds_is_told_and_private_data_stays_here_when_asked(editor: Editor, tmp_path: Path):
    photo = tmp_path / f"{carried.OWNER}.jpg"
    photo.write_bytes(carried.sample("JPEG", others=True))
    editor.open_file(photo)
    editor.wait_for_photo()
    wait_in_page(editor.page, lambda: "a second picture" in editor.status())
    keep_screenshot(editor, "other_parts")
    assert carried.leaks(editor.download("webp").read_bytes())
    wait_in_page(editor.page, lambda: "WebP cannot hold IPTC" in editor.status())
    editor.by_id("export").click()
    editor.by_id("export-private").check()
    keep_screenshot(editor, "private")
    editor.by_id("export").click()
    assert carried.leaks(editor.download("lras").read_bytes()) == []
    wait_in_page(editor.page, lambda: editor.status() == "photo-project.lras saved")


def test_an_export_can_be_stopped_and_leaves_no_file(cup: Editor, monkeypatch: pytest.MonkeyPatch):
    begun, go_on = threading.Event(), threading.Event()
    real = Session.full_frame

    def stuck(session: Session, *asked: Any):
        begun.set()
        assert go_on.wait(120)
        return real(session, *asked)

    monkeypatch.setattr(Session, "full_frame", stuck)
    downloads: list[str] = []
    cup.page.on("download", lambda download: downloads.append(download.suggested_filename))
    cup.by_id("export").click()
    cup.by_id("export-png").click()
    wait_in_page(cup.page, begun.is_set)
    wait_in_page(cup.page, lambda: "full-size" in cup.status())
    keep_screenshot(cup, "exporting")
    cup.by_id("cancel").click()
    wait_in_page(cup.page, lambda: "stopped" in cup.status())
    wait_in_page(cup.page, lambda: not cup.by_id("cancel").is_visible())
    assert not go_on.is_set()
    go_on.set()
    monkeypatch.undo()
    assert open_photo(cup.download("png").read_bytes(), "out.png").pixels.shape == coffee().shape
    wait_in_page(cup.page, lambda: "coffee-edited.png saved" in cup.status())
    assert downloads == ["coffee-edited.png"]


def test_two_people_do_not_see_each_other(cup: Editor, chromium: Browser, address: str):
    context = chromium.new_context(viewport=SIZE)
    other = Editor(context.new_page(), address)
    assert other.stage("data-state") == "empty"
    other.open_sample("astronaut")
    assert other.by_id("photo-name").inner_text().startswith("astronaut")
    assert cup.by_id("photo-name").inner_text().startswith("coffee")
    assert len(cup.objects()) == 1
    assert other.objects() == []
    context.close()


def test_a_reloaded_page_finds_its_work(cup: Editor):
    cup.page.reload()
    cup.wait_for_photo()
    assert cup.by_id("photo-name").inner_text().startswith("coffee")
    assert len(cup.objects()) == 1


def test_a_bad_upload_is_one_sentence_and_the_work_stays(cup: Editor, tmp_path: Path):
    bad = tmp_path / "holiday.jpg"
    bad.write_bytes(b"this is not a picture")
    cup.open_file(bad)
    wait_in_page(cup.page, lambda: "holiday" in cup.status())
    assert "Traceback" not in cup.status()
    assert len(cup.objects()) == 1
    keep_screenshot(cup, "error")


def test_an_own_photo_can_be_opened(editor: Editor, tmp_path: Path):
    photo = tmp_path / "mine.png"
    cv2.imwrite(str(photo), coffee()[::2, ::2, ::-1])
    editor.open_file(photo)
    editor.wait_for_photo()
    assert editor.by_id("photo-name").inner_text().startswith("mine")
    assert "300" in editor.by_id("photo-size").inner_text()


def test_compare_shows_the_original_while_tab_is_held(cup: Editor):
    cup.drag_photo(CUP, (0.42, 0.52))
    after = cup.picture()
    cup.by_id("stage").focus()
    cup.page.keyboard.down("Tab")
    cup.page.wait_for_timeout(500)
    held = cup.picture()
    cup.page.keyboard.up("Tab")
    cup.page.wait_for_timeout(500)
    assert np.abs(held.astype(int) - after).mean() > 2
    assert np.abs(cup.picture().astype(int) - after).mean() < 1


def test_the_list_of_keys_opens_with_a_question_mark(cup: Editor):
    cup.press("?")
    help_list = cup.by_id("help-list")
    help_list.wait_for()
    assert "Ctrl" in help_list.inner_text()
    cup.page.keyboard.press("Escape")
    wait_in_page(cup.page, lambda: not help_list.is_visible())


def test_nothing_scrolls_sideways_at_the_smallest_size(cup: Editor):
    wide = cup.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    stage = cup.by_id("stage").bounding_box()
    assert stage is not None
    assert stage["width"] >= 0.6 * SIZE["width"]
