"""Who is answered. `verdict` decides from the facts of a request; `Guard` asks it before anything else runs.

Strangers are pages of other sites in this user's browser, other users of this machine, and other machines.

*Another name* (DNS rebinding): a browser believes that a page's own name leads here, and lets that page read. Only the
names that the studio was started with are answered, each with its port.

*Another origin*: browsers say where a request comes from. `Origin` stands on every WebSocket, and on every request that
is not GET or HEAD; `Sec-Fetch-Site` on all, GET included, to loopback and https. Whatever either calls foreign is
refused, "null" too. The one exception is opening the page itself by a link.

*Neither header*: not a browser, or one that only looks at a picture over plain http. Such requests are answered where
they bring no power that a page could borrow. On loopback a page has none to borrow: its request would carry `Origin`.
A process of this user can read this user's files anyway, and processes of other users are told apart by the owner of
their end of the connection. A token in the `Authorization` header is put there by who knows it. A cookie, though, is
sent by the browser on its own, so a change that only a cookie vouches for must say its origin.

*Other machines*: where they can connect there is a token, in the address that is printed. The page exchanges it for a
cookie (HttpOnly, SameSite=Strict) and loses it from its address by a redirect; every route and socket asks for it.

*Unused routes*: of Gradio's page only what our page asks for is there (uploads, files, proxies, queues and the rest of
its API are not).
"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urlencode

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access import Access, HostAndPort, host_and_port
from app.peers import Address
from app.ui.text import say

PAGE = "/"
SAFE_METHODS = ("GET", "HEAD")
OWN_ROUTES = re.compile(r"/(studio|viewport|ui)(/.*)?", re.DOTALL)
GRADIO_ROUTES = {
    "GET": re.compile(r"/|/theme\.css|/favicon\.ico|/(assets|static)/.+"),
    "HEAD": re.compile(r"/"),
    "POST": re.compile(r"/gradio_api/run/predict"),
}
ORIGIN_SCHEMES = ("http", "https")
# Longer ones make file systems fail instead of saying that there is no such file.
_LONGEST_NAME = 200

Proof = Literal["none", "header", "cookie"]


@dataclass(frozen=True)
class Facts:
    """What is known of a request before it is answered. `proof` is by what it showed the right token, if any."""

    method: str = "GET"
    path: str = PAGE
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    site: str | None = None
    mode: str | None = None
    destination: str | None = None
    arrived: Address | None = None
    is_socket: bool = False
    is_strangers: bool = False
    proof: Proof = "none"


@dataclass(frozen=True)
class Refusal:
    """An HTTP status and the sentence that says why."""

    status: int
    sentence: str


def verdict(access: Access, facts: Facts) -> Refusal | None:
    """Why a request is not answered; None when it is."""
    if facts.is_strangers:
        return Refusal(403, say("guard.user"))
    if len(facts.hosts) != 1 or not _is_ours(access, facts, host_and_port(facts.hosts[0])):
        return Refusal(421, say("guard.host"))
    if _is_foreign(access, facts):
        return Refusal(403, say("guard.origin"))
    if access.token is not None and facts.proof == "none":
        return Refusal(401, say("guard.token"))
    if facts.proof == "cookie" and _changes(facts) and not (facts.origins or facts.site):
        return Refusal(403, say("guard.origin"))
    if not _is_served(facts.method, facts.path):
        return Refusal(404, say("error.file"))
    return None


def _is_foreign(access: Access, facts: Facts) -> bool:
    """Whether a browser says that another site asks."""
    if any(not _is_ours(access, facts, _origin(origin)) for origin in facts.origins):
        return True
    if facts.site in (None, "same-origin", "none"):
        return False
    opens_the_page = (facts.method, facts.path, facts.mode, facts.destination) == ("GET", PAGE, "navigate", "document")
    return facts.is_socket or not opens_the_page


def _changes(facts: Facts) -> bool:
    return facts.is_socket or facts.method not in SAFE_METHODS


def _is_ours(access: Access, facts: Facts, name: HostAndPort | None) -> bool:
    return name is not None and access.answers_to(name, facts.arrived)


def _origin(text: str) -> HostAndPort | None:
    """Host and port of an origin; None for "null" and what is none."""
    scheme, _, rest = text.partition("://")
    named = host_and_port(rest) if scheme in ORIGIN_SCHEMES else None
    if named is None:
        return None
    return named[0], named[1] or {"http": 80, "https": 443}[scheme]


def _is_served(method: str, path: str) -> bool:
    parts = path.split("/")
    if ".." in parts or len(max(parts, key=len)) > _LONGEST_NAME:
        return False
    of_gradio = GRADIO_ROUTES.get(method)
    return OWN_ROUTES.fullmatch(path) is not None or (of_gradio is not None and of_gradio.fullmatch(path) is not None)


class Guard:
    """Refuses what `verdict` refuses, on HTTP and WebSockets alike; exchanges the token for a cookie."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        facts, query = facts_of(scope, self._access), parse_qsl(scope.get("query_string", b"").decode("latin-1"))
        refusal = verdict(self._access, facts)
        if self._enters(facts, query, refusal):
            await self._entrance(scope, query)(scope, receive, send)
        elif refusal is None:
            await self._app(scope, receive, send)
        elif facts.is_socket:
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.sentence})
        else:
            await _answer(facts, refusal)(scope, receive, send)

    def _enters(self, facts: Facts, query: list[tuple[str, str]], refusal: Refusal | None) -> bool:
        """Whether the page is opened with the right token in its address, and nothing else speaks against it."""
        if self._access.token is None or facts.is_socket or (facts.method, facts.path) != ("GET", PAGE):
            return False
        shown = dict(query).get("token")
        if shown is None or not (refusal is None or refusal.status == 401):
            return False
        return self._access.accepts(shown) or self._access.opening.accepts(shown)

    def _entrance(self, scope: Scope, query: list[tuple[str, str]]) -> Response:
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        reply = RedirectResponse(f"{PAGE}?{rest}" if rest else PAGE, 303, {"Cache-Control": "no-store"})
        name = cookie_name(scope.get("server"))
        reply.set_cookie(name, self._access.cookie, httponly=True, samesite="strict", path="/")
        return reply


def _answer(facts: Facts, refusal: Refusal) -> Response:
    headers = {"Cache-Control": "no-store"}
    if refusal.status == 401 and facts.site in ("cross-site", "same-site"):
        headers["Refresh"] = "0"  # a link from another site: Strict cookies come with the page's own reload only
    if facts.path.startswith("/studio"):
        return JSONResponse({"error": refusal.sentence}, refusal.status, headers)
    return PlainTextResponse(refusal.sentence, refusal.status, headers)


def facts_of(scope: Scope, access: Access) -> Facts:
    """What `verdict` needs of an ASGI request."""
    request, here = HTTPConnection(scope), _address(scope.get("server"))
    headers = request.headers
    return Facts(
        method=scope.get("method", "GET"),
        path=scope["path"],
        hosts=tuple(headers.getlist("host")),
        origins=tuple(headers.getlist("origin")),
        site=headers.get("sec-fetch-site"),
        mode=headers.get("sec-fetch-mode"),
        destination=headers.get("sec-fetch-dest"),
        arrived=here,
        is_socket=scope["type"] == "websocket",
        is_strangers=access.is_stranger(_address(scope.get("client")), here),
        proof=_proof(access, request),
    )


def _proof(access: Access, request: HTTPConnection) -> Proof:
    if access.token is None:
        return "none"
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and access.accepts(token.strip()):
        return "header"
    return "cookie" if access.accepts_cookie(request.cookies.get(cookie_name(request.scope.get("server")))) else "none"


def cookie_name(server: Address | None) -> str:
    """Of its port, for a host's cookies are one jar for all its ports."""
    return f"lras-studio-{server[1] if server else 0}"


def _address(pair: "tuple[str, int | None] | None") -> Address | None:
    return (pair[0], pair[1]) if pair is not None and pair[1] is not None else None
