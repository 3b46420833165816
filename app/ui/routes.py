"""What the stage's own script talks to: sessions, gestures, news, files. One key opens one session."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Body, HTTPException, Query, Request, WebSocket
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from app.ui.export_routes import add_exports
from app.ui.gestures import AnyGesture
from app.ui.live import push_news
from app.ui.picture_routes import add_pictures
from app.ui.snapshot import snapshot
from app.ui.space_settings import SpaceSettings
from app.ui.text import say
from core.errors import InvalidInput

if TYPE_CHECKING:
    from app.bridge import Bridges
    from app.session import Session
    from app.store import SessionStore

Upload = Literal["photo", "project", "depth", "mask"]


def studio_routes(store: "SessionStore", bridges: "Bridges", max_upload_bytes: int) -> APIRouter:
    """Routes under /studio. An unknown key is answered with 404, an EditorError by the app's handler."""
    # One function by FastAPI's way: a list of short routes that share `known`; none of them has logic of its own.
    router = APIRouter(prefix="/studio")

    def known(key: str) -> "Session":
        try:
            return store.get(key)
        except KeyError:
            raise HTTPException(404, say("error.key")) from None

    @router.post("")
    def create() -> dict[str, str]:
        return {"key": store.create().key}

    @router.get("/{key}/state")
    def state(key: str) -> JSONResponse:
        session = known(key)
        return JSONResponse(snapshot(session.state), headers={"Cache-Control": "no-store"})

    @router.post("/{key}/gesture")
    def gesture(key: str, asked: Annotated[AnyGesture, Body()]) -> dict[str, int]:
        session = known(key)
        asked.run(session)
        return {"revision": session.state.revision}

    @router.post("/{key}/upload/{what}")
    async def upload(
        key: str,
        request: Request,
        what: Upload,
        name: Annotated[str, Query(max_length=200)] = "",
        scale: Annotated[float | None, Query(gt=0, allow_inf_nan=False)] = None,
    ) -> dict[str, int]:
        session = known(key)
        content = await _body(request, max_upload_bytes)
        await run_in_threadpool(_take, session, what, content, name, scale)
        return {"revision": session.state.revision}

    @router.post("/{key}/space")
    def space(key: str, asked: SpaceSettings) -> dict[str, bool]:
        known(key)
        bridge = bridges.get(key)
        if bridge is None:
            raise HTTPException(404, say("error.key"))
        asked.run(bridge)
        return {"done": True}

    @router.get("/{key}/left")
    def left(key: str) -> dict[str, bool]:
        return {"there": _is_open(store, key) or _autosave(store, key) is not None}

    @router.post("/{key}/resume")
    def resume(key: str) -> dict[str, str]:
        if _is_open(store, key):
            return {"key": key}
        saved = _autosave(store, key)
        if saved is None:
            raise HTTPException(404, say("error.key"))
        session = store.create()
        session.load_project(saved.read_bytes())
        return {"key": session.key}

    @router.websocket("/{key}/events")
    async def events(socket: WebSocket, key: str) -> None:
        try:
            session = store.get(key)
        except KeyError:
            await socket.close(code=4404)
            return
        await socket.accept()
        await push_news(socket, session)

    add_exports(router, known)
    add_pictures(router, known)
    return router


def _is_open(store: "SessionStore", key: str) -> bool:
    """Whether that session lives and has a photo."""
    try:
        return store.get(key).state.photo_name is not None
    except KeyError:
        return False


def _autosave(store: "SessionStore", key: str) -> Path | None:
    """What a session that is gone has left on disk; only whoever knows its key is told."""
    return next((saved.path for saved in store.autosaves() if saved.path.stem == key), None)


def _take(session: "Session", what: Upload, content: bytes, name: str, scale: float | None) -> None:
    takers: dict[Upload, Callable[[], None]] = {
        "photo": lambda: session.open_photo(content, name),
        "project": lambda: session.load_project(content),
        "depth": lambda: session.use_depth_file(content, name, scale),
        "mask": lambda: session.use_mask_file(content),
    }
    takers[what]()


async def _body(request: Request, limit: int) -> bytes:
    """The request's body, refused as soon as it passes `limit` bytes."""
    too_large = InvalidInput(say("error.too_large", limit=f"{limit / 1e6:g}"))
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > limit:
                raise too_large
    except ClientDisconnect as gone:
        raise InvalidInput("The upload was broken off; send the file again.") from gone
    return bytes(content)
