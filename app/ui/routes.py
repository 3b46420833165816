"""What the stage's own script talks to: sessions, gestures, news, files. One key opens one session."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, HTTPException, WebSocket
from fastapi.responses import JSONResponse

from app.ui.export_routes import add_exports
from app.ui.gestures import AnyGesture
from app.ui.live import push_news
from app.ui.picture_routes import add_pictures
from app.ui.snapshot import snapshot
from app.ui.space_settings import SpaceSettings
from app.ui.text import say
from app.ui.upload_routes import add_uploads

if TYPE_CHECKING:
    from app.bridge import Bridges
    from app.session import Session
    from app.store import SessionStore


def studio_routes(store: "SessionStore", bridges: "Bridges", max_upload_bytes: int) -> APIRouter:
    """Routes under /studio. An unknown key is answered with 404, an EditorError by the app's handler."""
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

    @router.post("/{key}/space")
    def space(key: str, asked: SpaceSettings) -> dict[str, bool]:
        known(key)
        bridge = bridges.get(key)
        if bridge is None:
            raise HTTPException(404, say("error.key"))
        asked.run(bridge)
        return {"done": True}

    @router.websocket("/{key}/events")
    async def events(socket: WebSocket, key: str) -> None:
        try:
            session = store.get(key)
        except KeyError:
            await socket.close(code=4404)
            return
        await socket.accept()
        await push_news(socket, session)

    _add_return(router, store)
    add_uploads(router, known, max_upload_bytes)
    add_exports(router, known)
    add_pictures(router, known)
    return router


def _add_return(router: APIRouter, store: "SessionStore") -> None:
    """Routes of a page that comes back to work it left: still open, or autosaved."""

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


def _is_open(store: "SessionStore", key: str) -> bool:
    """Whether that session lives and has a photo."""
    try:
        return store.get(key).state.photo_name is not None
    except KeyError:
        return False


def _autosave(store: "SessionStore", key: str) -> Path | None:
    """What a session that is gone has left on disk; only whoever knows its key is told."""
    return next((saved.path for saved in store.autosaves() if saved.path.stem == key), None)
