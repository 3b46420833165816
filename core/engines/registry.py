"""Engines by name: what exists, whether it can run here, and how it is made."""

from collections.abc import Callable
from dataclasses import dataclass

from core.errors import BackendUnavailable, InvalidInput
from core.types.project import EngineChoice
from core.types.protocols import Engine, EngineInfo


@dataclass(frozen=True)
class _Entry:
    info: EngineInfo
    make: Callable[[], Engine] | None
    reason: str | None = None


def _make_warp() -> Engine:
    from core.engines.warp import WarpEngine
    from core.maths.exemplar import exemplar

    return WarpEngine(exemplar)


# Best last: `auto` takes the last one that can run.
_ENTRIES = (
    _Entry(EngineInfo("warp", "Geometric warp", "MIT", streams=True), _make_warp),
    _Entry(
        EngineInfo("lras", "LRAS", "not stated", native_size=256, streams=True),
        None,
        "no LRAS checkpoint is installed yet",
    ),
)


def available() -> list[tuple[EngineInfo, str | None]]:
    """Every known engine, with the reason why it cannot run here or None."""
    return [(entry.info, entry.reason) for entry in _ENTRIES]


def resolve(choice: EngineChoice) -> str:
    """The concrete name behind a choice: `auto` is the best engine that can run here."""
    if choice != "auto":
        return choice
    return next(entry.info.name for entry in reversed(_ENTRIES) if entry.make is not None)


def make_engine(choice: EngineChoice | str) -> Engine:
    """The engine of that name or choice. Raises InvalidInput (unknown name) or BackendUnavailable (why)."""
    name = resolve("auto") if choice == "auto" else choice
    entry = next((entry for entry in _ENTRIES if entry.info.name == name), None)
    if entry is None:
        names = ", ".join(entry.info.name for entry in _ENTRIES)
        raise InvalidInput(f"There is no engine named {name!r}; use auto or one of {names}.")
    if entry.make is None:
        raise BackendUnavailable(f"The engine {name!r} cannot run: {entry.reason}. Use auto or warp.")
    return entry.make()
