"""What a request may bring along: a few hundred kilobytes; files come by the uploads, which count themselves."""

import re

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.ui.text import say

# The longest stroke of a brush takes a fifth of it.
MOST_BYTES = 1_000_000
_COUNT_THEMSELVES = re.compile(r"/studio/[^/]+/upload/[^/]+")


class SmallBodies:
    """Reads a request's body before anybody parses it, and refuses one of more than `MOST_BYTES`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _COUNT_THEMSELVES.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return  # who asked has gone
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MOST_BYTES:
                refusal = JSONResponse({"error": say("error.body", limit=f"{MOST_BYTES / 1e6:g}")}, 413)
                await refusal(scope, receive, send)
                return
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        await self._app(scope, replay, send)
