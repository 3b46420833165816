"""`render(project)`: from a project to frames, as a stream that can be stopped between any two of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from core.editing.compositor import Canvas, Sprite, draw, sample, sample_nearest
from core.editing.costs import require_for_frame
from core.editing.inventing import RenderContext, background_flow, invent, removed_area, render_context, rerolled, wish
from core.editing.layers import (
    ObjectLayer,
    cut_objects,
    drawn_objects,
    object_layer,
    object_layer_key,
    resting_area,
    source_view_key,
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
from core.editing.plate import Plate, background_plate, filled_alpha, plate_key
from core.editing.shadow_casting import CastShadow, cast_shadows, lay
from core.editing.stages import (
    AGAIN,
    BEHIND,
    COMPOSITE,
    CUT_OUTS,
    FLOW,
    GEOMETRY,
    OBJECTS,
    PLATE,
    SHADOWS,
    UNCOVERED,
    WARP,
)
from core.maths.bands import copied, paste, reciprocal
from core.maths.camera import resized
from core.maths.colour import untinted
from core.maths.flow import MovedGrid, MovedRows
from core.maths.raster import InverseMap, surface_links
from core.types.flow import FlowField
from core.types.frame import Frame
from core.types.photo import Coverage
from core.types.project import Project
from core.types.protocols import CancelToken, Engine, EngineInfo, EngineRequest, EngineUpdate
from core.types.scene import SceneObject

_OPAQUE = 250


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
    the final frame comes. Raises Cancelled soon after `cancel` was set, EngineFailed if the engine cannot finish,
    NotEnoughMemory before anything is made when the machine has not what the size takes.
    """
    require_for_frame(project, working_size(project, max_side))
    context = render_context(project, engine, memo, max_side, cancel, stream)
    yield from _render_given_flow(context) if project.flow_override else _render_scene(context)


def stages_ahead(project: Project, painter: EngineInfo, memo: Memo, max_side: int | None = None) -> frozenset[str]:
    """The stages that `render` by that engine has to work through: not those whose results are in the memo."""
    size = working_size(project, max_side)
    ahead = {COMPOSITE, FLOW}
    if memo.find(source_view_key(project, size)) is None:
        ahead.add(GEOMETRY)
    if project.rerolls:
        ahead.add(AGAIN)
    if project.flow_override:
        return frozenset(ahead | {WARP, UNCOVERED})
    drawn = drawn_objects(project)
    if drawn:
        ahead.add(OBJECTS)
    if any(memo.find(object_layer_key(project, size, item)) is None for item in drawn):
        ahead.add(CUT_OUTS)
    if cut_objects(project) and memo.find(plate_key(project, painter, size)) is None:
        ahead |= {PLATE, SHADOWS, BEHIND}
    if not camera_at_home(project.scene):
        ahead |= {WARP, UNCOVERED}
    return frozenset(ahead)


def _render_scene(context: RenderContext) -> Iterator[Frame]:
    with context.clock.stage(CUT_OUTS):
        layers = _layers(context)
    with context.clock.stage(OBJECTS):
        sprites, moved = _sprites(context, layers)
        shadows = cast_shadows(context.project, context.view, context.memo)
    drawing = Drawing(shadows, sprites, moved)
    at_home = camera_at_home(context.project.scene)
    for plate in background_plate(context):
        context.cancel.check()
        if at_home:
            with context.clock.stage(COMPOSITE, anew=True):
                canvas = _canvas_of(context, plate)
            flow = background_flow(context, None, canvas.inverse_depth, plate.hole) if plate.is_final else None
            for again, done, is_final in rerolled(context, canvas, plate.done, plate.is_final, flow):
                yield _finish(context, again, drawing, None, (done, is_final))
        elif plate.is_final:
            yield from _render_new_view(context, plate, drawing)


def _canvas_of(context: RenderContext, plate: Plate) -> Canvas:
    """A plate to draw on; the plate itself stays as it is."""
    alpha = None if plate.alpha is None else plate.alpha.copy()
    inverse = copied(plate.inverse_depth)
    hiding = _hiding(context, inverse, resting_area(context.project, context.view.size))
    drawn, sure = np.zeros_like(plate.hole), copied(plate.confidence)
    return Canvas(copied(plate.pixels), alpha, inverse, plate.hole.copy(), drawn, sure, hiding)


@dataclass(frozen=True, eq=False)
class _Uncovered:
    """What a new view shows beside its colours and depth: `unknown` was hidden from the photo's own camera."""

    alpha: Coverage | None
    unknown: Bool[np.ndarray, "H W"]
    invented: Bool[np.ndarray, "H W"]
    sure: Float32[np.ndarray, "H W"] | None
    standing: Bool[np.ndarray, "H W"]
    rows: MovedRows
    flow: FlowField | None


def _render_new_view(context: RenderContext, plate: Plate, drawing: Drawing) -> Iterator[Frame]:
    """The plate seen by another camera: warped, its uncovered parts invented, objects drawn over it."""
    with context.clock.stage(WARP):
        seen, wanted = _warped(context, plate, drawing)
    updates = invent(context, UNCOVERED, wanted)
    del wanted
    for canvas, done, is_final in _new_canvases(context, seen, updates, drawing):
        for again, share, ended in rerolled(context, canvas, done, is_final, seen.flow):
            yield _finish(context, again, drawing, seen.rows, (share, ended))


def _warped(context: RenderContext, plate: Plate, drawing: Drawing) -> tuple[_Uncovered, EngineRequest]:
    """The plate as the new camera sees it, and what is asked of the engine; the maps between are let go of here."""
    scene, view = context.project.scene, context.view
    target = resized(scene.camera.intrinsics, *view.size)
    kept = without_fringe(plate.inverse_depth, radius=1 + round(max(view.size) / 2000))
    links = surface_links(plate.inverse_depth, kept)
    inverse = np.where(kept, plate.inverse_depth, np.float32(0))
    context.cancel.check()
    where, rows = warp_background(inverse, view, scene, target, links)
    context.cancel.check()
    draft = sample(plate.pixels, where)
    alpha = None if plate.alpha is None else sample(plate.alpha, where)
    invented = sample_nearest(plate.hole, where)
    standing = sample_nearest(resting_area(context.project, view.size), where)
    unknown = ~where.covered
    hidden = _opaque_area(drawing.sprites, unknown.shape)
    flow = background_flow(context, rows, where.inverse_depth, unknown)
    wanted = wish(context, draft, unknown & ~hidden, unknown & hidden, where.inverse_depth, flow)
    return _Uncovered(alpha, unknown, invented, _sampled_confidence(plate, where), standing, rows, flow), wanted


def _new_canvases(
    context: RenderContext, seen: _Uncovered, updates: Iterator[EngineUpdate], drawing: Drawing
) -> Iterator[tuple[Canvas, float, bool]]:
    """A canvas for each of the engine's updates, none of which is held while objects are drawn."""
    for update in updates:
        with context.clock.stage(COMPOSITE, anew=True):
            transparency, inverse = filled_alpha(seen.alpha, seen.unknown), reciprocal(update.depth)
            is_covered = bool(drawing.sprites or drawing.shadows)
            hiding = _hiding(context, inverse, seen.standing) if is_covered else inverse
            sure = np.float32(1) if seen.sure is None else seen.sure
            doubt = np.where(seen.unknown, update.confidence, sure)
            drawn, invented = np.zeros_like(seen.unknown), seen.invented | seen.unknown
            canvas = Canvas(copied(update.image), transparency, inverse, invented, drawn, doubt, hiding)
        done, is_final = update.done, update.is_final
        del update
        yield canvas, done, is_final


def _render_given_flow(context: RenderContext) -> Iterator[Frame]:
    """The photo moved by a given field; nearer pixels win, pixels without correspondence vanish."""
    from core.maths.flow import flow_links, resized_flow
    from core.maths.raster import rasterise_grid

    view, override = context.view, context.project.flow_override
    assert override is not None
    with context.clock.stage(WARP):
        width, height = view.size
        flow = resized_flow(override.flow, width, height)
        x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
        present = np.isfinite(flow[..., 0])
        inverse = np.where(present, view.inverse_depth, np.float32(0))

        def rows(first: int, last: int) -> MovedGrid:
            part = slice(first, last)
            return flow[part, :, 0] + x, flow[part, :, 1] + y[part], inverse[part]

        where = rasterise_grid(*rows(0, height), flow_links(flow), width, height)
        draft = sample(view.pixels, where)
        alpha = None if view.alpha is None else sample(view.alpha, where)
        unknown = ~where.covered
        wanted = wish(context, draft, unknown, np.zeros_like(unknown), where.inverse_depth, override)
        del where, draft
    for update in invent(context, UNCOVERED, wanted):
        with context.clock.stage(COMPOSITE, anew=True):
            inverse_depth = reciprocal(update.depth)
            transparency, sure = filled_alpha(alpha, unknown), copied(update.confidence)
            drawn = np.zeros_like(unknown)
            canvas = Canvas(
                copied(update.image), transparency, inverse_depth, unknown.copy(), drawn, sure, inverse_depth
            )
        for again, done, is_final in rerolled(context, canvas, update.done, update.is_final, override):
            yield _finish(context, again, Drawing(), rows, (done, is_final), removed=~present)


def _layers(context: RenderContext) -> list[tuple[SceneObject, ObjectLayer]]:
    """Drawn objects, cut out of the photo."""
    layers = []
    for item in drawn_objects(context.project):
        context.cancel.check()
        layers.append((item, object_layer(context.project, context.view, item, context.memo)))
    return layers


def _sprites(
    context: RenderContext, layers: Sequence[tuple[SceneObject, ObjectLayer]]
) -> tuple[list[Sprite], list[MovedLayer]]:
    """Drawn objects as the output camera sees them, farthest first, and their part of the flow field."""
    project, view = context.project, context.view
    target = resized(project.scene.camera.intrinsics, *view.size)
    sprites, moved = [], []
    for item, layer in layers:
        context.cancel.check()
        sprite, grid = place_sprite(view, layer, object_motion(project.scene, item), target)
        if sprite is not None:
            sprites.append(sprite)
        if item.copy_of is None:
            moved.append(MovedLayer(layer.origin, layer.coverage >= 128, grid))
    return sorted(sprites, key=lambda s: s.nearness), moved


def _sampled_confidence(plate: Plate, where: InverseMap) -> Float32[np.ndarray, "H W"] | None:
    """The plate's confidence seen by another camera; None when nothing of it was invented: 1 everywhere."""
    if not plate.hole.any():
        return None
    at = (where.x, where.y, cv2.INTER_NEAREST)
    return cv2.remap(plate.confidence, *at, borderMode=cv2.BORDER_REPLICATE)


def _finish(
    context: RenderContext,
    canvas: Canvas,
    drawing: Drawing,
    background: MovedRows | None,
    progress: tuple[float, bool],
    removed: Bool[np.ndarray, "H W"] | None = None,
) -> Frame:
    context.cancel.check()
    with context.clock.stage(COMPOSITE):
        lay(canvas, drawing.shadows)
        for sprite in drawing.sprites:
            draw(canvas, sprite)
        depth, valid = reciprocal(canvas.inverse_depth), canvas.inverse_depth > 0
    with context.clock.stage(FLOW, anew=True):
        if removed is None:
            removed = removed_area(context)
        nearest = canvas.inverse_depth
        flow = flow_field(context.view, background, removed, drawing.moved, nearest, canvas.drawn, canvas.invented)
    done, is_final = progress
    return Frame(
        # What paints holes may tint them by a level or two, and a gray photo stays gray.
        pixels=untinted(canvas.pixels) if context.project.photo.gray else canvas.pixels,
        alpha=canvas.alpha,
        depth=depth,
        depth_valid=valid,
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


def _opaque_area(sprites: Sequence[Sprite], shape: tuple[int, ...]) -> Bool[np.ndarray, "H W"]:
    area = np.zeros(shape, bool)
    for sprite in sprites:
        area[sprite.window] |= sprite.coverage >= _OPAQUE
    return area


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
