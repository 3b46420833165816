"""Whoever asks for a session, or holds a socket of it, is at it: a session lives as long as its page."""

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from app.store import SessionStore

_OF_SESSIONS = ("studio", "viewport")


class Attendance:
    """Tells the store of every request and socket below /studio/<key> and /viewport/<key>, from its begin to its end.

    Only a page holds a socket; a browser closes them with the tab, and uvicorn closes those of one that is gone.
    """

    def __init__(self, app: ASGIApp, store: "SessionStore") -> None:
        self._app, self._store = app, store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, part, key, *_ = [*scope.get("path", "").split("/"), "", "", ""]
        if scope["type"] not in ("http", "websocket") or part not in _OF_SESSIONS or not key:
            await self._app(scope, receive, send)
            return
        with self._store.visit(key, page=scope["type"] == "websocket"):
            await self._app(scope, receive, send)
