"""Files coming in: photos, projects, depth and masks, refused as soon as they are too large."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.ui.text import say
from core.errors import InvalidInput

if TYPE_CHECKING:
    from app.session import Session

Upload = Literal["photo", "project", "depth", "mask"]


def add_uploads(router: APIRouter, known: "Callable[[str], Session]", max_bytes: int) -> None:
    """Add the route; `known` finds a session by its key or answers 404."""

    @router.post("/{key}/upload/{what}")
    async def upload(
        key: str,
        request: Request,
        what: Upload,
        name: Annotated[str, Query(max_length=200)] = "",
        scale: Annotated[float | None, Query(gt=0, allow_inf_nan=False)] = None,
    ) -> dict[str, int]:
        session = await run_in_threadpool(known, key)
        with session.receiving(name) as tell:
            content = await _body(request, max_bytes, tell)
        await run_in_threadpool(_take, session, what, content, name, scale)
        return {"revision": session.state.revision}


def _take(session: "Session", what: Upload, content: bytes, name: str, scale: float | None) -> None:
    takers: dict[Upload, Callable[[], None]] = {
        "photo": lambda: session.open_photo(content, name),
        "project": lambda: session.load_project(content, name),
        "depth": lambda: session.use_depth_file(content, name, scale),
        "mask": lambda: session.use_mask_file(content),
    }
    takers[what]()


async def _body(request: Request, limit: int, tell: Callable[[float], None]) -> bytes:
    """The request's body, refused as soon as it passes `limit` bytes; `tell` hears the share that has come."""
    too_large = InvalidInput(say("error.too_large", limit=f"{limit / 1e6:g}"))
    declared = request.headers.get("content-length", "")
    whole = int(declared) if declared.isdigit() else 0
    if whole > limit:
        raise too_large
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > limit:
                raise too_large
            if whole:
                tell(len(content) / whole)
    except ClientDisconnect as gone:
        raise InvalidInput("The upload was broken off; send the file again.") from gone
    return bytes(content)
