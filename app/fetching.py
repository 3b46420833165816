"""What every command that downloads does: ask first, then show how far it is."""

import sys
import time
from collections.abc import Callable

from app.progress import Progress
from core.errors import Cancelled, InvalidInput

_SHOW_SECONDS = 0.2


def ask(agreed: bool) -> None:
    """Go on only with a yes to what was printed before. Raises Cancelled, and InvalidInput without a terminal."""
    if agreed:
        return
    if not sys.stdin.isatty():
        raise InvalidInput("There is nobody to ask whether to download; add --yes to agree to the licence above.")
    if input("Download? [y/N] ").strip().lower() not in ("y", "yes"):
        raise Cancelled("Nothing was downloaded.")


def shown(name: str) -> Callable[[int, int | None], None]:
    """Progress on the terminal's last line, a few times a second."""
    line, shown = Progress(), 0.0

    def show(done: int, total: int | None) -> None:
        nonlocal shown
        now, whole = time.monotonic(), done == total
        if whole or now - shown > _SHOW_SECONDS:
            shown = now
            of = "" if total is None else f" of {total / 1e6:.0f}"
            line.show("" if whole else f"{name}: {done / 1e6:.0f}{of} MB")

    return show
