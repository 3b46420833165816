"""Pushes a session's news to one browser over a websocket: always the newest state, never a backlog."""

import asyncio
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from anyio import ClosedResourceError
from fastapi import WebSocket, WebSocketDisconnect

from app.state import Event, Numbers
from app.ui.snapshot import snapshot

if TYPE_CHECKING:
    from app.session import Session

# Times in the status line move on even when the render tells nothing.
TICK_SECONDS = 0.5
# At most this often, so that a fast render cannot flood a slow connection.
SHORTEST_PAUSE = 0.03
# Numbers that follow a hand are read by eyes; more of them would only take time from the drag.
HELD_PAUSE = 0.05


@dataclass(frozen=True)
class Bulletin:
    """What happened since the one before; empty when nothing did."""

    kinds: tuple[str, ...] = ()
    error: str = ""
    notice: str = ""
    held: Numbers | None = None


class News:
    """What happened since the last message; written by any thread, read by the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._happened = asyncio.Event()
        self._kinds: set[str] = set()
        self._error = ""
        self._notices: list[str] = []
        self._held: Numbers | None = None

    def hear(self, event: Event) -> None:
        """The session's listener; never blocks."""
        self._loop.call_soon_threadsafe(self._note, event)

    def _note(self, event: Event) -> None:
        self._kinds.add(event.kind)
        if event.kind == "error":
            self._error = event.message
        if event.kind == "notice" and event.message not in self._notices:
            self._notices.append(event.message)
        self._held = event.held or self._held
        self._happened.set()

    async def take(self, timeout: float | None) -> Bulletin:
        """All since the last call, with the last error, the notices and the last numbers; empty after `timeout`."""
        try:
            await asyncio.wait_for(self._happened.wait(), timeout)
        except TimeoutError:
            return Bulletin()
        self._happened.clear()
        bulletin = Bulletin(tuple(sorted(self._kinds)), self._error, " ".join(self._notices), self._held)
        self._kinds, self._error, self._notices, self._held = set(), "", [], None
        return bulletin


async def push_news(socket: WebSocket, session: "Session") -> None:
    """Serve one accepted socket until the browser leaves."""
    news = News()
    unsubscribe = session.subscribe(news.hear)
    sender = asyncio.create_task(_send(socket, session, news))
    try:
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass  # pages have nothing to say here
    finally:
        unsubscribe()
        sender.cancel()


async def _send(socket: WebSocket, session: "Session", news: News) -> None:
    bulletin, running = Bulletin(("changed", "frame")), False
    while True:
        only_held = bulletin.kinds == ("held",)
        notice = " ".join(filter(None, (*session.take_untold(), bulletin.notice)))
        message: dict[str, Any] = {"kinds": bulletin.kinds, "error": bulletin.error, "notice": notice}
        if bulletin.held is not None and "changed" not in bulletin.kinds:
            message["held"] = asdict(bulletin.held)
        if not only_held:
            state = await asyncio.to_thread(lambda: session.state)
            message["state"] = snapshot(state)
            running = any(job.running for job in (state.opening, state.job, state.export, state.models))
        try:
            await socket.send_text(json.dumps(message))
        except (WebSocketDisconnect, ClosedResourceError):
            return  # the page has left; who receives from it knows
        await asyncio.sleep(HELD_PAUSE if only_held else SHORTEST_PAUSE)
        bulletin = await news.take(TICK_SECONDS if running else None)
