"""The named stages of a render, and what they took."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

GEOMETRY = "geometry"
CUT_OUTS = "cut-outs"
OBJECTS = "objects"
PLATE = "plate geometry"
SHADOWS = "shadows"
BEHIND = "inventing behind objects"
WARP = "warp"
UNCOVERED = "inventing what the camera uncovers"
AGAIN = "inventing again"
COMPOSITE = "composite"
FLOW = "flow"

INVENTING = frozenset({BEHIND, UNCOVERED, AGAIN})
# Done once and then found: a render that needs them again spends no time on them.
FOUND_AGAIN = frozenset({GEOMETRY, CUT_OUTS})


@dataclass
class Clock:
    """Seconds spent per named stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add what was measured elsewhere."""
        for name, spent in seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + spent

    @contextmanager
    def stage(self, name: str, anew: bool = False) -> Iterator[None]:
        """Add what is spent inside to the stage; with `anew` only this counts, as for what every frame repeats."""
        before = 0.0 if anew else self.seconds.get(name, 0.0)
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = before + time.perf_counter() - begun
