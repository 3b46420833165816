"""The studio is killed under an artist's hands, started again elsewhere, and the page lists what was left."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import served, wait_in_page
from drawn import DrawnServices
from editor import Editor
from playwright.sync_api import Browser, Page
from studio_photo import square_photo

from app import history_journal
from app.server import build_app
from app.store import SessionStore
from app.unsaved import Unsaved

ROOT = Path(__file__).resolve().parents[1]
CUP = (0.5, 0.5)
SIZE = {"width": 1280, "height": 720}


class Studio:
    """`launch.py ui` in a process of its own."""

    def __init__(self, state: Path, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "launch.py", "ui", "--no-browser", *words],
            cwd=ROOT,
            env={**os.environ, "XDG_STATE_HOME": str(state)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        found = re.search(r"(http\S+)", self._process.stdout.readline())
        assert found is not None
        self.address = found.group(1)
        self.port = self.address.split(":")[2].split("/")[0]

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def studios(tmp_path: Path) -> Iterator[list[Studio]]:
    running: list[Studio] = []
    yield running
    for studio in running:
        studio.kill()


def opened(page: Page, address: str) -> Editor:
    """A tab on an address that brings a photo."""
    editor = Editor.__new__(Editor)
    editor.page = page
    page.goto(address)
    editor.wait_for_photo()
    return editor


def test_work_is_offered_after_kills_on_another_port_and_found_again_on_the_same(
    page: Page, chromium: Browser, studios: list[Studio], tmp_path: Path
):
    state = tmp_path / "state"
    studios.append(Studio(state, "--port", "0", "sample:coffee"))
    page.set_viewport_size(SIZE)
    editor = opened(page, studios[-1].address)
    editor.click_photo(*CUP)
    editor.drag_photo(CUP, (0.42, 0.52))
    steps = editor.steps()
    assert len(steps) == 3
    studios[-1].kill()

    studios.append(Studio(state, "--port", "0"))
    context = chromium.new_context(viewport=SIZE)
    other = Editor(context.new_page(), studios[-1].address)
    work = other.by_id("unsaved").get_by_test_id("unsaved-work")
    work.wait_for()
    assert work.count() == 1
    assert "coffee.png" in work.inner_text()
    assert "2 steps" in work.inner_text()
    wait_in_page(other.page, lambda: work.locator("img").evaluate("image => image.naturalWidth") > 0)
    work.click()
    other.wait_for_photo()
    assert other.steps() == steps
    shots = other.page.locator("#strip .shot")
    wait_in_page(other.page, lambda: all("blob:" in (shot.get_attribute("style") or "") for shot in shots.all()))
    other.press("Control+z")
    other.press("Control+z")
    wait_in_page(other.page, lambda: other.by_id("undo").is_disabled())
    port = studios[-1].port
    studios[-1].kill()

    studios.append(Studio(state, "--port", port))
    wait_in_page(other.page, lambda: "Connected again" in other.status())
    other.settle()
    assert other.steps() == steps
    assert other.by_id("undo").is_disabled()
    assert other.by_id("redo").is_enabled()
    context.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("unsaved")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """A studio with two works that earlier sessions left, and one that is open in another tab."""
    store = SessionStore(DrawnServices(), folder)
    for name in ("first.png", "second.png", "third.png"):
        session = store.create()
        session.open_photo(square_photo(), name)
        session.lasso([(30, 20), (62, 20), (62, 52), (30, 52)], add=True)
        assert session.wait_idle(60)
        if name != "third.png":
            store.close(session.key)
    with served(build_app(store)) as running:
        yield running


def test_the_list_opens_and_discards_and_what_is_open_elsewhere_is_said(page: Page, address: str, folder: Path):
    page.set_viewport_size(SIZE)
    editor = Editor(page, address)
    works = editor.by_id("unsaved").get_by_test_id("unsaved-work")
    wait_in_page(page, lambda: works.count() == 3)
    held = works.filter(has_text="third.png")
    assert held.is_disabled()
    assert "open in another tab" in held.inner_text()
    works.filter(has_text="first.png").click()
    editor.wait_for_photo()
    assert editor.by_id("photo-name").inner_text() == "first.png"
    assert len(editor.steps()) == 2
    wait_in_page(page, lambda: editor.by_id("unsaved-count").inner_text() == "1")
    editor.by_id("unsaved-open").click()
    page.locator("#unsaved-menu").wait_for()
    page.keyboard.press("Escape")
    page.locator("#unsaved-menu").wait_for(state="hidden")
    editor.by_id("unsaved-open").click()
    listed = page.locator("#unsaved-menu-list")
    discard = listed.get_by_test_id("unsaved-discard")
    wait_in_page(page, lambda: discard.count() == 1)
    discard.click()
    assert discard.inner_text() == "Discard?"
    assert "second.png" in {work.name for work in Unsaved(folder).listed()}
    discard.click()
    wait_in_page(page, lambda: not editor.by_id("unsaved-open").is_visible())
    assert "second.png" not in {work.name for work in Unsaved(folder).listed()}


def test_what_cannot_be_kept_is_said_until_it_is(page: Page, address: str, monkeypatch: pytest.MonkeyPatch):
    page.set_viewport_size(SIZE)
    editor = Editor(page, address)
    editor.open_sample("coffee")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(history_journal, "_append_whole", full)
    monkeypatch.setattr(history_journal, "write_whole", full)
    editor.type_number("yaw", 6)
    told = editor.by_id("not-kept")
    told.wait_for()
    assert "No space left on device" in told.inner_text()
    editor.settle()
    page.wait_for_timeout(1000)
    assert told.is_visible()
    assert editor.download("png").stat().st_size > 0
    monkeypatch.undo()
    wait_in_page(page, lambda: not told.is_visible())
    wait_in_page(page, lambda: "kept on disk again" in editor.status())
