"""Ctrl-C and SIGTERM: the first ends what runs in good order, the second ends the process at once.

A process that was stopped ends by `end`: threads that compute cannot be broken off and are not waited for. Its exit
code is 130 or 143, as shells have it. Standard library only: the door sets this up before anything is loaded.
"""

import contextlib
import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SHELL_OFFSET = 128
_AGAIN_SECONDS = 0.05


class Stopped(KeyboardInterrupt):
    """What the first signal raises in the main thread. `code` is the exit code."""

    def __init__(self, sign: int) -> None:
        super().__init__()
        self.sign = sign
        self.code = _SHELL_OFFSET + sign


def stop_on_signals() -> None:
    """From now on the first signal raises Stopped, the second kills. A signal that is ignored stays ignored."""
    for sign in SIGNALS:
        if signal.getsignal(sign) is not signal.SIG_IGN:
            signal.signal(sign, _first)
    sys.unraisablehook = _unraisable


def second_kills() -> None:
    """Let the system's own handler answer the next signal: it works even while a kernel computes."""
    for sign in SIGNALS:
        signal.signal(sign, signal.SIG_DFL)


def end(code: int) -> NoReturn:
    """End the process now, with what was printed."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _first(sign: int, _: FrameType | None) -> NoReturn:
    second_kills()
    raise Stopped(sign)


def _unraisable(lost: "sys.UnraisableHookArgs") -> None:
    """A signal that came while an object was being deleted could not be raised there; it is raised a moment later."""
    if not isinstance(lost.exc_value, Stopped):
        return sys.__unraisablehook__(lost)
    sign = lost.exc_value.sign
    signal.signal(sign, _first)
    threading.Timer(_AGAIN_SECONDS, os.kill, (os.getpid(), sign)).start()
    return None
