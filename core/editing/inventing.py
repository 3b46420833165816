"""Asking the engine for what no pixel of the photo shows, once or again with another seed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32

from core.editing.compositor import Canvas
from core.editing.layers import SourceView, cut_objects, resized_coverage, source_view, working_size
from core.editing.memo import Memo
from core.editing.motion import flow_field
from core.editing.stages import AGAIN, GEOMETRY, Clock
from core.maths.bands import copied, reciprocal
from core.maths.depth import near_side
from core.maths.flow import MovedRows
from core.types.flow import FlowField
from core.types.ids import content_id
from core.types.photo import Pixels
from core.types.project import Project
from core.types.protocols import CancelToken, Engine, EngineRequest, EngineUpdate

# Done before anything is invented anew.
_FIRST_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class RenderContext:
    """What every stage of one render needs."""

    project: Project
    engine: Engine
    memo: Memo
    cancel: CancelToken
    view: SourceView
    clock: Clock
    stream: bool


def render_context(
    project: Project, engine: Engine, memo: Memo, max_side: int | None, cancel: CancelToken | None, stream: bool
) -> RenderContext:
    """The photo at the working size, and a clock that has begun."""
    clock = Clock()
    with clock.stage(GEOMETRY):
        view = source_view(project, working_size(project, max_side), memo)
    return RenderContext(project, engine, memo, cancel or CancelToken(), view, clock, stream)


def background_flow(
    context: RenderContext,
    rows: MovedRows | None,
    nearest: Float32[np.ndarray, "H W"],
    unknown: Bool[np.ndarray, "H W"],
) -> FlowField | None:
    """The field by which the background was warped, for an engine that takes it; cut objects have no place in it."""
    if not context.engine.info.takes_flow:
        return None
    none = np.zeros_like(unknown)
    return flow_field(context.view, rows, removed_area(context), [], nearest, none, unknown)


def removed_area(context: RenderContext) -> Bool[np.ndarray, "H W"]:
    """Source pixels of cut objects: they follow their object, or nothing when it is hidden."""
    width, height = context.view.size
    removed = np.zeros((height, width), bool)
    for item in cut_objects(context.project):
        removed |= resized_coverage(item.mask, context.view.size) >= 128
    return removed


def wish(
    context: RenderContext,
    draft: Pixels,
    unknown: Bool[np.ndarray, "H W"],
    excluded: Bool[np.ndarray, "H W"],
    inverse: Float32[np.ndarray, "H W"],
    flow: FlowField | None = None,
    seed: int | None = None,
    hider: Float32[np.ndarray, "H W"] | None = None,
) -> EngineRequest:
    """What to ask the engine for: the unknown pixels; `excluded` ones are neither known nor wanted.

    `seed` None is the project's. `hider` is the inverse depth of what was taken away and had hidden the unknown
    pixels, which lie behind it.
    """
    context.cancel.check()
    foreground = excluded.copy()
    if hider is None:
        foreground |= near_side(inverse, ~(unknown | excluded))
    return EngineRequest(
        source=context.project.photo,
        draft=draft,
        unknown=unknown,
        foreground=foreground,
        depth=reciprocal(inverse),
        flow=flow,
        seed=context.project.settings.seed if seed is None else seed,
        previews=context.stream,
        order=context.project.settings.order,
        hider=None if hider is None else reciprocal(np.where(unknown, hider, np.float32(0))),
    )


def invent(context: RenderContext, stage: str, request: EngineRequest) -> Iterator[EngineUpdate]:
    """The engine's answers; the final one is given away with everything that was needed to make it let go."""
    updates = context.engine.render(request, context.cancel)
    del request
    while True:
        with context.clock.stage(stage):
            update = next(updates, None)
        if update is None:
            return
        if update.is_final:
            break
        if context.stream:
            yield update
    del updates
    handed = [update]
    del update
    yield handed.pop()


def rerolled(
    context: RenderContext, canvas: Canvas, done: float, is_final: bool, flow: FlowField | None = None
) -> Iterator[tuple[Canvas, float, bool]]:
    """A canvas before its objects are drawn, with the regions that were asked for invented anew, one after another.

    What lies outside a region is shown to the engine and stays as it is, bit for bit; depth stays too.
    """
    rolls = context.project.rerolls if is_final else ()
    if not rolls:
        yield canvas, done, is_final
        return
    for number, roll in enumerate(rolls):
        region = resized_coverage(roll.region, context.view.size) >= 128
        unknown = canvas.invented & region
        last = number + 1 == len(rolls)
        if not unknown.any():
            if last:
                yield _for_drawing(canvas), 1.0, True
            continue
        for update in _again(context, canvas, unknown, roll.seed, flow):
            sure = np.where(unknown, update.confidence, canvas.confidence)
            shown = replace(canvas, pixels=update.image, confidence=sure)
            share = (number + update.done) / len(rolls)
            canvas = shown if update.is_final else canvas
            ended = last and update.is_final
            if context.stream or ended:
                yield _for_drawing(shown), 1.0 if ended else _FIRST_SHARE + (1 - _FIRST_SHARE) * share, ended


def _again(
    context: RenderContext, canvas: Canvas, unknown: Bool[np.ndarray, "H W"], seed: int, flow: FlowField | None
) -> Iterator[EngineUpdate]:
    """As `invent` for a canvas, its final update remembered."""
    key = ("reroll", content_id(canvas.pixels, unknown), seed, context.project.settings.order, context.engine.info.name)
    kept = context.memo.find(key)
    if kept is not None:
        yield kept
        return
    inverse = np.where(unknown, np.float32(0), canvas.inverse_depth)
    wanted = wish(context, canvas.pixels, unknown, np.zeros_like(unknown), inverse, flow, seed)
    for update in invent(context, AGAIN, wanted):
        if update.is_final:
            context.memo.put(key, update)
        yield update


def _for_drawing(canvas: Canvas) -> Canvas:
    """A copy, as objects are drawn in place and the next region must not see them."""
    copies = {name: copied(value) for name, value in vars(canvas).items() if isinstance(value, np.ndarray)}
    return replace(canvas, **copies)
