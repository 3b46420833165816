"""The HTTP server, which ends within seconds of a signal whatever its sessions are doing."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

from app import signals

# No list of requests, whose addresses have keys in them. What a request says of a proxy before us is anybody's word:
# the guard looks at the connection itself.
QUIETLY: dict[str, Any] = {
    "log_level": "warning",
    "access_log": False,
    "proxy_headers": False,
    "server_header": False,
}
# How long pages may still be answered, and sessions may take to save what is unsaved.
_ANSWER_SECONDS = 1.0
_SAVE_SECONDS = 5.0


class StudioServer(uvicorn.Server):
    """The first signal tells the sessions by `give_up` and saves what is unsaved, the second kills the process.

    Uvicorn's own end waits for every request, cancels the rest and reports each; here what does not heed, as a codec or
    a compiler, is left behind when the process ends.
    """

    def __init__(self, config: uvicorn.Config, give_up: Callable[[], None]) -> None:
        super().__init__(config)
        self._give_up = give_up
        self._sign: int | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """The handler of the first signal."""
        signals.second_kills()
        self._sign = sig
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer, save, and end the process when a signal asked for it."""
        for listening in [*self.servers, *(sockets or [])]:
            listening.close()
        await _within(_ANSWER_SECONDS, self._give_up)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        waiting = set(self.server_state.tasks)
        if waiting:
            await asyncio.wait(waiting, timeout=_ANSWER_SECONDS)
        saving = asyncio.create_task(self.lifespan.shutdown())
        await asyncio.wait([saving], timeout=_SAVE_SECONDS)
        if self._sign is not None:
            signals.end(signals.Stopped(signal.Signals(self._sign)).code)


async def _within(seconds: float, act: Callable[[], None]) -> None:
    """Run `act` on a thread of its own and wait for it no longer than `seconds`."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def run() -> None:
        try:
            act()
        finally:
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="give up", daemon=True).start()
    await asyncio.wait([asyncio.create_task(done.wait())], timeout=seconds)
