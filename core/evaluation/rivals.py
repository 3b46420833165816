"""The engines that a benchmark of whole edits compares: holes left open, the classical fills, and what can run here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.engines.registry import available, make_engine
from core.engines.warp import WarpEngine
from core.errors import InvalidInput
from core.evaluation.fill_bench import METHODS, Method
from core.maths.fill import Picture
from core.types.protocols import CancelToken, Engine, EngineInfo, EngineRequest, EngineUpdate

UNFILLED = "unfilled"


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
    """Those named, or all: `unfilled`, the classical fills, then every engine that can run here by its own name.

    Raises InvalidInput for an unknown name, BackendUnavailable with the reason.
    """
    running = [info.name for info, why_not in available() if why_not is None]
    every = [UNFILLED, *METHODS, *running]
    return {name: _engine(name, every) for name in names or every}


def _engine(name: str, every: Sequence[str]) -> Engine:
    if name == UNFILLED:
        return Unfilled()
    if name in METHODS:
        return WarpEngine(_ByMethod(METHODS[name]))
    if name not in every and name not in [info.name for info, _ in available()]:
        raise InvalidInput(f"There is no method named {name!r}; use some of {', '.join(every)}.")
    return make_engine(name)
