"""Where a command is, on a terminal only, how long each stage took, and what a person should know of the result.

A notice is for what is done all the same but perhaps not as meant: `progress.tell("The photo has 12 pages; ...")`.
One sentence that says what and what to do; it goes to stderr at once and into --json as "notices". Code below `app`
returns what there is to say and a command tells it; what must stop the command is an EditorError instead.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Progress:
    """Seconds per stage, the running one shown on stderr when that is a terminal, and the notices in order."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.notices: list[str] = []
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

    def tell(self, *notices: str) -> None:
        """Print notices on stderr, the same one only once."""
        for notice in notices:
            if notice not in self.notices:
                self.notices.append(notice)
                self.show("")
                print(f"notice: {notice}", file=sys.stderr, flush=True)

    @property
    def total(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._begun
