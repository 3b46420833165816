"""Ctrl-C and SIGTERM as a token that long work checks, so that it can put things in order before it ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from app.signals import SIGNALS, Stopped, second_kills
from core.errors import Cancelled
from core.types.protocols import CancelToken


@contextmanager
def stoppable() -> Iterator[CancelToken]:
    """A token that the first signal cancels, for work that puts things in order itself; the main thread only.

    Raises Stopped when the work gave up for that reason.
    """
    cancel, received = CancelToken(), []

    def first(sign: int, _: FrameType | None) -> None:
        received.append(sign)
        second_kills()
        cancel.cancel()

    before = {sign: signal.signal(sign, first) for sign in SIGNALS}
    try:
        yield cancel
    except Cancelled:
        if received:
            raise Stopped(received[0]) from None
        raise
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
