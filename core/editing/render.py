"""`render(project)`: from a project to frames, as a stream that can be stopped between any two of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from core.editing.compositor import Canvas, Sprite, draw, sample, sample_nearest
from core.editing.inventing import Clock, RenderContext, invent, rerolled
from core.editing.layers import (
    cut_objects,
    drawn_objects,
    hole_of,
    object_layer,
    plate_inverse_depth,
    resized_coverage,
    resting_area,
    source_view,
    standing_objects,
    working_size,
)
from core.editing.memo import Memo
from core.editing.motion import (
    MovedLayer,
    camera_at_home,
    flow_field,
    object_motion,
    place_sprite,
    warp_background,
    without_fringe,
)
from core.editing.shadow_casting import CastShadow, cast_shadows, lay
from core.editing.shadows import relit, shadow_key
from core.maths.bands import copied, paste, reciprocal
from core.maths.camera import resized
from core.maths.flow import MovedGrid
from core.maths.membrane import membrane
from core.maths.raster import InverseMap, surface_links
from core.types.flow import FlowField
from core.types.frame import Frame
from core.types.photo import Coverage, Pixels
from core.types.project import Project
from core.types.protocols import CancelToken, Engine

_OPAQUE = 250


@dataclass(frozen=True, eq=False)
class Plate:
    """The photo with the cut objects taken away and what was behind them invented."""

    pixels: Pixels
    alpha: Coverage | None
    inverse_depth: Float32[np.ndarray, "H W"]
    hole: Bool[np.ndarray, "H W"]
    confidence: Float32[np.ndarray, "H W"]
    done: float = 1.0
    is_final: bool = True


@dataclass(frozen=True)
class Drawing:
    """What is laid over the background: shadows, then objects, farthest first; `moved` is for the flow field."""

    shadows: Sequence[CastShadow] = ()
    sprites: Sequence[Sprite] = ()
    moved: Sequence[MovedLayer] = ()


def render(
    project: Project,
    engine: Engine,
    memo: Memo,
    max_side: int | None = None,
    cancel: CancelToken | None = None,
    stream: bool = True,
) -> Iterator[Frame]:
    """Frames of the edited photo, better and better; the last one has stage "final".

    `max_side` bounds the longer side of the result (None: the photo's own size). With `stream` False only
    the final frame comes. Raises Cancelled soon after `cancel` was set, EngineFailed if the engine cannot finish.
    """
    context = _context(project, engine, memo, max_side, cancel, stream)
    yield from _render_given_flow(context) if project.flow_override else _render_scene(context)


def without_objects(project: Project) -> Project:
    """The project with everything that was cut out taken away: what shows when one of them is lifted."""
    objects = tuple(replace(o, hidden=True) for o in project.scene.objects if o.copy_of is None)
    return replace(project, scene=replace(project.scene, objects=objects), flow_override=None)


def source_plate(
    project: Project, engine: Engine, memo: Memo, max_side: int | None = None, cancel: CancelToken | None = None
) -> Iterator[Plate]:
    """The photo without its cut objects, from its own camera: first as a quick guess, then final."""
    yield from background_plate(_context(project, engine, memo, max_side, cancel, stream=True))


def background_plate(context: RenderContext) -> Iterator[Plate]:
    """The plate, first as a quick guess and then final; found in the memo when nothing it depends on changed."""
    view, project, memo = context.view, context.project, context.memo
    cut = cut_objects(project)
    if not cut:
        shape = view.inverse_depth.shape
        yield Plate(view.pixels, view.alpha, view.inverse_depth, np.zeros(shape, bool), np.ones(shape, np.float32))
        return
    masks = tuple(sorted({o.mask.id for o in cut}))
    key = (
        "plate",
        project.photo.id,
        project.depth.id,
        masks,
        tuple(o.mask.id for o in standing_objects(project)),
        tuple(shadow_key(project, o) for o in cut if o.shadow is not None),
        view.size,
        context.engine.info.name,
        project.settings.seed,
        project.settings.order,
    )
    with memo.turn(key, context.cancel):
        final = memo.find(key)
        if final is None:
            with context.clock.stage("plate geometry"):
                hole = hole_of(project, view.size)
                inverse = plate_inverse_depth(project, view, hole)
                alpha = _filled_alpha(view.alpha, hole)
            # What lay under an object is invented from lit ground, not from its shadow.
            pixels, lost, sure = _lit_ground(context, hole, inverse)
            invented = hole | lost
            flow = _background_flow(context, None, inverse, hole)
            hider = view.inverse_depth
            for update in invent(context, pixels, hole, np.zeros_like(hole), inverse, flow, hider=hider):
                confidence = np.minimum(update.confidence, sure)
                plate = Plate(update.image, alpha, inverse, invented, confidence, update.done, update.is_final)
                if not update.is_final:
                    yield plate
                    continue
                memo.put(key, plate)
                final = plate
    assert final is not None
    # Outside the turn: who looks at the last plate for long keeps nobody waiting.
    yield final


def _lit_ground(
    context: RenderContext, hole: Bool[np.ndarray, "H W"], inverse: Float32[np.ndarray, "H W"]
) -> tuple[Pixels, Bool[np.ndarray, "H W"], Float32[np.ndarray, "H W"]]:
    """The photo with the shadows of cut objects lifted, their darkest parts invented: which these are, and the
    confidence of every pixel.
    """
    with context.clock.stage("shadows"):
        pixels, lost = relit(context.project, context.view, context.memo)
        lost &= ~hole
    if not lost.any():
        return pixels, lost, np.ones(hole.shape, np.float32)
    *_, final = invent(context, pixels, lost, hole, inverse, hider=context.view.inverse_depth)
    return final.image, lost, final.confidence


def _context(
    project: Project, engine: Engine, memo: Memo, max_side: int | None, cancel: CancelToken | None, stream: bool
) -> RenderContext:
    clock = Clock()
    with clock.stage("geometry"):
        view = source_view(project, working_size(project, max_side), memo)
    return RenderContext(project, engine, memo, cancel or CancelToken(), view, clock, stream)


def _render_scene(context: RenderContext) -> Iterator[Frame]:
    with context.clock.stage("objects"):
        sprites, moved = _sprites(context)
        shadows = cast_shadows(context.project, context.view, context.memo)
    drawing = Drawing(shadows, sprites, moved)
    at_home = camera_at_home(context.project.scene)
    for plate in background_plate(context):
        context.cancel.check()
        if at_home:
            alpha = None if plate.alpha is None else plate.alpha.copy()
            inverse = copied(plate.inverse_depth)
            hiding = _hiding(context, inverse, resting_area(context.project, context.view.size))
            drawn, sure = np.zeros_like(plate.hole), copied(plate.confidence)
            canvas = Canvas(copied(plate.pixels), alpha, inverse, plate.hole.copy(), drawn, sure, hiding)
            flow = _background_flow(context, None, inverse, plate.hole) if plate.is_final else None
            for again, done, is_final in rerolled(context, canvas, plate.done, plate.is_final, flow):
                yield _finish(context, again, drawing, None, (done, is_final))
        elif plate.is_final:
            yield from _render_new_view(context, plate, drawing)


def _render_new_view(context: RenderContext, plate: Plate, drawing: Drawing) -> Iterator[Frame]:
    """The plate seen by another camera: warped, its uncovered parts invented, objects drawn over it."""
    scene, view = context.project.scene, context.view
    with context.clock.stage("warp"):
        target = resized(scene.camera.intrinsics, *view.size)
        kept = without_fringe(plate.inverse_depth, radius=1 + round(max(view.size) / 2000))
        links = surface_links(plate.inverse_depth, kept)
        inverse = np.where(kept, plate.inverse_depth, np.float32(0))
        context.cancel.check()
        where, grid = warp_background(inverse, view, scene, target, links)
        context.cancel.check()
        draft = sample(plate.pixels, where)
        alpha = None if plate.alpha is None else sample(plate.alpha, where)
        invented = sample_nearest(plate.hole, where)
        sure = _sampled_confidence(plate, where)
        standing = sample_nearest(resting_area(context.project, view.size), where)
        unknown = ~where.covered
        hidden = _opaque_area(drawing.sprites, unknown.shape)
        flow = _background_flow(context, grid, where.inverse_depth, unknown)
    for update in invent(context, draft, unknown & ~hidden, unknown & hidden, where.inverse_depth, flow):
        filled_alpha, inverse = _filled_alpha(alpha, unknown), reciprocal(update.depth)
        hiding = _hiding(context, inverse, standing)
        doubt = np.where(unknown, update.confidence, sure)
        drawn = np.zeros_like(unknown)
        canvas = Canvas(copied(update.image), filled_alpha, inverse, invented | unknown, drawn, doubt, hiding)
        for again, done, is_final in rerolled(context, canvas, update.done, update.is_final, flow):
            yield _finish(context, again, drawing, grid, (done, is_final))


def _render_given_flow(context: RenderContext) -> Iterator[Frame]:
    """The photo moved by a given field; nearer pixels win, pixels without correspondence vanish."""
    from core.maths.flow import flow_links, resized_flow
    from core.maths.raster import rasterise_grid

    view, override = context.view, context.project.flow_override
    assert override is not None
    with context.clock.stage("warp"):
        width, height = view.size
        flow = resized_flow(override.flow, width, height)
        x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
        present = np.isfinite(flow[..., 0])
        inverse = np.where(present, view.inverse_depth, np.float32(0))
        grid = (flow[..., 0] + x, flow[..., 1] + y, inverse)
        where = rasterise_grid(*grid, flow_links(flow), width, height)
        draft = sample(view.pixels, where)
        alpha = None if view.alpha is None else sample(view.alpha, where)
        unknown = ~where.covered
    for update in invent(context, draft, unknown, np.zeros_like(unknown), where.inverse_depth, override):
        inverse = reciprocal(update.depth)
        filled_alpha, sure = _filled_alpha(alpha, unknown), copied(update.confidence)
        drawn = np.zeros_like(unknown)
        canvas = Canvas(copied(update.image), filled_alpha, inverse, unknown.copy(), drawn, sure, inverse)
        for again, done, is_final in rerolled(context, canvas, update.done, update.is_final, override):
            yield _finish(context, again, Drawing(), grid, (done, is_final), removed=~present)


def _sprites(context: RenderContext) -> tuple[list[Sprite], list[MovedLayer]]:
    """Drawn objects as the output camera sees them, farthest first, and their part of the flow field."""
    project, view = context.project, context.view
    target = resized(project.scene.camera.intrinsics, *view.size)
    sprites, moved = [], []
    for item in drawn_objects(project):
        context.cancel.check()
        layer = object_layer(project, view, item, context.memo)
        context.cancel.check()
        sprite, grid = place_sprite(view, layer, object_motion(project.scene, item), target)
        if sprite is not None:
            sprites.append(sprite)
        if item.copy_of is None:
            moved.append(MovedLayer(layer.origin, layer.coverage >= 128, grid))
    return sorted(sprites, key=lambda s: s.nearness), moved


def _sampled_confidence(plate: Plate, where: InverseMap) -> Float32[np.ndarray, "H W"]:
    """The plate's confidence seen by another camera, 1 where nothing of it was invented."""
    if not plate.hole.any():
        return np.ones(where.x.shape, np.float32)
    at = (where.x, where.y, cv2.INTER_NEAREST)
    return cv2.remap(plate.confidence, *at, borderMode=cv2.BORDER_REPLICATE)


def _finish(
    context: RenderContext,
    canvas: Canvas,
    drawing: Drawing,
    background: MovedGrid | None,
    progress: tuple[float, bool],
    removed: Bool[np.ndarray, "H W"] | None = None,
) -> Frame:
    context.cancel.check()
    with context.clock.stage("composite"):
        lay(canvas, drawing.shadows)
        for sprite in drawing.sprites:
            draw(canvas, sprite)
    with context.clock.stage("flow"):
        if removed is None:
            removed = _removed_area(context)
        nearest = canvas.inverse_depth
        flow = flow_field(context.view, background, removed, drawing.moved, nearest, canvas.drawn, canvas.invented)
    done, is_final = progress
    return Frame(
        pixels=canvas.pixels,
        alpha=canvas.alpha,
        depth=reciprocal(canvas.inverse_depth),
        depth_valid=canvas.inverse_depth > 0,
        flow=flow,
        invented=canvas.invented,
        moved=canvas.drawn if background is None else ~canvas.invented,
        confidence=canvas.confidence,
        stage="final" if is_final else "preview" if done <= 0.3 else "partial",
        engine=context.engine.info.name,
        seed=context.project.settings.seed,
        done=done,
        seconds=dict(context.clock.seconds),
    )


def _background_flow(
    context: RenderContext,
    grid: MovedGrid | None,
    nearest: Float32[np.ndarray, "H W"],
    unknown: Bool[np.ndarray, "H W"],
) -> FlowField | None:
    """The field by which the background was warped, for an engine that takes it; cut objects have no place in it."""
    if not context.engine.info.takes_flow:
        return None
    none = np.zeros_like(unknown)
    return flow_field(context.view, grid, _removed_area(context), [], nearest, none, unknown)


def _removed_area(context: RenderContext) -> Bool[np.ndarray, "H W"]:
    """Source pixels of cut objects: they follow their object, or nothing when it is hidden."""
    width, height = context.view.size
    removed = np.zeros((height, width), bool)
    for item in cut_objects(context.project):
        removed |= resized_coverage(item.mask, context.view.size) >= 128
    return removed


def _opaque_area(sprites: Sequence[Sprite], shape: tuple[int, ...]) -> Bool[np.ndarray, "H W"]:
    area = np.zeros(shape, bool)
    for sprite in sprites:
        area[sprite.window] |= sprite.coverage >= _OPAQUE
    return area


def _filled_alpha(alpha: Coverage | None, hole: Bool[np.ndarray, "H W"]) -> Coverage | None:
    if alpha is None:
        return None
    filled = membrane(alpha.astype(np.float32)[..., None], hole, ~hole)[..., 0]
    return np.rint(filled).astype(alpha.dtype)


def _hiding(
    context: RenderContext, inverse: Float32[np.ndarray, "H W"], resting: Bool[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"]:
    """What may hide an object: surfaces as far as they are told well, none of a guessed layout; and resting objects."""
    depth = context.project.depth
    if not (depth.upright_objects or depth.tolerance):
        return inverse
    share = np.float32(0 if depth.upright_objects else 1 - depth.tolerance)
    hiding = inverse * share
    paste(hiding, inverse, resting)
    return hiding
