"""Ctrl-C and SIGTERM as a token that long work checks, so that it can put things in order before it ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from core.types.protocols import CancelToken


@contextmanager
def stoppable() -> Iterator[CancelToken]:
    """A token that either signal cancels. For the main thread only, as Python's signals are."""
    cancel = CancelToken()
    before = {sign: signal.signal(sign, lambda *_: cancel.cancel()) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
