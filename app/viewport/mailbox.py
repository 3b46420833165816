"""One thread that does a viewport's work in order, and only the newest of what repeats."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Mailbox:
    """Runs posted tasks one after the other on its own thread.

    Posting under a key that still waits replaces the waiting task and keeps its turn, so pointer
    moves never pile up and the last one is never lost. A task that fails is logged and passed
    to `on_failure`; later tasks still run.
    """

    def __init__(self, name: str, on_failure: Callable[[Exception], None]) -> None:
        self._waiting: dict[str, tuple[float, Callable[[], None]]] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._on_failure = on_failure
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def post(self, key: str, task: Callable[[], None], delay: float = 0.0) -> None:
        """Run `task` after those posted before; with `delay` seconds, not before they have passed."""
        with self._changed:
            if delay:
                self._waiting.pop(key, None)
            self._waiting[key] = (time.monotonic() + delay, task)
            self._changed.notify()

    def close(self) -> None:
        """Drop what waits and end the thread after the task in hand."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=2.0)

    def _run(self) -> None:
        while (task := self._next()) is not None:
            try:
                task()
            except Exception as failure:  # the thread's boundary: logged, told to the listener, and the next task runs
                log.exception("viewport task failed")
                self._on_failure(failure)

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                for key, (due, task) in self._waiting.items():
                    if due <= now:
                        del self._waiting[key]
                        return task
                soonest = min((due for due, _ in self._waiting.values()), default=None)
                self._changed.wait(None if soonest is None else soonest - now)
        return None
