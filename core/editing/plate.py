"""The background plate: the photo with the cut objects taken away and what was behind them invented."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float32

from core.editing.inventing import RenderContext, background_flow, invent, render_context, wish
from core.editing.layers import Size, cut_objects, hole_of, plate_inverse_depth, standing_objects
from core.editing.memo import Memo
from core.editing.shadows import relit, shadow_key
from core.editing.stages import BEHIND, PLATE, SHADOWS, Clock
from core.maths.membrane import membrane
from core.types.photo import Coverage, Pixels
from core.types.project import Project
from core.types.protocols import CancelToken, Engine, EngineInfo


@dataclass(frozen=True, eq=False)
class Plate:
    """The photo with the cut objects taken away and what was behind them invented; `seconds` it took, by stage."""

    pixels: Pixels
    alpha: Coverage | None
    inverse_depth: Float32[np.ndarray, "H W"]
    hole: Bool[np.ndarray, "H W"]
    confidence: Float32[np.ndarray, "H W"]
    done: float = 1.0
    is_final: bool = True
    seconds: Mapping[str, float] = field(default_factory=dict)


def without_objects(project: Project) -> Project:
    """The project with everything that was cut out taken away: what shows when one of them is lifted."""
    objects = tuple(replace(o, hidden=True) for o in project.scene.objects if o.copy_of is None)
    return replace(project, scene=replace(project.scene, objects=objects), flow_override=None)


def source_plate(
    project: Project, engine: Engine, memo: Memo, max_side: int | None = None, cancel: CancelToken | None = None
) -> Iterator[Plate]:
    """The photo without its cut objects, from its own camera: first as a quick guess, then final."""
    yield from background_plate(render_context(project, engine, memo, max_side, cancel, stream=True))


def background_plate(context: RenderContext) -> Iterator[Plate]:
    """The plate, first as a quick guess and then final; found in the memo when nothing it depends on changed.

    Several renders that need the same plate at once follow one that is being made.
    """
    view, project = context.view, context.project
    if not cut_objects(project):
        shape = view.inverse_depth.shape
        yield Plate(view.pixels, view.alpha, view.inverse_depth, np.zeros(shape, bool), np.ones(shape, np.float32))
        return
    key = plate_key(project, context.engine.info, view.size)
    is_new = context.memo.find(key) is None

    def make(token: CancelToken) -> Iterator[Plate]:
        return _made(replace(context, cancel=token, clock=Clock()))

    for plate in context.memo.stream(key, make, context.cancel):
        if plate.is_final and is_new:
            context.clock.add(plate.seconds)
        if plate.is_final or context.stream:
            yield plate


def _made(context: RenderContext) -> Iterator[Plate]:
    """The plate while the engine invents what is behind; the last one is final."""
    view, project = context.view, context.project
    with context.clock.stage(PLATE):
        hole = hole_of(project, view.size)
        inverse = plate_inverse_depth(project, view, hole)
        alpha = filled_alpha(view.alpha, hole)
    # What lay under an object is invented from lit ground, not from its shadow.
    pixels, lost, sure = _lit_ground(context, hole, inverse)
    flow = background_flow(context, None, inverse, hole)
    wanted = wish(context, pixels, hole, np.zeros_like(hole), inverse, flow, hider=view.inverse_depth)
    for update in invent(context, BEHIND, wanted):
        confidence, invented = np.minimum(update.confidence, sure), hole | lost
        seconds = dict(context.clock.seconds)
        yield Plate(update.image, alpha, inverse, invented, confidence, update.done, update.is_final, seconds)


def plate_key(project: Project, painter: EngineInfo, size: Size) -> Hashable:
    """What the final plate depends on: its place in the memo."""
    cut = cut_objects(project)
    return (
        "plate",
        project.photo.id,
        project.depth.id,
        tuple(sorted({o.mask.id for o in cut})),
        tuple(o.mask.id for o in standing_objects(project)),
        tuple(shadow_key(project, o) for o in cut if o.shadow is not None),
        size,
        painter.name,
        project.settings.seed,
        project.settings.order,
    )


def _lit_ground(
    context: RenderContext, hole: Bool[np.ndarray, "H W"], inverse: Float32[np.ndarray, "H W"]
) -> tuple[Pixels, Bool[np.ndarray, "H W"], Float32[np.ndarray, "H W"]]:
    """The photo with the shadows of cut objects lifted, their darkest parts invented: which these are, and the
    confidence of every pixel.
    """
    with context.clock.stage(SHADOWS):
        pixels, lost = relit(context.project, context.view, context.memo)
        lost &= ~hole
    if not lost.any():
        return pixels, lost, np.ones(hole.shape, np.float32)
    wanted = wish(context, pixels, lost, hole, inverse, hider=context.view.inverse_depth)
    *_, final = invent(context, BEHIND, wanted)
    return final.image, lost, final.confidence


def filled_alpha(alpha: Coverage | None, hole: Bool[np.ndarray, "H W"]) -> Coverage | None:
    """The photo's transparency, continued smoothly into a hole."""
    if alpha is None:
        return None
    filled = membrane(alpha.astype(np.float32)[..., None], hole, ~hole)[..., 0]
    return np.rint(filled).astype(alpha.dtype)
