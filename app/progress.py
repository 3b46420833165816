"""Where a command is, on a terminal only, and how long each stage took."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Progress:
    """Seconds per stage; the running stage is shown on stderr when that is a terminal."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._begun = time.perf_counter()
        self._shown = sys.stderr.isatty()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what runs inside."""
        self.show(f"{name} ...")
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun
            self.show("")

    def share(self, name: str) -> Callable[[float], None]:
        """What long work tells the share done to."""
        return lambda done: self.show(f"{name} {done:.0%}")

    def show(self, words: str) -> None:
        """Replace the line on the terminal."""
        if self._shown:
            print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)

    @property
    def total(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._begun
