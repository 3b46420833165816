"""From a scene's cameras and placements to where every layer lands in the edited frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from core.editing.compositor import Sprite, sample
from core.editing.layers import ObjectLayer, SourceView, object_layer, object_window_intrinsics
from core.editing.memo import Memo
from core.maths.bands import in_bands, paste
from core.maths.camera import resized
from core.maths.flow import (
    MovedGrid,
    MovedRows,
    flow_of_rows,
    landing_bounds,
    moved_grid,
    moved_rows,
    put_flow,
    unhidden,
)
from core.maths.raster import InverseMap, rasterise_grid
from core.maths.rigid import placement_matrix
from core.maths.sizes import window_at
from core.types.camera import Intrinsics
from core.types.flow import FlowField
from core.types.project import Project
from core.types.scene import Scene, SceneObject


@dataclass(frozen=True, eq=False)
class MovedLayer:
    """Where a window of the source picture lands, for the flow field."""

    origin: tuple[int, int]
    owned: Bool[np.ndarray, "h w"]
    grid: MovedGrid


def camera_at_home(scene: Scene) -> bool:
    """Whether the output camera is the photo's own."""
    return scene.camera.intrinsics == scene.source_intrinsics and np.array_equal(
        scene.camera.camera_from_world.matrix, np.eye(4)
    )


def is_edited(project: Project) -> bool:
    """Whether the edited picture can differ from the photo."""
    scene = project.scene
    moved = any(not item.is_untouched for item in scene.objects)
    return moved or project.flow_override is not None or not camera_at_home(scene)


def object_motion(scene: Scene, item: SceneObject) -> Float64[np.ndarray, "4 4"]:
    """Takes a point of the object at rest (world axes) to the output camera's axes."""
    return scene.camera.camera_from_world.matrix @ placement_matrix(item.placement, item.pivot)


def place_sprite(
    view: SourceView, layer: ObjectLayer, target_from_source: Float64[np.ndarray, "4 4"], target: Intrinsics
) -> tuple[Sprite | None, MovedGrid]:
    """Draw an object's layer into the smallest window of the frame; None when it is off the frame."""
    source = object_window_intrinsics(view, layer)
    grid = moved_grid(layer.inverse_depth, source, target, target_from_source)
    window = landing_window(grid, target)
    if window is None:
        return None, grid
    x0, y0, x1, y1 = window
    where = rasterise_grid(*grid, layer.links, x1 - x0, y1 - y0, origin=(x0, y0))
    coverage = sample(layer.coverage, where)
    alpha = None if layer.alpha is None else sample(layer.alpha, where)
    sprite = Sprite((x0, y0), sample(layer.colours, where), coverage, alpha, where.inverse_depth)
    return sprite, grid


def placed_objects(
    project: Project, items: Sequence[SceneObject], view: SourceView, memo: Memo
) -> list[tuple[SceneObject, Sprite]]:
    """Those of `items` that the output camera sees, farthest first."""
    target = resized(project.scene.camera.intrinsics, *view.size)
    placed = []
    for item in items:
        layer = object_layer(project, view, item, memo)
        sprite, _ = place_sprite(view, layer, object_motion(project.scene, item), target)
        if sprite is not None:
            placed.append((item, sprite))
    return sorted(placed, key=lambda pair: pair[1].nearness)


def landing_window(grid: MovedGrid, target: Intrinsics) -> tuple[int, int, int, int] | None:
    """The part of the frame (x0, y0, x1, y1, ends outside) that a grid may draw on; None when it is off the frame."""
    bounds = landing_bounds(grid)
    if bounds is None:
        return None
    left, upper, right, lower = bounds
    x0, y0 = max(0, int(np.floor(left)) - 1), max(0, int(np.floor(upper)) - 1)
    x1, y1 = min(target.width, int(np.ceil(right)) + 2), min(target.height, int(np.ceil(lower)) + 2)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def without_fringe(inverse: Float32[np.ndarray, "H W"], radius: int) -> Bool[np.ndarray, "H W"]:
    """Pixels to keep when a picture comes apart at depth steps: those just behind an edge mix both colours."""
    highest = cv2.dilate(inverse, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8))
    kept = np.empty(inverse.shape, bool)

    def compare(first: int, last: int) -> None:
        rows = slice(first, last)
        np.less_equal(highest[rows], 1.15 * inverse[rows], out=kept[rows])

    in_bands(inverse.shape, compare)
    return kept


def warp_background(
    inverse: Float32[np.ndarray, "H W"], view: SourceView, scene: Scene, target: Intrinsics, links: np.ndarray
) -> tuple[InverseMap, MovedRows]:
    """The background plate as the output camera sees it, and where each of its pixels lands."""
    motion = (inverse, view.intrinsics, target, scene.camera.camera_from_world.matrix)
    return rasterise_grid(*moved_grid(*motion), links, target.width, target.height), moved_rows(*motion)


def flow_field(
    view: SourceView,
    background: MovedRows | None,
    removed: Bool[np.ndarray, "H W"],
    moved: Sequence[MovedLayer],
    nearest: Float32[np.ndarray, "H W"],
    drawn: Bool[np.ndarray, "H W"],
    uncovered: Bool[np.ndarray, "H W"],
) -> FlowField:
    """One field for the whole edit: the background's motion, and each moved object's over its mask.

    `background` None means that it did not move; `removed` source pixels have no place in the frame; of what lies
    under `drawn` objects, however near, nothing is seen.
    """
    width, height = view.size
    surfaces = np.where(drawn, np.float32(np.inf), nearest) if drawn.any() else nearest
    if background is None:
        flow = np.zeros((height, width, 2), np.float32)
        visible = unhidden(view.inverse_depth, surfaces)
    else:
        flow, visible = flow_of_rows(background, (height, width), surfaces)
    paste(flow, np.full((1, 1, 2), np.nan, np.float32), removed)
    visible &= ~removed
    for layer in moved:
        window = window_at(layer.origin, layer.owned.shape)
        put_flow(layer.grid, layer.origin, nearest, layer.owned, flow[window], visible[window])
    return FlowField(flow, visible, uncovered)
