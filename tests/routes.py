"""Every route of an app, those of routers and mounted apps included."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from fastapi.testclient import TestClient
from starlette.routing import BaseRoute, Mount, WebSocketRoute


class Place(NamedTuple):
    """One method of one route; the method of a WebSocket is "SOCKET"."""

    method: str
    path: str


SOCKET = "SOCKET"


def places(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[Place]:
    """Each method and path template once per route."""
    for route in routes:
        if isinstance(route, Mount):
            yield from places(route.routes, prefix + route.path)
        elif hasattr(route, "original_router"):  # FastAPI's included routers
            yield from places(route.original_router.routes, prefix)
        elif isinstance(route, WebSocketRoute) or "WebSocket" in type(route).__name__:
            yield Place(SOCKET, prefix + _path(route))
        else:
            yield from (Place(method, prefix + _path(route)) for method in sorted(_methods(route)))


def every_place(client: TestClient, key: str) -> list[Place]:
    """The studio's, with a session's key and plausible values in their paths."""
    found = [place._replace(path=filled(place.path, key)) for place in places(client.app.routes)]
    assert len(found) > 80
    assert {place.path for place in found} >= {"/", "/studio", f"/studio/{key}/gesture", "/gradio_api/upload"}
    assert sum(place.method == SOCKET for place in found) >= 4
    return found


def filled(template: str, key: str) -> str:
    known = {"key": key, "which": "photo", "kind": "picture", "format_name": "png", "name": "main.js", "what": "photo"}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: known.get(found[1], "0"), template)


def _path(route: Any) -> str:
    return route.path


def _methods(route: Any) -> set[str]:
    return route.methods or {"GET"}
