"""The one thread on which the networks of this project compute, in the order in which they are asked to.

OpenMP keeps a pool of threads for every thread that computes. Once these are more than the machine has cores, they
fall asleep after each operation, and a small network takes three times as long (docs/lras.md).
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from core.errors import Cancelled

P = ParamSpec("P")
T = TypeVar("T")
_here = threading.local()


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "networks", initializer=lambda: setattr(_here, "computes", True))


# Threads do not live on in a forked process; Windows has none.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_thread.cache_clear)


def computes(function: Callable[P, T]) -> Callable[P, T]:
    """The function, to be called from any thread, run on that one; the caller waits for what it returns or raises.

    Raises Cancelled when the interpreter is ending.
    """

    @wraps(function)
    def run(*args: P.args, **named: P.kwargs) -> T:
        if getattr(_here, "computes", False):
            return function(*args, **named)
        try:
            future = _thread().submit(function, *args, **named)
        except RuntimeError as ended:  # the interpreter is ending, and takes no more work
            raise Cancelled("Stopped.") from ended
        return future.result()

    return run
