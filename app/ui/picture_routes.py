"""Pictures of a session, and what the page draws over them."""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app import pictures
from app.ui import hand
from app.ui.gestures import Drag
from app.ui.pointing import require_photo_view
from app.ui.proposals import proposals_in_view
from app.ui.snapshot import arrows, probe

if TYPE_CHECKING:
    from app.session import Session

MAX_SIDE = 2560


def add_pictures(router: APIRouter, known: "Callable[[str], Session]") -> None:
    """Add the routes; `known` finds a session by its key or answers 404."""

    @router.get("/{key}/picture/{which}")
    def picture(request: Request, key: str, which: str, side: int = 1280) -> Response:
        session = known(key)
        return _cached(request, pictures.picture(session, which, min(max(side, 16), MAX_SIDE)))

    @router.get("/{key}/detail")
    def detail(request: Request, key: str, x: int, y: int, width: int, height: int, side: int = 1280) -> Response:
        session = known(key)
        window = (x, y, width, height)
        return _cached(request, pictures.detail(session, window, min(max(side, 16), MAX_SIDE)))

    @router.get("/{key}/outlines")
    def outlines(key: str) -> dict[str, Any]:
        session = known(key)
        return {"outlines": hand.outlines_in_view(session)}

    @router.get("/{key}/proposals")
    def proposals(key: str) -> dict[str, Any]:
        session = known(key)
        return {"proposals": proposals_in_view(session)}

    @router.get("/{key}/probe")
    def value_at(key: str, x: float, y: float) -> dict[str, Any]:
        session = known(key)
        return probe(session, x, y)

    @router.get("/{key}/measure")
    def measure(key: str, x0: float, y0: float, x1: float, y1: float) -> dict[str, float]:
        session = known(key)
        require_photo_view(session)
        return {"distance": session.measure((x0, y0), (x1, y1))}

    @router.get("/{key}/arrows")
    def flow_arrows(key: str) -> dict[str, Any]:
        session = known(key)
        return {"arrows": arrows(session)}

    @router.get("/{key}/object/{object_id}/behind")
    def behind(request: Request, key: str, object_id: str, final: bool = False) -> Response:
        session = known(key)
        return _cached(request, pictures.behind(session, object_id, final))

    @router.get("/{key}/object/{object_id}/cutout")
    def cutout(key: str, object_id: str) -> Response:
        session = known(key)
        cut = hand.cutout(session, object_id)
        if cut is None:
            return Response(status_code=204)
        place = ",".join(map(str, (*cut.origin, *cut.size)))
        return Response(pictures.png(cut.rgba), media_type="image/png", headers={"X-Place": place})

    @router.post("/{key}/follow")
    def follow(key: str, drag: Drag) -> hand.Follow:
        session = known(key)
        return hand.follow(session.project, drag.object, drag.placement(session), session.services.memo)


def _cached(request: Request, content: bytes | None) -> Response:
    """A picture that the browser keeps and asks about by its content: 304 while it is the same."""
    if content is None:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    media = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
    return Response(content, media_type=media, headers=headers)
