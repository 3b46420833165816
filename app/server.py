"""The one port: Gradio's page at `/`, the stage's routes under `/studio`, the 3D view under `/viewport`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response

from app.access import Access
from app.attendance import Attendance
from app.bodies import SmallBodies
from app.guard import Guard
from app.headers import SafeHeaders
from app.notices import sentence_of
from app.ui.routes import studio_routes
from app.ui.text import say
from core.errors import Cancelled, EditorError
from core.files.limits import PHOTO_LIMITS

if TYPE_CHECKING:
    from app.bridge import Bridges
    from app.store import SessionStore

STATIC = Path(__file__).parent / "ui" / "static"
SCRIPT = "text/javascript"
ASKED_ABOUT = {"Cache-Control": "no-cache"}
# A closed page's session is released within a minute: so long after its time at most.
EXPIRE_SECONDS = 5.0
# Answers what its user stopped or replaced meanwhile; the page says nothing of it.
STOPPED = 409
# The routes serve this page alone; visitors get no list of them.
UNDESCRIBED: dict[str, Any] = {"docs_url": None, "redoc_url": None, "openapi_url": None}


def build_app(
    store: "SessionStore", max_upload_bytes: int = PHOTO_LIMITS.max_bytes, access: Access | None = None
) -> FastAPI:
    """The whole studio as one ASGI app; it closes the store's sessions when it stops.

    It answers this user on this machine, or whom `access` says.
    """
    import gradio

    from app.bridge import Bridges
    from app.ui.page import GIVEN, HEAD, STYLE, build_page, theme
    from app.viewport.routes import viewport_routes

    bridges = Bridges(store)
    app = FastAPI(lifespan=_lifespan(store, bridges), **UNDESCRIBED)
    app.add_exception_handler(EditorError, _refused)
    app.add_exception_handler(Cancelled, _stopped)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)
    app.include_router(studio_routes(store, bridges, max_upload_bytes))
    app.include_router(viewport_routes(bridges.viewport))
    app.add_api_route("/ui/given.js", lambda: _given(GIVEN))
    app.add_api_route("/ui/{name}", _script)
    app.add_middleware(SmallBodies)
    app.add_middleware(Attendance, store=store)
    app.add_middleware(Guard, access=access or Access())
    app.add_middleware(SafeHeaders)
    return gradio.mount_gradio_app(
        app,
        build_page(store),
        path="/",
        app_kwargs=dict(UNDESCRIBED),  # Gradio writes into it
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=max_upload_bytes,
        theme=theme(),
        css_paths=[STYLE],
        head=HEAD,
        ssr_mode=False,
        pwa=False,
    )


def _script(name: str) -> FileResponse:
    """One of our scripts; the type is said here, for some systems' own tables call it plain text."""
    if name not in {path.name for path in STATIC.glob("*.js")}:
        raise HTTPException(404, say("error.file"))
    return FileResponse(STATIC / name, media_type=SCRIPT, headers=ASKED_ABOUT)


def _given(script: str) -> Response:
    return Response(script, media_type=SCRIPT, headers=ASKED_ABOUT)


def _lifespan(store: "SessionStore", bridges: "Bridges") -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(_sweep(store))
        yield
        sweeper.cancel()
        await asyncio.to_thread(bridges.close_all)
        await asyncio.to_thread(store.close_all)

    return lifespan


async def _sweep(store: "SessionStore") -> None:
    while True:
        await asyncio.sleep(EXPIRE_SECONDS)
        await asyncio.to_thread(store.expire)


async def _refused(_: Request, failure: Exception) -> JSONResponse:
    return JSONResponse({"error": str(failure)}, 422)


async def _stopped(_: Request, failure: Exception) -> JSONResponse:
    return JSONResponse({"error": str(failure)}, STOPPED)


async def _not_understood(_: Request, failure: Exception) -> JSONResponse:
    assert isinstance(failure, RequestValidationError)
    problem = failure.errors()[0]
    where = ".".join(str(part) for part in problem["loc"] if part != "body") or "body"
    return JSONResponse({"error": say("error.gesture", what=f"{where}: {problem['msg']}")}, 422)


async def _http_error(_: Request, failure: Exception) -> JSONResponse:
    assert isinstance(failure, HTTPException)
    return JSONResponse({"error": failure.detail}, failure.status_code)


async def _unexpected(_: Request, failure: Exception) -> JSONResponse:
    return JSONResponse({"error": sentence_of(failure)}, 500)
