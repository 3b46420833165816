"""The list of unsaved work: what there is, going on with it, discarding it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import Response

from app.unsaved import KEPT_BYTES, KEPT_DAYS

if TYPE_CHECKING:
    from app.session import Session
    from app.store import SessionStore


def add_unsaved(router: APIRouter, store: "SessionStore", known: "Callable[[str], Session]") -> None:
    """Add the routes; `known` finds a session by its key or answers 404. Nothing is told to whoever has no session."""
    unsaved = store.unsaved

    @router.get("/{key}/unsaved")
    def listed(key: str) -> dict[str, Any]:
        own = known(key).kept_as
        works = [vars(work) for work in unsaved.listed() if work.id != own]
        return {"unsaved": works, "days": KEPT_DAYS, "bytes": KEPT_BYTES}

    @router.post("/{key}/unsaved/{entry_id}/open")
    def go_on(key: str, entry_id: str) -> dict[str, bool]:
        known(key)
        store.open_unsaved(key, entry_id)
        return {"done": True}

    @router.get("/{key}/unsaved/{entry_id}/thumbnail")
    def thumbnail(key: str, entry_id: str) -> Response:
        known(key)
        content = unsaved.thumbnail(entry_id)
        headers = {"Cache-Control": "private, no-cache"}
        if content is None:
            return Response(status_code=204, headers=headers)
        return Response(content, media_type="image/jpeg", headers=headers)

    @router.delete("/{key}/unsaved/{entry_id}")
    def discard(key: str, entry_id: str) -> dict[str, bool]:
        known(key)
        unsaved.discard(entry_id)
        return {"done": True}

    @router.delete("/{key}/unsaved")
    def discard_all(key: str) -> dict[str, bool]:
        known(key)
        unsaved.discard_all()
        return {"done": True}
