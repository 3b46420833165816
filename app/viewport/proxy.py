"""The viewport's page, assets and sockets behind the studio's own port.

viser serves each session on its own loopback port; these routes forward to it, so that one public
port is enough, and add our style and script to its page.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, RedirectResponse, Response

from app.ui.text import say
from app.viewport.page_events import PageEvents
from app.viewport.scene import Viewport
from core.errors import InvalidInput

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
MAX_MESSAGE = 256 * 2**20

log = logging.getLogger(__name__)
Lookup = Callable[[str], Viewport | None]


def viewport_routes(lookup: Lookup) -> APIRouter:
    """Routes under /viewport/<key>; `lookup` finds a session's viewport, None is answered with 404."""
    router = APIRouter()

    @router.get("/viewport/{key}")
    async def without_slash(key: str) -> Response:
        return RedirectResponse(f"/viewport/{key}/") if lookup(key) else Response(status_code=404)

    @router.get("/viewport/{key}/")
    async def page(key: str) -> Response:
        viewport = lookup(key)
        if viewport is None:
            return Response(status_code=404)
        upstream = await _fetched(viewport, "")
        return Response(_dressed(upstream.body), media_type="text/html", headers={"Cache-Control": "no-store"})

    @router.get("/viewport/{key}/viewport.js")
    async def script(key: str) -> Response:
        if lookup(key) is None:
            return Response(status_code=404)
        return FileResponse(STATIC / "viewport.js", media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    @router.get("/viewport/{key}/{path:path}")
    async def asset(key: str, path: str) -> Response:
        viewport = lookup(key)
        return Response(status_code=404) if viewport is None else await _fetched(viewport, path)

    @router.websocket("/viewport/{key}/events")
    async def events(socket: WebSocket, key: str) -> None:
        viewport = lookup(key)
        if viewport is None:
            await socket.close(code=1008)
            return
        await socket.accept()
        await _serve_events(socket, viewport)

    @router.websocket("/viewport/{key}")
    @router.websocket("/viewport/{key}/")
    async def scene(socket: WebSocket, key: str) -> None:
        viewport = lookup(key)
        if viewport is None:
            await socket.close(code=1008)
            return
        await _forward(socket, viewport)

    return router


async def _fetched(viewport: Viewport, path: str) -> Response:
    import httpx

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{viewport.port}", trust_env=False) as client:
        reply = await client.get(f"/{path}")
    return Response(reply.content, reply.status_code, media_type=reply.headers.get("content-type"))


def _dressed(page: bytes | memoryview) -> bytes:
    """Viser's page with our style, words and script at the end of its head."""
    words = json.dumps({name: say(key) for name, key in WORDS.items()})
    script = f'<script>window.viewportWords = {words};</script><script src="viewport.js" defer></script>'
    addition = f"<style>{STYLE}</style>{script}</head>".encode()
    return bytes(page).replace(b"</head>", addition, 1)


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
        while True:
            try:
                events.receive(json.loads(await socket.receive_text()))
            except (InvalidInput, json.JSONDecodeError) as problem:
                log.warning("viewport page message refused: %s", problem)
    except WebSocketDisconnect:
        pass
    finally:
        detach()
        sender.cancel()


def _hand_over(loop: asyncio.AbstractEventLoop, queue: "asyncio.Queue[dict]", message: dict) -> None:
    """Put a message on the event loop's queue from any thread."""
    loop.call_soon_threadsafe(queue.put_nowait, message)


async def _forward(socket: WebSocket, viewport: Viewport) -> None:
    """Pass frames both ways until either side ends; the sub-protocol carries viser's version."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed

    protocols = socket.scope.get("subprotocols") or None
    async with connect(
        f"ws://127.0.0.1:{viewport.port}", subprotocols=protocols, max_size=MAX_MESSAGE, compression=None, proxy=None
    ) as upstream:
        await socket.accept(subprotocol=upstream.subprotocol)

        async def down() -> None:
            async for frame in upstream:
                if isinstance(frame, bytes):
                    await socket.send_bytes(frame)
                else:
                    await socket.send_text(frame)

        async def up() -> None:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                await upstream.send(message["bytes"] if message.get("bytes") is not None else message["text"])

        tasks = [asyncio.create_task(down()), asyncio.create_task(up())]
        _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            ended = (ConnectionClosed, WebSocketDisconnect, asyncio.CancelledError)
            if isinstance(outcome, BaseException) and not isinstance(outcome, ended):
                log.warning("viewport socket ended: %r", outcome)
