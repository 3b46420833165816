"""The depth brush and the ruler, used on photos with measured and with guessed depth."""

from collections.abc import Iterator

import numpy as np
import pytest
from conftest import assert_not_blank, screenshot, served, wait_in_page
from editor import Editor
from playwright.sync_api import Page

from app.server import build_app
from app.services import Services
from app.session import Session
from app.store import SessionStore

PLACE = (0.5, 0.35)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SessionStore, str]]:
    store = SessionStore(Services(), tmp_path_factory.mktemp("autosave"))
    with served(build_app(store)) as address:
        yield store, address


@pytest.fixture
def opened(page: Page, studio: tuple[SessionStore, str]) -> tuple[Editor, Session]:
    store, address = studio
    editor = Editor(page, address)
    editor.open_sample("motorcycle")
    assert_not_blank(screenshot(page))
    key = page.evaluate("sessionStorage.getItem('lras-session')")
    return editor, store.get(key)


def depth_at(session: Session, place: tuple[float, float]) -> float:
    depth = session.project.depth
    return float(depth.values[int(place[1] * depth.height), int(place[0] * depth.width)])


def stroke(editor: Editor, start: tuple[float, float], end: tuple[float, float]) -> None:
    mouse = editor.page.mouse
    mouse.move(*editor.point(*start))
    mouse.down()
    mouse.move(*editor.point(*end), steps=5)
    mouse.up()


@pytest.mark.parametrize(("touch", "further"), [("push", True), ("pull", False)])
def test_a_stroke_of_the_depth_brush_is_one_step(opened: tuple[Editor, Session], touch: str, further: bool) -> None:
    editor, session = opened
    editor.page.keyboard.press("d")
    wait_in_page(editor.page, lambda: editor.by_id("depth-over").is_visible())
    before, steps = depth_at(session, PLACE), len(editor.steps())
    editor.by_id(f"touch-{touch}").check()
    stroke(editor, (PLACE[0] - 0.05, PLACE[1]), (PLACE[0] + 0.05, PLACE[1]))
    wait_in_page(editor.page, lambda: len(editor.steps()) == steps + 1)
    editor.settle()
    assert (depth_at(session, PLACE) > 1.05 * before) == further
    assert (depth_at(session, PLACE) < before / 1.05) == (not further)
    editor.by_id("undo").click()
    wait_in_page(editor.page, lambda: depth_at(session, PLACE) == before)
    editor.page.keyboard.press("v")
    wait_in_page(editor.page, lambda: not editor.by_id("depth-over").is_visible())


def test_a_measured_distance_sizes_the_scene(opened: tuple[Editor, Session]) -> None:
    editor, session = opened
    editor.by_id("tool-ruler").click()
    assert editor.by_id("ruler-apply").is_disabled()
    shown = screenshot(editor.page)
    stroke(editor, (0.3, 0.8), (0.7, 0.8))
    wait_in_page(editor.page, lambda: not editor.by_id("ruler-apply").is_disabled())
    assert np.abs(screenshot(editor.page).astype(int) - shown).max() > 60
    before = depth_at(session, PLACE)
    told = float((editor.by_id("measured").text_content() or "").split()[0])
    editor.by_id("ruler-metres").fill(str(2 * told))
    editor.by_id("ruler-apply").click()
    wait_in_page(editor.page, lambda: session.project.depth.scale == "metric")
    editor.settle()
    assert depth_at(session, PLACE) == pytest.approx(2 * before, rel=0.01)
    wait_in_page(editor.page, lambda: (editor.by_id("measured").text_content() or "").startswith(f"{2 * told:.3g}"))
