"""viser's server without viser's port: it opens none, prints nothing and is never shared through other servers."""

import threading

import rich
import viser
from websockets.asyncio import server as websockets_server

from app.viewport.switchboard import Switchboard

_OPENING = threading.Lock()


class QuietViser(viser.ViserServer):
    """A scene that is reached through `switchboard` alone.

    viser 1.1 opens its port by `websockets.asyncio.server.serve`, and only while it is made; our switchboard
    answers that call. Raises RuntimeError, and leaves no port open, where another viser goes another way.
    """

    def __init__(self) -> None:
        self.switchboard = Switchboard()
        rich.get_console().quiet = True  # viser tells of its start and its end, whatever `verbose` is
        with _OPENING:
            genuine = websockets_server.serve
            websockets_server.serve = self.switchboard.serve
            try:
                super().__init__(host="127.0.0.1", port=0, verbose=False)
            finally:
                websockets_server.serve = genuine
        if not self.switchboard.is_open:
            self.stop()
            raise RuntimeError(f"viser {viser.__version__} opens its server in a way that is not known here.")

    def request_share_url(self, verbose: bool = True) -> None:
        """None, as viser answers where sharing fails: any browser can ask, and it would open a tunnel to others."""
        del verbose
