"""A studio's routes on a port of their own, made to be killed.

Everything is imported once; for each folder that is read from stdin a server is forked, and its process and port told.
"""

import os
import socket
import sys
from pathlib import Path

import uvicorn
from fakes import FlatEngine, SameColour
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from studio_photo import square_photo

from app.bridge import Bridges
from app.services import Services
from app.session import Session
from app.store import SessionStore
from app.ui.routes import studio_routes
from core.errors import EditorError
from core.maths import bands
from core.types.depth import DepthEstimate, Layout

UPLOAD_LIMIT = 10_000_000


class PlainServices(Services):
    """Nothing that loads a network: all these servers do with a picture is keep it."""

    def engine(self, choice: str) -> FlatEngine:
        return FlatEngine()

    def segmentation(self, name: str | None = None) -> SameColour:
        return SameColour()

    def geometry(self, photo, depth, intrinsics, backend=None) -> DepthEstimate:
        if depth is not None or intrinsics is not None:
            return super().geometry(photo, depth, intrinsics, backend)
        from core.maths.camera import intrinsics_of_photo

        return self.layout_depth(photo, intrinsics_of_photo(photo), Layout(0.3, 0.6))


def serve(folder: Path, listener: socket.socket) -> None:
    """Until the process is killed."""
    store = SessionStore(PlainServices(), folder)
    app = FastAPI()
    app.add_exception_handler(EditorError, lambda _, failure: JSONResponse({"error": str(failure)}, 422))
    app.include_router(studio_routes(store, Bridges(store), UPLOAD_LIMIT))
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])


def warm_up() -> None:
    """Load and compile once what every server needs."""
    session = Session("warm-up", PlainServices())
    session.open_photo(square_photo(), "warm-up.png")
    session.lasso([(30, 20), (62, 20), (62, 52), (30, 52)], add=True)
    session.slide(session.project.scene.objects[0].id, 0.1, 0.0)
    session.retouch_depth([(40.0, 30.0), (50.0, 40.0)], 5.0, "push")
    session.wait_idle(60)
    session.close()


def main() -> None:
    """One server for each line."""
    warm_up()
    for line in sys.stdin:
        listener = socket.create_server(("127.0.0.1", 0))
        process = os.fork()
        if process == 0:
            bands._pool.cache_clear()  # its threads stayed with the parent
            serve(Path(line.strip()), listener)
            os._exit(0)
        print(process, listener.getsockname()[1], flush=True)
        listener.close()
        os.waitpid(process, 0)


if __name__ == "__main__":
    main()
