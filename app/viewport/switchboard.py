"""Connections to viser inside this process: nothing listens, so that nobody but the studio reaches a scene."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, Self

from fastapi import WebSocket, WebSocketDisconnect
from websockets.exceptions import ConnectionClosedOK

GOING_AWAY = 1001

Handler = Callable[["Line"], Coroutine[Any, Any, None]]


class Line:
    """One browser's connection as viser's handler knows it, in place of a `websockets` one.

    It is made on the page's loop; `send`, `recv` and `close` are viser's, on viser's own loop.
    """

    def __init__(self, socket: WebSocket, subprotocol: str | None, viser_loop: asyncio.AbstractEventLoop) -> None:
        self.subprotocol = subprotocol
        self.farewell = (GOING_AWAY, "")
        self._socket, self._viser_loop, self._page_loop = socket, viser_loop, asyncio.get_running_loop()
        self._incoming: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def send(self, frame: bytes) -> None:
        """To the browser, as fast as it takes it. Raises ConnectionClosedOK when it has left."""
        try:
            sending = asyncio.run_coroutine_threadsafe(self._socket.send_bytes(frame), self._page_loop)
            await asyncio.wrap_future(sending)
        except (WebSocketDisconnect, RuntimeError) as gone:
            raise ConnectionClosedOK(None, None) from gone

    async def recv(self) -> bytes:
        """The browser's next message. Raises ConnectionClosedOK when none comes any more."""
        frame = await self._incoming.get()
        if frame is None:
            raise ConnectionClosedOK(None, None)
        return frame

    async def close(self, code: int = GOING_AWAY, reason: str = "") -> None:
        """End the connection, telling the browser why."""
        self.farewell = (code, reason)
        self._incoming.put_nowait(None)

    async def listen(self) -> None:
        """Hand over what the browser says until it leaves or viser has ended; runs on the page's loop."""
        frame: bytes | None = b""
        while frame is not None:
            frame = (await self._socket.receive()).get("bytes")
            try:
                self._viser_loop.call_soon_threadsafe(self._incoming.put_nowait, frame)
            except RuntimeError:  # its loop is closed
                return

    async def hang_up(self) -> None:
        """Close the page's socket, unless the browser did; runs on the page's loop."""
        try:
            await self._socket.close(*self.farewell)
        except (RuntimeError, WebSocketDisconnect):
            return


class Switchboard:
    """Stands where viser would open its server, keeps its handler, and puts browsers through to it."""

    server = SimpleNamespace(sockets=())  # viser asks it for the port

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handler: Handler | None = None
        self._select: Callable[[None, list[str]], str | None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._calls: dict[Future[None], Line] = {}

    def serve(self, handler: Handler, *_: object, select_subprotocol: Any, **__: object) -> Self:
        """What viser calls in place of `websockets.asyncio.server.serve`."""
        self._handler, self._select = handler, select_subprotocol
        return self

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(self, *_: object) -> None:
        with self._lock:
            self._loop, calls = None, dict(self._calls)
        for line in calls.values():
            await line.close()
        await asyncio.gather(*map(asyncio.wrap_future, calls), return_exceptions=True)

    @property
    def is_open(self) -> bool:
        """Whether viser waits for browsers here."""
        return self._loop is not None

    async def put_through(self, socket: WebSocket) -> None:
        """Serve a page's socket until either side ends; its sub-protocol carries viser's version."""
        if self._loop is None or self._select is None:
            await socket.close(GOING_AWAY)
            return
        line = Line(socket, self._select(None, socket.scope.get("subprotocols") or []), self._loop)
        await socket.accept(line.subprotocol)
        call = self._call(line)
        if call is not None:
            await self._talk(line, call)
        await line.hang_up()

    def _call(self, line: Line) -> "Future[None] | None":
        """Viser's handler, at work on a line; None once viser has ended."""
        with self._lock:
            if self._loop is None or self._handler is None:
                return None
            call = asyncio.run_coroutine_threadsafe(self._handler(line), self._loop)
            self._calls[call] = line
            return call

    async def _talk(self, line: Line, call: "Future[None]") -> None:
        listening = asyncio.create_task(line.listen())
        try:
            await asyncio.wrap_future(call)
        finally:
            listening.cancel()
            with self._lock:
                del self._calls[call]
