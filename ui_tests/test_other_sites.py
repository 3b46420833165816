"""What a page of another site can do to the studio in the same browser, and what the studio asks of other machines."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PATIENCE_MS, PICTURE_SHOWN, served, wait_in_page
from editor import Editor
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, BrowserContext, Page

from app.access import Access
from app.server import build_app
from app.services import Services
from app.session import Session
from app.store import SessionStore

TOKEN = "a-token-of-sixteen"
# Each way in answers with what came out of it, or null.
WAYS_IN = """async ([studio, key]) => {
  const late = () => new Promise((resolve) => setTimeout(() => resolve(null), 5000));
  const quiet = (promise) => Promise.race([promise.catch(() => null), late()]);
  const read = (path, options) => quiet(fetch(studio + path, options).then((reply) => reply.text()));
  const undo = { method: "POST", body: JSON.stringify({ type: "undo" }), credentials: "include" };
  const socket = (path, protocol) => quiet(new Promise((resolve, reject) => {
    const line = new WebSocket(studio.replace("http", "ws") + path, protocol);
    line.onopen = () => resolve("opened"); line.onmessage = () => resolve("message"); line.onerror = reject;
  }));
  const element = (name, path) => quiet(new Promise((resolve, reject) => {
    const made = document.createElement(name);
    made.onload = () => resolve(name === "iframe" ? null : "loaded"); made.onerror = reject;
    made.src = studio + path; document.body.append(made);
  }));
  return {
    state: await read(`/studio/${key}/state`),
    page: await read("/"),
    undo: await read(`/studio/${key}/gesture`, { ...undo, headers: { "Content-Type": "application/json" } }),
    blind: await read(`/studio/${key}/gesture`, { ...undo, mode: "no-cors" }) || null,
    upload: await read("/gradio_api/upload", { method: "POST", body: new FormData(), mode: "no-cors" }) || null,
    events: await socket(`/studio/${key}/events`),
    scene: await socket(`/viewport/${key}/`, PROTOCOL),
    view: await socket(`/viewport/${key}/events`),
    picture: await element("img", `/studio/${key}/picture/photo`),
    script: await element("script", "/ui/main.js"),
    frame: await element("iframe", "/"),
    view_frame: await element("iframe", `/viewport/${key}/`),
  };
}"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SessionStore:
    return SessionStore(Services(), tmp_path_factory.mktemp("autosave"))


@pytest.fixture(scope="module")
def studio(store: SessionStore) -> Iterator[str]:
    with served(build_app(store)) as address:
        yield address


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """Another site: a page at another port of this machine."""
    app = FastAPI()
    app.add_api_route("/", lambda: HTMLResponse("<!doctype html><title>Elsewhere</title><body></body>"))
    with served(app) as address:
        yield address


@pytest.fixture
def edited(store: SessionStore) -> Session:
    session = store.create()
    session.open_sample("coffee")
    assert session.wait_idle(60)
    session.lasso([(230, 130), (380, 130), (380, 260), (230, 260)], add=True)
    assert session.wait_idle(60)
    return session


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
    made.set_default_timeout(PATIENCE_MS)
    yield made
    made.close()


def test_a_page_of_another_site_gets_nothing_and_moves_nothing(
    context: BrowserContext, studio: str, elsewhere: str, edited: Session
):
    import viser

    revision, label = edited.state.revision, edited.state.selected
    page = context.new_page()
    page.goto(elsewhere)
    came_out = page.evaluate(WAYS_IN.replace("PROTOCOL", f'"viser-v{viser.__version__}"'), [studio, edited.key])
    assert {way: what for way, what in came_out.items() if what is not None} == {}
    assert all(frame.url in (elsewhere + "/", "about:blank", "chrome-error://chromewebdata/") for frame in page.frames)
    assert (edited.state.revision, edited.state.selected) == (revision, label)


def test_a_link_from_another_site_opens_the_page(context: BrowserContext, studio: str, elsewhere: str):
    page = context.new_page()
    page.goto(elsewhere)
    page.evaluate("(to) => { document.body.innerHTML = `<a href='${to}'>open</a>`; }", studio)
    page.get_by_text("open").click()
    page.get_by_test_id("stage").wait_for()
    assert page.evaluate("window.opener") is None


def test_the_page_and_its_3d_view_ask_no_other_machine_and_break_no_rule(
    context: BrowserContext, studio: str, edited: Session, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.bridge.OBJECT_BUDGET", 3_000)
    monkeypatch.setattr("app.viewport.splats.BACKGROUND_BUDGET", 6_000)
    asked, said = [], []
    context.on("request", lambda request: asked.append(request.url))
    context.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page = context.new_page()
    page.on("websocket", lambda line: asked.append(line.url))
    page.goto(f"{studio}/?session={edited.key}")
    wait_in_page(page, lambda: page.get_by_test_id("photo-name").inner_text().startswith("coffee"))
    assert page.url == f"{studio}/"
    open_3d_view(page)
    page.get_by_test_id("view-photo").click()
    page.get_by_test_id("export").click()
    with page.expect_download() as download:
        page.locator("[data-export='picture.png']").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    own = (studio, studio.replace("http", "ws"), f"blob:{studio}", "data:")
    assert [url for url in asked if not url.startswith(own)] == []
    assert said == []


def open_3d_view(page: Page) -> None:
    page.get_by_test_id("view-space").click()
    page.get_by_test_id("viewport").wait_for()
    frame = next(frame for frame in page.frames if "/viewport/" in frame.url)
    frame.wait_for_function(PICTURE_SHOWN, timeout=PATIENCE_MS)


def test_with_a_token_the_page_works_as_without(context: BrowserContext, store: SessionStore, elsewhere: str):
    with served(build_app(store, access=Access(token=TOKEN))) as studio:
        page = context.new_page()
        page.goto(studio)
        assert "?token=" in page.locator("body").inner_text()
        page.goto(elsewhere)  # a link in a mail, say
        page.evaluate("(to) => { location = to; }", f"{studio}/?token={TOKEN}")
        page.wait_for_url(f"{studio}/")
        editor = Editor(page, studio)
        editor.open_sample("coffee")
        assert editor.stage("data-state") == "ready"
        assert page.evaluate("document.cookie") == ""
