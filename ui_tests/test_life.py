"""Tabs that are closed, reloaded or sleep: what their session does meanwhile, and what they find."""

from collections.abc import Iterator

import pytest
from conftest import served, wait_in_page, wait_until
from editor import Editor
from fakes import Clock
from playwright.sync_api import Page

from app.presence import LIFETIMES
from app.server import build_app
from app.services import Services
from app.session import Session
from app.store import SessionStore
from app.ui.text import say

SIZE = {"width": 1280, "height": 720}
CUP = (0.5, 0.5)
# A machine that sleeps: every socket is gone, and none can be had until it wakes.
SLEEPER = """
const sockets = new Set();
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    sockets.add(this);
    if (sessionStorage.getItem("asleep")) this.close();
  }
};
window.dropSockets = () => sockets.forEach((socket) => socket.close());
"""


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> SessionStore:
    return SessionStore(Services(), tmp_path_factory.mktemp("unsaved"), clock=clock)


@pytest.fixture(scope="module")
def address(store: SessionStore) -> Iterator[str]:
    with served(build_app(store)) as running:
        yield running


@pytest.fixture
def cup(page: Page, address: str) -> Editor:
    """Coffee is open and its cup is cut out."""
    page.set_viewport_size(SIZE)
    page.add_init_script(SLEEPER)
    editor = Editor(page, address)
    editor.open_sample("coffee")
    editor.click_photo(*CUP)
    return editor


def session_of(editor: Editor, store: SessionStore) -> Session:
    return store.get(editor.page.evaluate("sessionStorage.getItem('lras-session')"))


def is_over(session: Session, store: SessionStore, clock: Clock) -> bool:
    """Whether it has ended, once its page has been away for long."""
    clock.now += LIFETIMES.after_page + 1
    store.expire()
    return session.closing.cancelled


def look_in_3d(editor: Editor) -> None:
    editor.by_id("view-space").click()
    canvas = editor.page.frame_locator("[data-testid=viewport]").locator("canvas[data-engine]")
    canvas.wait_for()
    wait_in_page(editor.page, lambda: canvas.evaluate("canvas => getComputedStyle(canvas).opacity") == "1")


def test_a_machine_that_slept_goes_on_where_it_was(cup: Editor, store: SessionStore, clock: Clock) -> None:
    page, steps, session = cup.page, cup.steps(), session_of(cup, store)
    page.evaluate("sessionStorage.setItem('asleep', 1)")
    page.context.set_offline(True)
    page.evaluate("dropSockets()")
    wait_in_page(page, lambda: cup.status() == say("status.lost"))
    wait_until(lambda: is_over(session, store, clock))
    page.evaluate("sessionStorage.removeItem('asleep')")
    page.context.set_offline(False)
    wait_in_page(page, lambda: cup.status() == say("status.found"))
    assert cup.steps() == steps
    cup.press("Control+z")
    wait_in_page(page, lambda: session_of(cup, store).state.step == len(steps) - 2)
    look_in_3d(cup)


def test_a_reload_keeps_the_session_and_a_closed_tab_lets_it_end(
    cup: Editor, store: SessionStore, clock: Clock
) -> None:
    page, steps, session = cup.page, cup.steps(), session_of(cup, store)
    look_in_3d(cup)
    page.reload()
    wait_in_page(page, lambda: cup.steps() == steps)
    clock.now += 100 * LIFETIMES.without_page
    store.expire()
    assert not session.closing.cancelled
    page.goto("about:blank")
    wait_until(lambda: is_over(session, store, clock))
