"""The engines that a benchmark of whole edits compares: holes left open, the classical fills, and what can run here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.engines.lras import LrasEngine
from core.engines.registry import LRAS_SMALL, available, make_engine
from core.engines.warp import WarpEngine
from core.errors import InvalidInput
from core.evaluation.fill_bench import METHODS, Method
from core.maths.fill import Picture
from core.types.protocols import CancelToken, Engine, EngineInfo, EngineRequest, EngineUpdate

UNFILLED = "unfilled"
ALONE = "lras-small-alone"


class Unfilled:
    """The warp alone: what nothing explains stays black."""

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(UNFILLED, "Warp with holes", "MIT")

    def render(self, request: EngineRequest, cancel: CancelToken) -> Iterator[EngineUpdate]:
        """One final update. Raises Cancelled."""
        cancel.check()
        image = np.where(request.unknown[..., None], 0, request.draft).astype(request.draft.dtype)
        yield EngineUpdate(image, request.depth, (~request.unknown).astype(np.float32), 1.0, is_final=True)


@dataclass(frozen=True)
class Alone:
    """LRAS small without the compositor: every pixel as the network's tokens show it, also where the photo is known."""

    engine: LrasEngine

    @property
    def info(self) -> EngineInfo:
        return replace(self.engine.info, name=ALONE, title="LRAS small alone")

    def render(self, request: EngineRequest, cancel: CancelToken) -> Iterator[EngineUpdate]:
        """One final update. Raises Cancelled."""
        *_, final = self.engine.render(request, cancel)
        yield replace(final, image=self.engine.as_codes(final.image))


@dataclass(frozen=True)
class _ByMethod:
    """A fill of the fill benchmark, as the warp engine calls it."""

    method: Method

    def __call__(
        self,
        picture: Picture,
        unknown: np.ndarray,
        source_ok: np.ndarray,
        *,
        depth: np.ndarray | None,
        seed: int,  # noqa: ARG002 - classical fills know no chance
        check: Callable[[], None],
    ) -> Picture:
        check()
        return self.method(picture, unknown, source_ok, depth)


def rivals(names: Sequence[str] = ()) -> dict[str, Engine]:
    """Those named, or all: `unfilled`, the classical fills, LRAS small without the compositor where it can run, then
    every engine that can run here by its own name.

    Raises InvalidInput for an unknown name, BackendUnavailable with the reason.
    """
    running = [info.name for info, why_not in available() if why_not is None]
    alone = [ALONE] if LRAS_SMALL.name in running else []
    every = [UNFILLED, *METHODS, *alone, *running]
    return {name: _engine(name, every) for name in names or every}


def _engine(name: str, every: Sequence[str]) -> Engine:
    if name == UNFILLED:
        return Unfilled()
    if name in METHODS:
        return WarpEngine(_ByMethod(METHODS[name]))
    if name == ALONE:
        engine = make_engine(LRAS_SMALL.name)
        assert isinstance(engine, LrasEngine)
        return Alone(engine)
    if name not in every and name not in [info.name for info, _ in available()]:
        raise InvalidInput(f"There is no method named {name!r}; use some of {', '.join(every)}.")
    return make_engine(name)
