"""What the stage's own script talks to: sessions, gestures, news, files. One key opens one session."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, HTTPException, WebSocket
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from app.ui.export_routes import add_exports
from app.ui.gestures import AnyGesture
from app.ui.live import push_news
from app.ui.picture_routes import add_pictures
from app.ui.snapshot import snapshot
from app.ui.space_settings import SpaceSettings
from app.ui.text import say
from app.ui.unsaved_routes import add_unsaved
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
            session = await run_in_threadpool(store.get, key)
        except KeyError:
            await socket.close(1008)
            return
        await socket.accept()
        await push_news(socket, session)

    add_unsaved(router, store, known)
    add_uploads(router, known, max_upload_bytes)
    add_exports(router, known)
    add_pictures(router, known)
    return router
