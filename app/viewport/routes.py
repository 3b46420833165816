"""The viewport's page and sockets on the studio's own port: viser's page with our style and script, and its line."""

import asyncio
import functools
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, WebSocket
from fastapi.responses import FileResponse, RedirectResponse, Response

from app.headers import policy
from app.ui.text import say
from app.viewport.page_events import PageEvents
from app.viewport.scene import Viewport
from core.errors import InvalidInput
from core.files.strict_json import parse_json

STATIC = Path(__file__).parent / "static"
# The canvas dims while the socket is down. viser's panel, notices and tooltips are Mantine papers; the canvas is not.
STYLE = (
    "html,body,#root{background:#16181c!important}"
    "[class*=mantine-Paper-root],[class*=Notifications],[class*=mantine-Modal]{display:none!important}"
    "canvas{outline:none}canvas[data-engine]{background:#16181c;transition-duration:.12s!important}"
)
# What the script says, by the language file's keys.
WORDS = {
    "view": "stage.viewport",
    "move": "keys.move3d",
    "turn": "keys.turn3d",
    "size": "keys.size3d",
    "keep": "space.keep",
}

SCRIPT_HEADERS = {"Cache-Control": "private, no-cache"}
# viser's page unpacks its script and puts it into itself; its sorter of Gaussians makes functions of strings.
PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": policy("'unsafe-inline'", "'unsafe-eval'"),
}

_LONGEST_MESSAGE = 10_000

log = logging.getLogger(__name__)
Lookup = Callable[[str], Viewport | None]


def viewport_routes(lookup: Lookup) -> APIRouter:
    """Routes under /viewport/<key>; `lookup` finds a session's viewport, None is answered with 404."""
    router = APIRouter(prefix="/viewport")

    def known(key: str) -> Viewport:
        viewport = lookup(key)
        if viewport is None:
            raise HTTPException(404, say("error.key"))
        return viewport

    asked = Depends(known)

    @router.get("/{key}", dependencies=[asked])
    def without_slash(key: str) -> Response:
        return RedirectResponse(f"/viewport/{key}/")

    @router.get("/{key}/", dependencies=[asked])
    def page() -> Response:
        return Response(_dressed_page(), media_type="text/html", headers=PAGE_HEADERS)

    @router.get("/{key}/viewport.js", dependencies=[asked])
    def script() -> Response:
        return FileResponse(STATIC / "viewport.js", media_type="text/javascript", headers=SCRIPT_HEADERS)

    @router.websocket("/{key}/events")
    async def events(socket: WebSocket, viewport: Annotated[Viewport, asked]) -> None:
        await socket.accept()
        await _serve_events(socket, viewport)

    @router.websocket("/{key}")
    @router.websocket("/{key}/")
    async def scene(socket: WebSocket, viewport: Annotated[Viewport, asked]) -> None:
        await viewport.switchboard.put_through(socket)

    return router


@functools.cache
def _dressed_page() -> bytes:
    """Viser's one page, which has all it needs in it, with our style, words and script at the end of its head."""
    import viser

    page = (Path(viser.__file__).parent / "client" / "build" / "index.html").read_bytes()
    words = json.dumps({name: say(key) for name, key in WORDS.items()})
    script = f'<script>window.viewportWords = {words};</script><script src="viewport.js" defer></script>'
    return page.replace(b"</head>", f"<style>{STYLE}</style>{script}</head>".encode(), 1)


async def _serve_events(socket: WebSocket, viewport: Viewport) -> None:
    loop = asyncio.get_running_loop()
    outgoing: asyncio.Queue[dict] = asyncio.Queue()
    detach = viewport.attach_page(lambda message: _hand_over(loop, outgoing, message))
    events = PageEvents(viewport)

    async def send() -> None:
        while True:
            await socket.send_text(json.dumps(await outgoing.get()))

    sender = asyncio.create_task(send())
    try:
        while (heard := await socket.receive())["type"] != "websocket.disconnect":
            try:
                events.receive(_said(heard.get("text") or ""))
            except InvalidInput as problem:
                log.warning("viewport page message refused: %s", problem)
    finally:
        detach()
        sender.cancel()


def _said(text: str) -> dict:
    """A page's message. Raises InvalidInput for what is none."""
    said = parse_json(text.encode(), "The page's message") if len(text) < _LONGEST_MESSAGE else None
    if not isinstance(said, dict):
        raise InvalidInput("The page sent something that is no message; reload it.")
    return said


def _hand_over(loop: asyncio.AbstractEventLoop, queue: "asyncio.Queue[dict]", message: dict) -> None:
    """Put a message on the event loop's queue from any thread."""
    loop.call_soon_threadsafe(queue.put_nowait, message)
