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
from app.store import SessionStore

SIZE = {"width": 1280, "height": 720}
CUP = (0.5, 0.5)
# A machine that sleeps: every socket is gone, and none can be had until it wakes.
SLEEPER = """
const Awake = WebSocket, sockets = new Set();
window.WebSocket = class extends Awake {
  constructor(...given) {
    super(...(sessionStorage.getItem("asleep") ? ["ws://127.0.0.1:9"] : given));
    sockets.add(this);
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
    """Coffee is open, its cup is cut out, and it has been looked at in 3D."""
    page.set_viewport_size(SIZE)
    page.add_init_script(SLEEPER)
    editor = Editor(page, address)
    editor.open_sample("coffee")
    editor.click_photo(*CUP)
    editor.by_id("view-space").click()
    page.frame_locator("[data-testid=viewport]").locator("canvas").first.wait_for()
    return editor


def test_a_machine_that_slept_goes_on_where_it_was(cup: Editor, store: SessionStore, clock: Clock) -> None:
    page, steps = cup.page, cup.steps()
    session = store.get(page.evaluate("sessionStorage.getItem('lras-session')"))
    page.evaluate("sessionStorage.setItem('asleep', 1)")
    for frame in page.frames:
        frame.evaluate("dropSockets()")
    clock.now += LIFETIMES.after_page + 1
    wait_until(lambda: store.expire() or session.closing.cancelled)
    page.evaluate("sessionStorage.removeItem('asleep')")
    wait_in_page(page, lambda: cup.stage("data-state") == "ready" or cup.steps() == steps)
    cup.by_id("view-photo").click()
    cup.settle()
    assert cup.steps() == steps
    cup.press("Control+z")
    cup.settle()
    assert store.get(session.key).state.step == len(steps) - 2
    cup.by_id("view-space").click()
    canvas = page.frame_locator("[data-testid=viewport]").locator("canvas").first
    wait_in_page(page, lambda: canvas.evaluate("canvas => getComputedStyle(canvas).opacity") == "1")


def test_a_reload_keeps_the_session_and_a_closed_tab_lets_it_end(
    cup: Editor, store: SessionStore, clock: Clock
) -> None:
    page, steps = cup.page, cup.steps()
    session = store.get(page.evaluate("sessionStorage.getItem('lras-session')"))
    page.reload()
    wait_in_page(page, lambda: cup.steps() == steps)
    clock.now += 100 * LIFETIMES.without_page
    store.expire()
    assert not session.closing.cancelled
    page.goto("about:blank")
    clock.now += LIFETIMES.after_page + 1
    wait_until(lambda: store.expire() or session.closing.cancelled)
