"""Engines by name: what exists, whether it can run here, and how it is made."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.compute import computes
from core.errors import BackendUnavailable, InvalidInput
from core.types.project import EngineChoice
from core.types.protocols import Engine, EngineInfo

if TYPE_CHECKING:
    from core.lras.runtime import Decoding


@dataclass(frozen=True)
class _Entry:
    info: EngineInfo
    make: Callable[[], Engine]
    why_not: Callable[[], str | None]


WARP = EngineInfo("warp", "Geometric warp", "MIT", streams=True)
LRAS_SMALL = EngineInfo("lras-small", "LRAS small (built in)", "MIT", native_size=192, streams=True)
LRAS = EngineInfo("lras", "LRAS 7B", "MIT by its authors' README", native_size=256, streams=True, takes_flow=True)
_FILL_STUDENT = "fill_student"
_SMALL_FILES = ("lras_small", "lras_small_quantizer")
_LRAS_FILES = ("rgb_predictor", "rgb_quantizer")


def _make_warp() -> Engine:
    from core.engines.warp import WarpEngine
    from core.files.weights import embedded, embedded_missing

    if embedded_missing(_FILL_STUDENT) is None:
        from core.engines.network_fill import NetworkFill

        return WarpEngine(NetworkFill(embedded(_FILL_STUDENT)))
    from core.maths.exemplar import exemplar

    return WarpEngine(exemplar)


def _make_lras_small() -> Engine:
    from core.engines.lras import SMALL_DECODING
    from core.files.weights import embedded

    network, quantizer = (embedded(name).parent for name in _SMALL_FILES)
    return _lras(network, quantizer, LRAS_SMALL, SMALL_DECODING, expand=True)


def _make_lras() -> Engine:
    from core.files.weights import installed

    network, quantizer = (installed(name) for name in _LRAS_FILES)
    assert network is not None
    assert quantizer is not None
    return _lras(network, quantizer, LRAS, None)


def _lras(
    network: Path, quantizer: Path, info: EngineInfo, decoding: "Decoding | None", expand: bool = False
) -> Engine:
    """`expand`: int8 saves what comes along, not memory, which a small network does not fill."""
    from core.engines.lras import LrasEngine
    from core.lras.int8 import expand_linears
    from core.lras.placement import placement
    from core.lras.runtime import Runtime
    from core.lras.weights import load_quantizer, load_transformer

    device, dtype = placement()
    model = load_transformer(network, dtype, device)
    if expand:
        expand_linears(model)
    return LrasEngine(Runtime(model), load_quantizer(quantizer, device), _make_warp(), info, decoding)


def _small_why_not() -> str | None:
    from core.files.weights import embedded_missing

    return next((reason for name in _SMALL_FILES if (reason := embedded_missing(name)) is not None), None)


def _lras_why_not() -> str | None:
    from core.files.weights import missing

    return missing(_LRAS_FILES)


_ENTRIES = (
    _Entry(WARP, _make_warp, lambda: None),
    _Entry(LRAS_SMALL, _make_lras_small, _small_why_not),
    _Entry(LRAS, _make_lras, _lras_why_not),
)
# No other engine has been measured to beat it on this project's benchmarks yet.
_BEST = WARP


def available() -> list[tuple[EngineInfo, str | None]]:
    """Every known engine, with the reason why it cannot run here or None."""
    return [(entry.info, entry.why_not()) for entry in _ENTRIES]


def resolve(choice: EngineChoice) -> str:
    """The concrete name behind a choice: `auto` is the engine that measures best."""
    return _BEST.name if choice == "auto" else choice


def info_of(choice: EngineChoice) -> EngineInfo:
    """What the engine behind a choice says about itself; nothing is loaded."""
    return next(entry.info for entry in _ENTRIES if entry.info.name == resolve(choice))


def make_engine(choice: EngineChoice | str) -> Engine:
    """The engine of that name or choice. Raises InvalidInput (unknown name) or BackendUnavailable (why)."""
    return computes(_runnable(choice).make)()


def check_engine(choice: EngineChoice | str) -> None:
    """Raises what making that engine would, without making it."""
    _runnable(choice)


def _runnable(choice: EngineChoice | str) -> _Entry:
    name = _BEST.name if choice == "auto" else choice
    entry = next((entry for entry in _ENTRIES if entry.info.name == name), None)
    if entry is None:
        names = ", ".join(entry.info.name for entry in _ENTRIES)
        raise InvalidInput(f"There is no engine named {name!r}; use auto or one of {names}.")
    reason = entry.why_not()
    if reason is not None:
        raise BackendUnavailable(f"The engine {name!r} cannot run. {reason} Or use auto or warp.")
    return entry
