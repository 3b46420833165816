"""What the exporters take: points, a textured mesh, layers, cameras and maps of an edited photo."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.editing.compositor import Sprite, visible_coverage
from core.editing.costs import require_for_layers, require_for_mesh, require_for_points
from core.editing.layers import source_view, working_size
from core.editing.memo import Memo
from core.editing.motion import placed_objects
from core.editing.render import render
from core.editing.shadow_casting import cast_shadows, fallen
from core.errors import InvalidInput
from core.files.formats import Kind
from core.files.layers import Layer, LayerStack
from core.files.picture import Picture, picture_of
from core.files.profile import srgb_of, to_8_bit
from core.maths.axes import in_axes
from core.maths.colour import coded_pixels
from core.maths.depth import inverse_depth, points_from_inverse_depth
from core.maths.raster import CONNECTED_DOWN, CONNECTED_RIGHT, surface_links
from core.maths.rigid import invert, transform
from core.types.camera import Camera, Intrinsics
from core.types.depth import DepthMap
from core.types.frame import Frame
from core.types.geometry import Axes, PointCloud, TexturedMesh
from core.types.mask import Mask
from core.types.photo import Coverage
from core.types.project import Project
from core.types.protocols import Engine

# Beyond this many times the median depth lies the sky of a layout guess (30 times) and noise of measured depth.
_SKY_FROM = 20.0
Alignment = Literal["opencv", "gltf", "blender"]
"""One choice of axes for clouds, meshes and cameras of a scene."""

# Kinds that need no rendered frame.
UNRENDERED: tuple[Kind, ...] = ("mask", "camera", "project")
_OPAQUE_FROM = 128
_MESH_VERTICES = 1_000_000
# Open3D's own example: a point is an outlier when its 20 nearest are two deviations farther than the average's.
_NEIGHBOURS, _DEVIATIONS = 20, 2.0


@dataclass(frozen=True)
class CloudOptions:
    """How a point cloud is thinned: `voxel` in scene units, `max_points` evenly over the picture.

    `clean` drops lonely points, by their distance to their neighbours.
    """

    voxel: float | None = None
    max_points: int | None = None
    clean: bool = False

    def __post_init__(self) -> None:
        if self.voxel is not None and not (np.isfinite(self.voxel) and self.voxel > 0):
            raise InvalidInput(f"The voxel size must be a positive number of scene units, got {self.voxel:g}.")
        if self.max_points is not None and self.max_points < 1:
            raise InvalidInput(f"The number of points must be at least 1, got {self.max_points}.")


@dataclass(frozen=True, eq=False)
class View:
    """Colours, depth and opacity (None: all opaque) as one camera sees them, whatever made them."""

    srgb: UInt8[np.ndarray, "H W 3"]
    alpha: UInt8[np.ndarray, "H W"] | None
    depth: Float32[np.ndarray, "H W"]
    valid: Bool[np.ndarray, "H W"]
    camera: Camera


@dataclass(frozen=True, eq=False)
class Result:
    """A project with its full-size frame, and what can render more of it."""

    project: Project
    frame: Frame
    engine: Engine
    memo: Memo


def take(result: Result, kind: Kind, aligned: Alignment | None = None) -> Any:
    """The value that the formats of `kind` write, for kinds not in `UNRENDERED`; `core.editing.peel` makes "peeled".

    Raises InvalidInput when there is nothing of that kind to take.
    """
    project, frame = result.project, result.frame
    return {
        "picture": lambda: picture_of(project.photo, frame),
        "depth": lambda: frame_depth(frame, project.depth),
        "cloud": lambda: point_cloud(frame_view(frame, project), axes=axes_of(kind, aligned)),
        "mesh": lambda: textured_mesh(frame_view(frame, project), axes=axes_of(kind, aligned)),
        "confidence": lambda: confidence_mask(frame),
        "flow": lambda: frame.flow,
        "layers": lambda: layer_stack(result),
    }[kind]()


def axes_of(kind: Kind, aligned: Alignment | None) -> Axes:
    """What files of a kind are written in: without a choice clouds and cameras in the world's axes, meshes y up.

    "blender": what its importers put into one place. They turn glTF and OBJ from y up to z up, nothing else.
    """
    if aligned in ("opencv", "gltf"):
        return aligned
    if kind == "mesh":
        return "gltf"
    return "z-up" if aligned == "blender" else "opencv"


def selected_mask(project: Project, object_id: str | None) -> Mask:
    """The mask of an object. Raises InvalidInput when none is given, or there is no such object."""
    if object_id is None:
        raise InvalidInput("No object is selected, so there is no mask to write; click an object first.")
    return project.scene.object(object_id).mask


def frame_depth(frame: Frame, source: DepthMap) -> DepthMap:
    """The edited frame's depth, of the scale that the photo's depth is known in."""
    return DepthMap(frame.depth, frame.depth_valid, source.scale, f"edited frame, {source.source}")


def photo_depth(depth: DepthMap, width: int, height: int) -> DepthMap:
    """A depth map at the photo's size, invalid where nothing was measured."""
    if (depth.width, depth.height) == (width, height):
        return depth
    rows = ((np.arange(height) + 0.5) * depth.height / height).astype(np.intp)
    columns = ((np.arange(width) + 0.5) * depth.width / width).astype(np.intp)
    valid = depth.valid[rows][:, columns]
    values = np.where(valid, 1.0 / inverse_depth(depth, width, height), 0).astype(np.float32)
    return replace(depth, values=values, valid=valid, confidence=None, id="")


def invented_mask(frame: Frame) -> Mask:
    """White where the edited frame does not show the photo."""
    return Mask(np.where(frame.invented, np.uint8(255), np.uint8(0)), source="invented")


def confidence_mask(frame: Frame) -> Mask:
    """White where the edited frame shows the photo, the darker the less sure the engine is of what it invented."""
    return Mask(np.rint(255 * frame.confidence).astype(np.uint8), source="confidence")


def frame_view(frame: Frame, project: Project) -> View:
    """The edited frame as its camera sees it."""
    camera = project.scene.camera
    srgb = srgb_of(frame.pixels, project.photo.icc_profile)
    alpha = None if frame.alpha is None else to_8_bit(frame.alpha)
    return View(srgb, alpha, frame.depth, frame.depth_valid, camera)


def photo_view(project: Project) -> View:
    """The unedited photo as its own camera sees it."""
    photo, intrinsics = project.photo, project.scene.source_intrinsics
    depth = photo_depth(project.depth, photo.width, photo.height)
    alpha = None if photo.alpha is None else to_8_bit(photo.alpha)
    return View(photo.srgb, alpha, depth.values, depth.valid, Camera(intrinsics))


def point_cloud(view: View, options: CloudOptions = CloudOptions(), axes: Axes = "opencv") -> PointCloud:
    """One point per pixel, without the sky, what is less than half opaque, and pixels beside a depth step.

    Pixels beside a step mix the colours of both sides and would hang in the air between them.
    Raises InvalidInput when none is left, NotEnoughMemory.
    """
    require_for_points((view.depth.shape[1], view.depth.shape[0]))
    inverse, solid = _solid(view)
    kept = solid & ~_beside_step(inverse, solid)
    if not kept.any():
        raise InvalidInput(
            "No pixel away from depth steps has a usable depth, so there are no points; give another depth file."
        )
    if view.alpha is not None:
        kept &= view.alpha >= _OPAQUE_FROM
        if not kept.any():
            raise InvalidInput("The picture is transparent everywhere, so there are no points to write.")
    points = _world_points(view, inverse, kept)
    colours = view.srgb[kept]
    if options.voxel is not None or options.clean:
        points, colours = _tidied(points, colours, options)
    if options.max_points is not None and len(points) > options.max_points:
        chosen = np.linspace(0, len(points) - 1, options.max_points).round().astype(np.intp)
        points, colours = points[chosen], colours[chosen]
    return PointCloud(in_axes(points, axes), colours, axes)


def textured_mesh(view: View, max_vertices: int = _MESH_VERTICES, axes: Axes = "opencv") -> TexturedMesh:
    """The picture's grid as triangles, cut at depth steps, at the sky and where it is transparent, with its picture.

    Every n-th row and column is taken so that at most about `max_vertices` remain. Raises InvalidInput for no face,
    NotEnoughMemory.
    """
    height, width = view.depth.shape
    require_for_mesh((width, height))
    step = max(1, int(np.ceil(np.sqrt(height * width / max_vertices))))
    rows, columns = _every(height, step), _every(width, step)
    inverse, solid = (field[rows][:, columns] for field in _solid(view))
    if view.alpha is not None:
        solid = solid & (view.alpha[rows][:, columns] > 0)
    faces = _grid_faces(surface_links(np.ascontiguousarray(inverse), np.ascontiguousarray(solid)), solid)
    if not faces.size:
        raise InvalidInput("The depth gives no surface, so there is no mesh to write; give another depth file.")
    used, faces = np.unique(faces, return_inverse=True)
    y, x = rows[used // len(columns)], columns[used % len(columns)]
    rays = _rays(view.camera.intrinsics, x, y)
    vertices = _in_world(rays * view.depth[y, x][:, None], view.camera)
    uv = np.stack([(x + 0.5) / width, (y + 0.5) / height], axis=1).astype(np.float32)
    texture = view.srgb if view.alpha is None else np.dstack([view.srgb, view.alpha])
    return TexturedMesh(in_axes(vertices, axes), faces.reshape(-1, 3).astype(np.int32), uv, texture, axes)


def layer_stack(result: Result) -> LayerStack:
    """Background plate, shadows, every shown object where it now stands, farthest first, and the hidden result on top.

    An object at rest is in the plate too, so that its layer changes nothing. With a given flow field there are
    no objects: only the result. Raises NotEnoughMemory.
    """
    project, frame = result.project, result.frame
    require_for_layers(project)
    merged = picture_of(project.photo, frame)
    if project.flow_override is not None:
        return LayerStack((Layer("Result", merged),), merged)
    plate = _plate_frame(result)
    layers = [Layer("Background", picture_of(project.photo, plate))]
    inverse = np.zeros_like(plate.depth)
    np.divide(1.0, plate.depth, out=inverse, where=plate.depth_valid)
    # The surfaces of a guessed layout hide nothing.
    nearest = np.zeros_like(inverse) if project.depth.upright_objects else inverse.copy()
    layers += _shadow_layers(result, inverse, nearest)
    for label, sprite in _sprites(result):
        coverage = visible_coverage(sprite, nearest[sprite.window])
        nearest[sprite.window][coverage >= 128] = sprite.inverse_depth[coverage >= 128]
        picture = Picture(sprite.pixels, _alpha(sprite, coverage), project.photo.icc_profile)
        layers.append(Layer(label, picture, *sprite.origin))
    return LayerStack((*layers, Layer("Result", merged, visible=False)), merged)


def _shadow_layers(
    result: Result, inverse: Float32[np.ndarray, "H W"], hiding: Float32[np.ndarray, "H W"]
) -> list[Layer]:
    """The shadows that go with objects, as a layer that multiplies; none when there are none."""
    project = result.project
    view = source_view(project, working_size(project, None), result.memo)
    together = fallen(cast_shadows(project, view, result.memo), inverse, hiding)
    if together is None:
        return []
    light = coded_pixels(1 - together.amount, project.photo.pixels.dtype)
    picture = Picture(light, None, project.photo.icc_profile)
    return [Layer("Shadows", picture, *together.origin, multiplies=True)]


def _plate_frame(result: Result) -> Frame:
    """The edited frame without the objects that were moved or copied; what is at rest is part of it."""
    scene = result.project.scene
    originals = [item for item in scene.objects if item.copy_of is None]
    lifted = tuple(item if item.is_untouched else replace(item, hidden=True) for item in originals)
    if lifted == scene.objects:
        return result.frame
    (frame,) = render(
        replace(result.project, scene=replace(scene, objects=lifted)), result.engine, result.memo, stream=False
    )
    return frame


def _sprites(result: Result) -> list[tuple[str, Sprite]]:
    """Every shown object in the frame with its label, farthest first."""
    project = result.project
    view = source_view(project, working_size(project, None), result.memo)
    shown = [item for item in project.scene.objects if not item.hidden]
    return [(item.label, sprite) for item, sprite in placed_objects(project, shown, view, result.memo)]


def _alpha(sprite: Sprite, coverage: UInt8[np.ndarray, "h w"]) -> Coverage:
    """Coverage in the pixels' own bit depth, times the photo's own transparency."""
    full = np.iinfo(sprite.pixels.dtype).max
    own = 1.0 if sprite.alpha is None else sprite.alpha / np.float32(full)
    return np.rint(coverage / np.float32(255) * own * full).astype(sprite.pixels.dtype)


def _solid(view: View) -> tuple[Float32[np.ndarray, "H W"], Bool[np.ndarray, "H W"]]:
    """Inverse depth, and where there is something nearer than the sky."""
    inverse = np.zeros_like(view.depth)
    np.divide(1.0, view.depth, out=inverse, where=view.valid & (view.depth > 0))
    present = inverse > 0
    if not present.any():
        return inverse, present
    return inverse, present & (inverse * np.median(view.depth[present]) > 1 / _SKY_FROM)


def _beside_step(inverse: Float32[np.ndarray, "H W"], solid: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Pixels that a depth step parts from a neighbour; the picture's border is none."""
    links = surface_links(inverse, solid)
    cut_right = (links[:, :-1] & CONNECTED_RIGHT) == 0
    cut_down = (links[:-1] & CONNECTED_DOWN) == 0
    beside = np.zeros(inverse.shape, bool)
    beside[:, :-1] |= cut_right
    beside[:, 1:] |= cut_right
    beside[:-1] |= cut_down
    beside[1:] |= cut_down
    return beside


def _world_points(
    view: View, inverse: Float32[np.ndarray, "H W"], kept: Bool[np.ndarray, "H W"]
) -> Float32[np.ndarray, "N 3"]:
    safe = np.where(kept, inverse, np.float32(1))
    return _in_world(points_from_inverse_depth(safe, view.camera.intrinsics)[kept], view.camera)


def _in_world(points: np.ndarray, camera: Camera) -> Float32[np.ndarray, "N 3"]:
    return transform(invert(camera.camera_from_world).matrix, points).astype(np.float32)


def _rays(intrinsics: Intrinsics, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.stack([(x - intrinsics.cx) / intrinsics.fx, (y - intrinsics.cy) / intrinsics.fy, np.ones(len(x))], axis=1)


def _every(count: int, step: int) -> np.ndarray:
    """Indices from first to last, about `step` apart."""
    return np.linspace(0, count - 1, 1 + int(np.ceil((count - 1) / step))).round().astype(np.intp)


def _grid_faces(links: UInt8[np.ndarray, "H W"], solid: Bool[np.ndarray, "H W"]) -> np.ndarray:
    """Two triangles per cell whose corners are of one surface, counter-clockwise as the camera sees them."""
    rows, columns = links.shape
    index = np.arange(rows * columns).reshape(rows, columns)
    right, down = (links & CONNECTED_RIGHT) > 0, (links & CONNECTED_DOWN) > 0
    whole = right[:-1, :-1] & right[1:, :-1] & down[:-1, :-1] & down[:-1, 1:]
    whole &= solid[:-1, :-1] & solid[1:, :-1] & solid[:-1, 1:] & solid[1:, 1:]
    corner = index[:-1, :-1][whole]
    below, beside, across = corner + columns, corner + 1, corner + columns + 1
    return np.concatenate([np.stack([corner, below, beside], 1), np.stack([beside, below, across], 1)])


def _tidied(points: np.ndarray, colours: np.ndarray, options: CloudOptions) -> tuple[np.ndarray, np.ndarray]:
    """Merge points within a voxel and drop lonely ones, with Open3D."""
    import open3d

    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points.astype(np.float64)))
    cloud.colors = open3d.utility.Vector3dVector(colours.astype(np.float64) / 255)
    if options.voxel is not None:
        cloud = cloud.voxel_down_sample(options.voxel)
    if options.clean:
        cloud, _ = cloud.remove_statistical_outlier(_NEIGHBOURS, _DEVIATIONS)
    levels = np.rint(np.asarray(cloud.colors) * 255).astype(np.uint8)
    return np.asarray(cloud.points).astype(np.float32), levels
