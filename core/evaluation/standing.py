"""Something put on a level surface of a rendered place, and a rigid motion after which it still stands there."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int32

from core.maths.camera import pixel_rays
from core.maths.raycast import BALL, BOX, CYLINDER, NOTHING, Rendered
from core.maths.rigid import about_point, axis_rotation, pose, transform
from core.training.places import Seen
from core.training.solids import Place, add_cabinet, add_chair, add_figure, add_lamp, add_plant, add_vessel
from core.types.camera import Intrinsics, Pose

Matrices = Float64[np.ndarray, "N 4 4"]
Points = Float64[np.ndarray, "M 3"]

# A point of a unit solid and its neighbours at every side: corners, edges, faces, middle.
_GRID = np.stack(np.meshgrid(*[(-1.0, 0.0, 1.0)] * 3), axis=-1).reshape(-1, 3)
_ON_TOP = 1e-3
_WITHIN_TOP = 0.97
_SMALL = 0.6
_TALLEST = 2.4
# Shares of the picture's height at the object's distance.
_HEIGHTS = 0.2, 0.65
_DISTANCES = 0.35, 14.0
_SLIDES = 0.3, 1.2
_TURNS_DEG = 8.0, 30.0
_KINDS = ("slide", "turn", "both")
_KIND_SHARES = (0.4, 0.2, 0.4)


@dataclass(frozen=True, eq=False)
class Standing:
    """`seen` with an object whose solids are the last ones from `first` on; it stands on the solid `support`."""

    seen: Seen
    first: int
    support: int
    world_motion: Pose


def stand_object(random: np.random.Generator, seen: Seen, background: Rendered, camera: Intrinsics) -> Standing | None:
    """One try at a level place of the rendered `background`: an object there, where it fits before and after.

    Adds the object's solids to `seen.scene`, or none when it returns None.
    """
    scene, first = seen.scene, len(seen.scene.kinds)
    level, points = level_pixels(seen, background, camera)
    if not level.any():
        return None
    rows, columns = np.nonzero(level)
    number = int(random.integers(rows.size))
    at = points[rows[number], columns[number]]
    z = float(background.depth[rows[number], columns[number]])
    height = z * float(random.uniform(*_HEIGHTS)) * camera.height / camera.fy
    if height > _TALLEST:
        return None
    scene.next_thing()
    place = Place(float(at[0]), float(at[2]), float(at[1]), float(random.uniform(0, 2 * np.pi)))
    _add_something(seen, place, height)
    motion = _motion(random, at, _outline(seen, first))
    support = int(background.solid[rows[number], columns[number]])
    if _fits(seen, first, support, motion):
        return Standing(seen, first, support, motion)
    scene.without([number < first for number in range(len(scene.kinds))])
    return None


def level_pixels(
    seen: Seen, drawn: Rendered, camera: Intrinsics
) -> tuple[Bool[np.ndarray, "H W"], Float64[np.ndarray, "H W 3"]]:
    """Where something may be put: tops of boxes at a fitting distance, off the frame's rim; and all world points."""
    world_from_camera = np.linalg.inv(seen.camera_from_world)
    points = transform(world_from_camera, pixel_rays(camera) * drawn.depth[..., None].astype(np.float64))
    local_from_world = np.linalg.inv(np.stack(seen.scene.world_from_local))
    kinds = np.array(seen.scene.kinds)
    met = drawn.solid != NOTHING
    local = np.einsum("nij,nj->ni", local_from_world[drawn.solid[met]][:, :3, :3], points[met])
    local += local_from_world[drawn.solid[met]][:, :3, 3]
    level = np.zeros(met.shape, bool)
    level[met] = (kinds[drawn.solid[met]] == BOX) & (np.abs(local[:, 1] + 1) < _ON_TOP)
    level &= (drawn.depth > _DISTANCES[0]) & (drawn.depth < _DISTANCES[1])
    rim = round(0.12 * camera.width)
    level[:rim] = level[-rim // 2 :] = level[:, :rim] = level[:, -rim:] = False
    return level, points


def _add_something(seen: Seen, place: Place, height: float) -> None:
    scene, random = seen.scene, seen.scene.random
    if height < _SMALL:
        add_vessel(scene, place, height)
        return
    kind = int(random.integers(5))
    if kind == 0:
        add_figure(scene, place, height)
    elif kind == 1:
        add_cabinet(scene, place, (random.uniform(0.4, 0.9) * height, height, random.uniform(0.3, 0.6) * height))
    elif kind == 2:
        add_plant(scene, place, height)
    elif kind == 3:
        add_lamp(scene, place, height)
    else:
        add_chair(scene, place)


def _motion(random: np.random.Generator, foot: Float64[np.ndarray, "3"], outline: Points) -> Pose:
    """A turn about the upright through the foot, then a slide, both in world axes."""
    kind = _KINDS[int(random.choice(len(_KINDS), p=_KIND_SHARES))]
    turn = np.radians(random.uniform(*_TURNS_DEG)) * random.choice((-1, 1)) if kind != "slide" else 0.0
    turned = about_point(axis_rotation((0, 1, 0), float(turn)), foot)
    size = float(np.ptp(outline, axis=0).max())
    far = size * random.uniform(*_SLIDES) if kind != "turn" else 0.0
    angle = random.uniform(0, 2 * np.pi)
    slide = np.array([np.cos(angle), 0.0, np.sin(angle)]) * far
    return pose(turned.rotation, turned.translation + slide)


def _fits(seen: Seen, first: int, support: int, motion: Pose) -> bool:
    """Whether it stands wholly on its support and runs into nothing, before and after."""
    outline = _outline(seen, first)
    matrices, kinds = np.stack(seen.scene.world_from_local), np.array(seen.scene.kinds, np.int32)
    top = transform(matrices[support], np.array([0.0, -1.0, 0.0]))[1]
    above = float(top) - 0.05 * np.ptp(outline[:, 1])
    around = surface_points(matrices[:first], kinds[:first])
    for moved in (np.eye(4), motion.matrix):
        landed = transform(moved, outline)
        footprint = np.where([False, True, False], top, landed)
        inside = transform(np.linalg.inv(matrices[support]), footprint)[:, [0, 2]]
        if (np.abs(inside) > _WITHIN_TOP).any():
            return False
        if any_inside(landed[landed[:, 1] < above], matrices[:first], kinds[:first]):
            return False
        if any_inside(around[around[:, 1] < above], moved @ matrices[first:], kinds[first:]):
            return False
    return True


def _outline(seen: Seen, first: int) -> Points:
    return surface_points(np.stack(seen.scene.world_from_local)[first:], np.array(seen.scene.kinds, np.int32)[first:])


def surface_points(matrices: Matrices, kinds: Int32[np.ndarray, "N"]) -> Points:
    """27 points on and in each solid."""
    across = np.linalg.norm(_GRID[:, [0, 2]], axis=1, keepdims=True)
    lengths = np.linalg.norm(_GRID, axis=1, keepdims=True)
    round_ones = np.where([True, False, True], _GRID / np.maximum(across, 1), _GRID)
    shapes = {BOX: _GRID, CYLINDER: round_ones, BALL: _GRID / np.maximum(lengths, 1)}
    return np.concatenate([transform(matrix, shapes[int(kind)]) for matrix, kind in zip(matrices, kinds, strict=True)])


def any_inside(points: Float[np.ndarray, "M 3"], matrices: Matrices, kinds: Int32[np.ndarray, "N"]) -> bool:
    """Whether a point lies in one of the solids."""
    for matrix, kind in zip(np.linalg.inv(matrices), kinds, strict=True):
        x, y, z = transform(matrix, points).T
        if kind == BOX:
            met = (np.abs(x) < 1) & (np.abs(y) < 1) & (np.abs(z) < 1)
        elif kind == CYLINDER:
            met = (x * x + z * z < 1) & (np.abs(y) < 1)
        else:
            met = x * x + y * y + z * z < 1
        if met.any():
            return True
    return False
