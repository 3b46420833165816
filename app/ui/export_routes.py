"""Exports as downloads: whole or not at all, and given up when their reader leaves."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from app.export import export, left_behind
from core.editing.takeaway import Alignment
from core.errors import Cancelled
from core.types.protocols import CancelToken

if TYPE_CHECKING:
    from app.session import Session

LOOK_SECONDS = 0.25


def add_exports(router: APIRouter, known: "Callable[[str], Session]") -> None:
    """Add the route; `known` finds a session by its key or answers 404. A stopped export is answered by 204."""

    @router.get("/{key}/export/{kind}.{format_name}")
    async def download(
        request: Request,
        key: str,
        kind: str,
        format_name: str,
        axes: Alignment | None = None,
        private: bool = False,
    ) -> Response:
        session, cancel = await run_in_threadpool(known, key), CancelToken()
        making = asyncio.create_task(run_in_threadpool(export, session, kind, format_name, cancel, axes, private))
        while not (await asyncio.wait([making], timeout=LOOK_SECONDS))[0]:
            if await request.is_disconnected():
                cancel.cancel()
        try:
            name, content = making.result()
            return _attachment(name, content, "" if private else left_behind(session, kind, format_name))
        except Cancelled:
            return Response(status_code=204)


def _attachment(name: str, content: bytes, notice: str) -> Response:
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    headers |= {"X-Notice": quote(notice)} if notice else {}
    return Response(content, media_type="application/octet-stream", headers=headers)
