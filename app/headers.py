"""What every answer tells the browser: nothing from elsewhere, nothing to elsewhere, nothing kept that has a key."""

import base64
import functools
import hashlib
import re
from html.parser import HTMLParser

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        f"{feature}=()"
        for feature in ("camera", "microphone", "geolocation", "display-capture", "usb", "serial", "hid", "payment")
    ),
}
POLICY = "Content-Security-Policy"
BARE_POLICY = "default-src 'none'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
# Whatever a page's own address says, these may be kept; all else is of one session.
KEEPABLE = re.compile(r"/(assets|static|ui)/.+|/theme\.css")


class SafeHeaders:
    """Adds `SAFE_HEADERS` and a Content-Security-Policy to every answer; streams and sockets pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        page = _Page(send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SAFE_HEADERS)
                if not KEEPABLE.fullmatch(scope["path"]):
                    headers.setdefault("Cache-Control", "no-store")
            await page.send(message)

        await self._app(_uncompressed(scope), receive, send_with_headers)


class _Page:
    """Holds a page back until it is whole, for its policy names the scripts in it; the rest goes on at once."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if headers.get("content-type", "").startswith("text/html") and POLICY not in headers:
                self._start = message
                return
            headers.setdefault(POLICY, BARE_POLICY)
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            MutableHeaders(scope=self._start)[POLICY] = policy_of(bytes(self._body))
            await self._send(self._start)
            await self._send({"type": "http.response.body", "body": bytes(self._body)})


def policy(*scripts: str) -> str:
    """A page's Content-Security-Policy: this server only, and `scripts` beside the server's own files."""
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *scripts)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' blob: data:",
            "font-src 'self' data:",
            "connect-src 'self' blob: data:",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "frame-ancestors 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        )
    )


@functools.lru_cache(maxsize=8)
def policy_of(page: bytes) -> str:
    """The policy of Gradio's page: of scripts that stand in a page, those that stood in this one when it was sent.

    Gradio makes functions of the scripts that its components and events are given, hence 'unsafe-eval'.
    """
    hashes = (f"'sha256-{_digest(script)}'" for script in inline_scripts(page.decode("utf-8")))
    return policy(*hashes, "'unsafe-eval'")


def inline_scripts(page: str) -> list[str]:
    """The text of each script that stands in a page itself."""
    reader = _Scripts()
    reader.feed(page)
    reader.close()
    return reader.found


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and "src" not in dict(attrs):
            self._inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data


def _digest(script: str) -> str:
    as_browsers_read_it = script.replace("\r\n", "\n").replace("\r", "\n")
    return base64.b64encode(hashlib.sha256(as_browsers_read_it.encode()).digest()).decode()


def _uncompressed(scope: Scope) -> Scope:
    """A page's request without the leave to compress the answer, which is read here."""
    if KEEPABLE.fullmatch(scope["path"]):
        return scope
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]}
