"""Pairs of rendered places whose flow, light and shadows are exact: a thing moves, or the camera does."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from core.maths.camera import intrinsics_from_fov, pixel_rays, project
from core.maths.raycast import NOTHING, Light, Rendered, render_solids
from core.maths.rigid import about_point, axis_rotation, pose, transform
from core.training.config import PairSettings
from core.training.pairs import OBJECT_AREA, Pair, draw_motion
from core.training.places import Seen, draw_place
from core.training.synthetic import Levels, draw_sky
from core.types.camera import Intrinsics

_CAMERA_SHARE = 0.5
# How far a thing is moved along the ground, as a share of its distance, and turned.
_SLIDES = 0.05, 0.35
_TURN_DEG = 20.0
# The quantile of depth by which a camera's move is measured.
_NEAR = 0.2
# A point is the same where the depths around it agree to this share.
_SAME = 0.02

Motions = Float64[np.ndarray, "N 4 4"]


@dataclass(frozen=True, eq=False)
class _Moved:
    """How every solid's points go from the first camera's axes to the second one's; `light` is in the second one's."""

    camera_1_from_0: Motions
    light: Light
    camera_0_from_1: Float64[np.ndarray, "4 4"] | None


def rendered_pair(random: np.random.Generator, settings: PairSettings, textures: Levels, side: int) -> Pair:
    """A place by chance, twice; `textures` comes from `place_textures`."""
    seen = draw_place(random, len(textures[0]))
    camera = intrinsics_from_fov(seen.field_of_view_deg, side, side)
    sky = draw_sky(random, side, side, seen.light.haze)
    solids = seen.scene.solids(seen.camera_from_world)
    first = render_solids(solids, camera, seen.light, textures, sky)
    thing = None if random.random() < _CAMERA_SHARE else _fitting_thing(random, seen, first)
    moved = _moved_camera(random, settings, seen, first) if thing is None else _moved_thing(random, seen, first, thing)
    there = replace(solids, camera_from_local=moved.camera_1_from_0 @ solids.camera_from_local)
    second = render_solids(there, camera, moved.light, textures, sky)
    flow, _ = _landing(first, camera, moved.camera_1_from_0)
    return Pair(first.picture, second.picture, flow, _uncovered(first, second, camera, moved), moved.camera_0_from_1)


def _moved_camera(random: np.random.Generator, settings: PairSettings, seen: Seen, first: Rendered) -> _Moved:
    """By a share of the distance of what is near; turned only where no sky would have to turn as well."""
    drawn = draw_motion(settings, random)
    met = first.solid != NOTHING
    distance = float(np.quantile(first.depth[met], _NEAR)) if met.any() else 1.0
    rotation = drawn.matrix[:3, :3] if met.all() else np.eye(3)
    motion = pose(rotation, distance * drawn.matrix[:3, 3])
    x, y, z = transform(motion.matrix, np.array([seen.light.position], np.float64))[0]
    light = replace(seen.light, position=(float(x), float(y), float(z)))
    every = np.broadcast_to(motion.matrix, (len(seen.scene.kinds), 4, 4))
    return _Moved(every, light, np.linalg.inv(motion.matrix))


def _fitting_thing(random: np.random.Generator, seen: Seen, first: Rendered) -> int | None:
    """A thing that takes as much of the picture as moved objects do; None when there is none."""
    things = np.append(np.array(seen.scene.things), NOTHING)[first.solid]
    numbers, counts = np.unique(things[things != NOTHING], return_counts=True)
    shares = counts / things.size
    fitting = numbers[(shares > OBJECT_AREA[0]) & (shares < OBJECT_AREA[1])]
    return int(random.choice(fitting)) if len(fitting) else None


def _moved_thing(random: np.random.Generator, seen: Seen, first: Rendered, thing: int) -> _Moved:
    """Slid over the ground and turned about the upright; what stands in its way is no hindrance."""
    own = np.array(seen.scene.things) == thing
    middle = np.stack(seen.scene.world_from_local)[own, :3, 3].mean(axis=0)
    angle, turn = random.uniform(0, 2 * np.pi), np.radians(random.normal(0, _TURN_DEG))
    distance = float(np.median(first.depth[own[first.solid] & (first.solid != NOTHING)]))
    length = distance * random.uniform(*_SLIDES)
    slide = (length * float(np.cos(angle)), 0.0, length * float(np.sin(angle)))
    turned = about_point(axis_rotation((0.0, 1.0, 0.0), turn), middle)
    world_motion = pose(np.eye(3), slide).matrix @ turned.matrix
    motion = seen.camera_from_world @ world_motion @ np.linalg.inv(seen.camera_from_world)
    return _Moved(np.where(own[:, None, None], motion, np.eye(4)), seen.light, None)


def _landing(
    drawn: Rendered, camera: Intrinsics, motions: Motions
) -> tuple[Float32[np.ndarray, "S S 2"], Float64[np.ndarray, "S S"]]:
    """Flow of every pixel by its solid's motion and the depth it lands with: NaN behind the camera; sky stays."""
    points = pixel_rays(camera) * drawn.depth[..., None]
    every = np.concatenate([motions, np.eye(4)[None]])[drawn.solid]
    moved = np.einsum("hwij,hwj->hwi", every[..., :3, :3], points) + every[..., :3, 3]
    rows, columns = np.mgrid[: camera.height, : camera.width]
    met = drawn.solid != NOTHING
    flow = np.zeros((camera.height, camera.width, 2), np.float32)
    flow[met] = project(camera, moved[met]) - np.stack([columns, rows], -1)[met]
    return flow, moved[..., 2]


def _uncovered(first: Rendered, second: Rendered, camera: Intrinsics, moved: _Moved) -> Bool[np.ndarray, "S S"]:
    """Pixels of the second picture whose point the first one does not show."""
    back, z = _landing(second, camera, np.linalg.inv(moved.camera_1_from_0))
    rows, columns = np.mgrid[: camera.height, : camera.width]
    at = np.nan_to_num(np.rint(back + np.stack([columns, rows], -1)), nan=-1).astype(np.intp)
    x, y = at[..., 0], at[..., 1]
    inside = (x >= 0) & (x < camera.width) & (y >= 0) & (y < camera.height)
    x, y = np.where(inside, x, 0), np.where(inside, y, 0)
    is_same = first.solid[y, x] == second.solid
    block = np.ones((3, 3), np.uint8)
    nearest, farthest = cv2.erode(first.depth, block)[y, x], cv2.dilate(first.depth, block)[y, x]
    is_there = (z >= (1 - _SAME) * nearest) & (z <= (1 + _SAME) * farthest)
    return ~(inside & is_same & is_there)
