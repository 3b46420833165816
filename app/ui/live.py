"""Pushes a session's news to one browser over a websocket: always the newest state, never a backlog."""

import asyncio
import json
from typing import TYPE_CHECKING, Any

from fastapi import WebSocket, WebSocketDisconnect

from app.state import Event
from app.ui.snapshot import snapshot

if TYPE_CHECKING:
    from app.session import Session

# Times in the status line move on even when the render tells nothing.
TICK_SECONDS = 0.5
# At most this often, so that a fast render cannot flood a slow connection.
SHORTEST_PAUSE = 0.03


class News:
    """What happened since the last message; written by any thread, read by the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._happened = asyncio.Event()
        self._kinds: set[str] = set()
        self._error = ""

    def hear(self, event: Event) -> None:
        """The session's listener; never blocks."""
        self._loop.call_soon_threadsafe(self._note, event)

    def _note(self, event: Event) -> None:
        self._kinds.add(event.kind)
        if event.kind == "error":
            self._error = event.message
        self._happened.set()

    async def take(self, timeout: float | None) -> tuple[list[str], str]:
        """The kinds of events since the last call and the last error's sentence; empty after `timeout`."""
        try:
            await asyncio.wait_for(self._happened.wait(), timeout)
        except TimeoutError:
            return [], ""
        self._happened.clear()
        kinds, error = sorted(self._kinds), self._error
        self._kinds, self._error = set(), ""
        return kinds, error


async def push_news(socket: WebSocket, session: "Session") -> None:
    """Serve one accepted socket until the browser leaves."""
    news = News()
    unsubscribe = session.subscribe(news.hear)
    sender = asyncio.create_task(_send(socket, session, news))
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        unsubscribe()
        sender.cancel()


async def _send(socket: WebSocket, session: "Session", news: News) -> None:
    kinds, error, running = ["changed", "frame"], "", False
    while True:
        state = await asyncio.to_thread(lambda: session.state)
        message: dict[str, Any] = {"kinds": kinds, "error": error, "state": snapshot(state)}
        if kinds or running:
            await socket.send_text(json.dumps(message))
            await asyncio.sleep(SHORTEST_PAUSE)
        running = state.job.running
        kinds, error = await news.take(TICK_SECONDS if running else None)
