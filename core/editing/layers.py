"""The photo taken apart: its geometry at a working size, whole objects, and what stands behind them."""

from collections.abc import Hashable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.editing.memo import Memo
from core.maths.bands import copied, paste
from core.maths.camera import cropped, resized
from core.maths.depth import continue_far_side, flat_object_inverse_depth, inverse_depth, object_inverse_depth
from core.maths.layout import upright_object_depth
from core.maths.mask import widened
from core.maths.membrane import membrane
from core.maths.raster import surface_links
from core.maths.sizes import size_within, window_at
from core.types.camera import Intrinsics
from core.types.mask import Mask
from core.types.photo import Coverage, Pixels
from core.types.project import Project
from core.types.scene import SceneObject

Size = tuple[int, int]

# Coverage from which a pixel shows the object enough to spoil what is behind it.
TOUCHED = 13


@dataclass(frozen=True, eq=False)
class SourceView:
    """The photo at a working size: pixels in its own colours, intrinsics, complete inverse depth."""

    pixels: Pixels
    alpha: Coverage | None
    intrinsics: Intrinsics
    inverse_depth: Float32[np.ndarray, "H W"]

    @property
    def size(self) -> Size:
        return self.pixels.shape[1], self.pixels.shape[0]


@dataclass(frozen=True, eq=False)
class ObjectShape:
    """An object's window of the source view; `origin` is its top-left pixel (x, y)."""

    origin: tuple[int, int]
    coverage: UInt8[np.ndarray, "h w"]
    inverse_depth: Float32[np.ndarray, "h w"]

    @property
    def window(self) -> tuple[slice, slice]:
        return window_at(self.origin, self.coverage.shape)


@dataclass(frozen=True, eq=False)
class ObjectLayer(ObjectShape):
    """A window of the source view that moves as one."""

    colours: Pixels
    alpha: Coverage | None
    links: UInt8[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class ObjectAtRest:
    """An object's mask and whole inverse depth at the size the depth map was measured at."""

    coverage: UInt8[np.ndarray, "H W"]
    inverse_depth: Float32[np.ndarray, "H W"]
    intrinsics: Intrinsics


def working_size(project: Project, max_side: int | None) -> Size:
    """The photo's size, or smaller with the same shape so that its longer side is `max_side`."""
    width, height = project.photo.width, project.photo.height
    return (width, height) if max_side is None else size_within(width, height, max_side)


def source_view_key(project: Project, size: Size) -> Hashable:
    """The place of the slowest part of a source view in the memo: its complete inverse depth."""
    return "inverse depth", project.depth.id, size


def source_view(project: Project, size: Size, memo: Memo) -> SourceView:
    """The photo and its geometry at `size`; objects that a layout guess lacks stand in it where they are."""
    photo, depth = project.photo, project.depth
    pixels = memo.get(("pixels", photo.id, size), lambda: _shrunk(photo.pixels, size))
    full_alpha = photo.alpha
    alpha = None
    if full_alpha is not None:
        alpha = memo.get(("alpha", photo.id, size), lambda: _shrunk(full_alpha, size))
    inverse = memo.get(source_view_key(project, size), lambda: inverse_depth(depth, *size))
    view = SourceView(pixels, alpha, resized(project.scene.source_intrinsics, *size), inverse)
    standing = standing_objects(project)
    if not standing:
        return view
    inverse = copied(inverse)
    for item in standing:
        shape = _object_shape(project, size, item, memo)
        paste(inverse[shape.window], shape.inverse_depth, shape.coverage >= 128)
    return replace(view, inverse_depth=inverse)


def resized_coverage(mask: Mask, size: Size) -> UInt8[np.ndarray, "H W"]:
    """A mask's coverage at another size, area-averaged."""
    return _shrunk(mask.coverage, size)


def object_at_rest(project: Project, mask: Mask, with_relief: bool = False) -> ObjectAtRest:
    """An object's whole depth, at the depth map's own size: nothing finer is known.

    `with_relief`: as measured, even where the map's tolerance makes a plane of what is moved.
    """
    depth, scene = project.depth, project.scene
    size = (min(depth.width, project.photo.width), min(depth.height, project.photo.height))
    intrinsics = resized(scene.source_intrinsics, *size)
    coverage = resized_coverage(mask, size)
    inverse = inverse_depth(depth, *size)
    if not (coverage >= 128).any():
        coverage = np.where(coverage == coverage.max(), np.uint8(255), coverage)
    if depth.upright_objects and scene.ground is not None:
        inside = coverage >= 128
        upright = upright_object_depth(inside, (1.0 / inverse).astype(np.float32), scene.ground, intrinsics)
        inverse = np.zeros_like(upright)
        np.divide(1.0, upright, out=inverse, where=inside)
        return ObjectAtRest(coverage, membrane(inverse[..., None], ~inside, inside)[..., 0], intrinsics)
    whole = flat_object_inverse_depth if depth.tolerance and not with_relief else object_inverse_depth
    return ObjectAtRest(coverage, whole(inverse, coverage), intrinsics)


def object_layer(project: Project, view: SourceView, item: SceneObject, memo: Memo) -> ObjectLayer:
    """Cut an object out of the source view, its colours continued under its soft edge."""
    key = object_layer_key(project, view.size, item)
    return memo.get(key, lambda: _cut_out(view, _object_shape(project, view.size, item, memo)))


def object_layer_key(project: Project, size: Size, item: SceneObject) -> Hashable:
    """An object's place in the memo once it is cut out."""
    return ("object", project.photo.id, *_shape_key(project, size, item))


def _shape_key(project: Project, size: Size, item: SceneObject) -> tuple[Hashable, ...]:
    return project.depth.id, item.mask.id, project.scene.ground, project.scene.source_intrinsics, size


def _object_shape(project: Project, size: Size, item: SceneObject, memo: Memo) -> ObjectShape:
    key = ("object shape", *_shape_key(project, size, item))
    return memo.get(key, lambda: _outlined(item.mask, size, object_at_rest(project, item.mask)))


def _outlined(mask: Mask, size: Size, at_rest: ObjectAtRest) -> ObjectShape:
    """The mask and one pixel around it, with the object's depth."""
    coverage = resized_coverage(mask, size)
    present = cv2.dilate((coverage > 0).astype(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
    x0, y0, x1, y1 = _window(present, margin=1)
    window = (slice(y0, y1), slice(x0, x1))
    inverse = np.zeros((y1 - y0, x1 - x0), np.float32)
    paste(inverse, enlarged_window(at_rest.inverse_depth, size, (x0, y0, x1, y1)), present[window])
    return ObjectShape((x0, y0), np.ascontiguousarray(coverage[window]), inverse)


def _cut_out(view: SourceView, shape: ObjectShape) -> ObjectLayer:
    return ObjectLayer(
        origin=shape.origin,
        coverage=shape.coverage,
        inverse_depth=shape.inverse_depth,
        colours=pure_colours(view.pixels[shape.window], shape.coverage),
        alpha=None if view.alpha is None else np.ascontiguousarray(view.alpha[shape.window]),
        links=surface_links(shape.inverse_depth, shape.inverse_depth > 0, jump=0.15),
    )


def enlarged_window(
    field: Float32[np.ndarray, "h w"], size: Size, window: tuple[int, int, int, int]
) -> Float32[np.ndarray, "H W"]:
    """The window (x0, y0, x1, y1) of `field` enlarged to `size`, without enlarging the rest."""
    x0, y0, x1, y1 = window
    if (field.shape[1], field.shape[0]) == size:
        return np.ascontiguousarray(field[y0:y1, x0:x1])
    sx, sy = field.shape[1] / size[0], field.shape[0] / size[1]
    source_from_window = np.array([[sx, 0, (x0 + 0.5) * sx - 0.5], [0, sy, (y0 + 0.5) * sy - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(field, source_from_window, (x1 - x0, y1 - y0), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def pure_colours(pixels: Pixels, coverage: UInt8[np.ndarray, "h w"]) -> Pixels:
    """The object's own colours: under its soft edge, where the photo mixes two things, the interior continues."""
    soft = (coverage < 250) & (cv2.dilate(coverage, np.ones((3, 3), np.uint8)) > 0)
    if not (coverage >= 250).any() or not soft.any():
        return np.ascontiguousarray(pixels)
    y, x = np.nonzero(soft)
    interior, reached = continued_colours(pixels, coverage >= 250, y, x)
    y, x, interior = y[reached], x[reached], interior[reached]
    own_share = (coverage[y, x].astype(np.float32) / 255.0)[:, None]
    colours = pixels.copy()
    colours[y, x] = np.rint(own_share * pixels[y, x] + (1 - own_share) * interior).astype(pixels.dtype)
    return colours


def continued_colours(
    pixels: Pixels, source: Bool[np.ndarray, "h w"], y: np.ndarray, x: np.ndarray, sigma: float | None = None
) -> tuple[Float32[np.ndarray, "N 3"], Bool[np.ndarray, "N"]]:
    """Blurred colours of the `source` pixels at (y, x), and whether they reach there; the blur is made small."""
    from scipy.ndimage import map_coordinates

    rows, columns = source.shape
    sigma = sigma or max(1.5, 0.004 * max(rows, columns))
    size = (max(1, round(columns * 1.5 / sigma)), max(1, round(rows * 1.5 / sigma)))
    inside = source.astype(np.uint8)
    known = cv2.resize(pixels * inside[..., None], size, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = cv2.resize(inside * np.uint8(255), size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    known, weight = cv2.GaussianBlur(known, (0, 0), 1.5), cv2.GaussianBlur(weight, (0, 0), 1.5)
    colours = known / np.maximum(weight, 1e-6)[..., None]
    v, u = (y + 0.5) * size[1] / rows - 0.5, (x + 0.5) * size[0] / columns - 0.5
    reached = weight[y * size[1] // rows, x * size[0] // columns] > 1e-3
    interior = [map_coordinates(colours[..., c], (v, u), order=1, mode="nearest") for c in range(3)]
    return np.stack(interior, axis=1), reached


def cut_objects(project: Project) -> list[SceneObject]:
    """Objects that no longer stand where the photo shows them, so that what was behind them is seen."""
    return [o for o in project.scene.objects if o.copy_of is None and not o.is_untouched]


def standing_objects(project: Project) -> list[SceneObject]:
    """Objects at rest that the depth map knows nothing of: without them, nothing could go behind them."""
    return [o for o in project.scene.objects if o.is_untouched] if project.depth.upright_objects else []


def resting_area(project: Project, size: Size) -> Bool[np.ndarray, "H W"]:
    """The pixels, in the photo at `size`, of objects that were cut out and stand where they stood."""
    area = np.zeros((size[1], size[0]), bool)
    for item in project.scene.objects:
        if item.is_untouched:
            area |= resized_coverage(item.mask, size) >= 128
    return area


def drawn_objects(project: Project) -> list[SceneObject]:
    """Objects to be drawn over the background: moved ones and copies, not hidden ones."""
    return [o for o in project.scene.objects if not o.hidden and not o.is_untouched]


def hole_of(project: Project, size: Size) -> Bool[np.ndarray, "H W"]:
    """Where the background plate has to be invented: cut objects and the few pixels their edge spoils."""
    hole = np.zeros((size[1], size[0]), bool)
    for item in cut_objects(project):
        hole |= touched_by(item.mask, size)
    return hole


def touched_by(mask: Mask, size: Size) -> Bool[np.ndarray, "H W"]:
    """Pixels that show something of an object, and the few that its edge spoils."""
    return widened(resized_coverage(mask, size) >= TOUCHED, rim_width(size))


def rim_width(size: Size) -> int:
    """How many pixels around an object its edge may spoil."""
    return 2 + round(0.002 * max(size))


def plate_inverse_depth(
    project: Project, view: SourceView, hole: Bool[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"]:
    """Inverse depth with the cut objects taken away."""
    if project.depth.upright_objects or not hole.any():
        return view.inverse_depth
    return continue_far_side(view.inverse_depth, hole, ~hole)


def object_window_intrinsics(view: SourceView, layer: ObjectLayer) -> Intrinsics:
    """The source camera cropped to an object's window."""
    height, width = layer.coverage.shape
    return cropped(view.intrinsics, *layer.origin, width, height)


def _window(present: Bool[np.ndarray, "H W"], margin: int) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(present.any(axis=1))[0], np.nonzero(present.any(axis=0))[0]
    height, width = present.shape
    if rows.size == 0:
        return 0, 0, 1, 1
    return (
        max(0, int(columns[0]) - margin),
        max(0, int(rows[0]) - margin),
        min(width, int(columns[-1]) + 1 + margin),
        min(height, int(rows[-1]) + 1 + margin),
    )


def _shrunk(picture: np.ndarray, size: Size) -> np.ndarray:
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
