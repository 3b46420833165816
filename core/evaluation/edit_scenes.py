"""Our own cases in the format of 3DEditBench: rendered places in which one object moved, everything known exactly."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64

from core.errors import InvalidInput
from core.evaluation.standing import Standing, stand_object
from core.maths.camera import intrinsics_from_fov, project, unproject
from core.maths.clicks import deepest_point, distance_inside
from core.maths.mask import overlap
from core.maths.raycast import Rendered, Solids, render_solids, texture_levels
from core.maths.rigid import transform
from core.training.places import Seen, draw_place
from core.training.solids import CALM_TEXTURES
from core.training.synthetic import Levels, draw_sky
from core.training.textures import calm_textures, made_textures
from core.types.camera import Intrinsics, Pose
from core.types.edit_case import EditCase

SIDE = 1024
_COARSE = 128
_MADE_TEXTURES = 96
# Textures have a quarter of the picture's side, but no less than this.
_LEAST_TEXTURE = 32
_PLACES, _TRIES = 60, 25
# Rooms, tables, streets, open land. A kind is chosen first: not every place of it has room for an object.
_KIND_SHARES = (0.3, 0.5, 0.1, 0.1)
_POINTS = 12
_CANDIDATES = 3000
# Shares of the picture that the object may take, and of the object that must be seen before and after.
_AREAS = 0.02, 0.25
_SEEN = 0.92, 0.8
# A lamp that turns about itself changes nothing: the outlines before and after must differ this much.
_LARGEST_OVERLAP = 0.9
# A point counts as the same where the depth agrees to this share.
_SAME = 0.01


@dataclass(frozen=True, eq=False)
class _Studio:
    """What every picture of a case is taken with."""

    camera: Intrinsics
    textures: Levels
    sky: Float32[np.ndarray, "H W 3"]


def edit_cases(seed: int, count: int, side: int = SIDE, shadows: bool = True) -> Iterator[EditCase]:
    """`count` cases of `side` x `side` pixels, each a function of the seed and its number.

    Raises InvalidInput when no object finds a place, for a negative seed or for a count below 1.
    """
    if seed < 0 or count < 1 or side < _COARSE // 2:
        raise InvalidInput(
            f"Cases need a seed of at least 0, a count of at least 1 and {_COARSE // 2} pixels a side; "
            f"got {seed}, {count} and {side}."
        )
    textures = set_textures(seed, side)
    for number in range(count):
        yield edit_case(seed, number, textures, side, shadows)


def set_textures(seed: int, side: int = SIDE) -> Levels:
    """The textures that all cases of a seed share, made and not photographed, for pictures of that side."""
    random = np.random.default_rng([seed, 0])
    texture_side = max(_LEAST_TEXTURE, 2 ** int(np.log2(side / 4)))
    parts = calm_textures(random, CALM_TEXTURES, texture_side), made_textures(random, _MADE_TEXTURES, texture_side)
    return texture_levels(np.concatenate(parts))


def edit_case(seed: int, number: int, textures: Levels, side: int = SIDE, shadows: bool = True) -> EditCase:
    """One case. Raises InvalidInput when no object finds a place."""
    kind = int(np.random.default_rng([seed, 1, number]).choice(len(_KIND_SHARES), p=_KIND_SHARES))
    shares = tuple(np.eye(len(_KIND_SHARES))[kind].tolist())
    for attempt in range(_PLACES):
        random = np.random.default_rng([seed, 2, number, attempt])
        seen = draw_place(random, len(textures[0]), shares)
        seen = replace(seen, light=replace(seen.light, shadows=shadows))
        standing = _tried(random, seen, textures)
        if standing is None:
            continue
        camera = intrinsics_from_fov(seen.field_of_view_deg, side, side)
        studio = _Studio(camera, textures, draw_sky(random, side, side, seen.light.haze))
        case = _photographed(random, standing, studio, f"case-{number:03}.hdf5")
        if case is not None:
            return case
    raise InvalidInput(f"No object found a place in case {number} of seed {seed}; use another seed.")


def _tried(random: np.random.Generator, seen: Seen, textures: Levels) -> Standing | None:
    """An object that is large enough in the picture and hardly hidden, before and after."""
    camera = intrinsics_from_fov(seen.field_of_view_deg, _COARSE, _COARSE)
    studio = _Studio(camera, textures, np.zeros((_COARSE, _COARSE, 3), np.float32))
    first = len(seen.scene.kinds)
    background = _drawn(seen, studio, slice(None))
    for _ in range(_TRIES):
        standing = stand_object(random, seen, background, camera)
        if standing is None:
            continue
        if _is_well_seen(standing, studio):
            return standing
        seen.scene.without([number < first for number in range(len(seen.scene.kinds))])
    return None


def _is_well_seen(standing: Standing, studio: _Studio) -> bool:
    seen, first = standing.seen, standing.first
    outlines = []
    for motion, share in zip((None, standing), _SEEN, strict=True):
        alone = _drawn(seen, studio, slice(first, None), motion).depth > 0
        if not _AREAS[0] <= alone.mean() <= _AREAS[1] or (alone & ~_off_the_rim(alone.shape)).any():
            return False
        outlines.append(_drawn(seen, studio, slice(None), motion).solid >= first)
        if outlines[-1].sum() < share * alone.sum():
            return False
    return overlap(*outlines) < _LARGEST_OVERLAP


def _off_the_rim(shape: tuple[int, ...]) -> Bool[np.ndarray, "H W"]:
    inner = np.zeros(shape, bool)
    inner[2:-2, 2:-2] = True
    return inner


def _drawn(seen: Seen, studio: _Studio, which: slice, moved: Standing | None = None) -> Rendered:
    """The place with some of its solids, `moved` ones after their motion."""
    solids = seen.scene.solids(seen.camera_from_world)
    matrices = solids.camera_from_local.copy()
    if moved is not None:
        matrices[moved.first :] = _camera_motion(moved).matrix @ matrices[moved.first :]
    chosen = Solids(
        solids.kind[which], matrices[which], solids.texture[which], solids.repeats[which], solids.tint[which],
        solids.gloss[which],
    )  # fmt: skip
    return render_solids(chosen, studio.camera, seen.light, studio.textures, studio.sky)


def _camera_motion(standing: Standing) -> Pose:
    camera_from_world = standing.seen.camera_from_world
    return Pose(camera_from_world @ standing.world_motion.matrix @ np.linalg.inv(camera_from_world))


def _photographed(random: np.random.Generator, standing: Standing, studio: _Studio, name: str) -> EditCase | None:
    """All pictures at full size; None when too few points of the object are seen twice."""
    seen, first, camera = standing.seen, standing.first, studio.camera
    before = _drawn(seen, studio, slice(None))
    after = _drawn(seen, studio, slice(None), standing)
    background = _drawn(seen, studio, slice(0, first))
    motion = _camera_motion(standing)
    mask, mask_after = before.solid >= first, after.solid >= first
    points = _points_seen_twice(random, mask, before, (after, mask_after), motion, camera)
    ground = _ground_points(before.solid == standing.support, before, seen, camera)
    if points is None or ground is None:
        return None
    landed = project(camera, transform(motion.matrix, _lifted(points, before, camera)))
    x, y = deepest_point(mask)
    return EditCase(
        name, before.picture, after.picture, camera, motion, points, landed, ground, (float(x), float(y)), mask,
        before.depth, background.picture, mask_after,
    )  # fmt: skip


def _lifted(pixels: Float64[np.ndarray, "N 2"], drawn: Rendered, camera: Intrinsics) -> Float64[np.ndarray, "N 3"]:
    columns, rows = pixels.astype(np.intp).T
    return unproject(camera, pixels, drawn.depth[rows, columns])


def _points_seen_twice(
    random: np.random.Generator,
    mask: Bool[np.ndarray, "H W"],
    before: Rendered,
    after: tuple[Rendered, Bool[np.ndarray, "H W"]],
    motion: Pose,
    camera: Intrinsics,
) -> Float64[np.ndarray, "N 2"] | None:
    """Whole pixels of the object, off its outline and far from each other, that the second picture shows too."""
    rows, columns = np.nonzero(distance_inside(mask) > 1 + 0.003 * camera.width)
    chosen = random.permutation(rows.size)[:_CANDIDATES]
    pixels = np.stack([columns[chosen], rows[chosen]], axis=1).astype(np.float64)
    moved = transform(motion.matrix, _lifted(pixels, before, camera))
    landed = np.rint(project(camera, moved))
    inside = ((landed >= 0) & (landed < (camera.width, camera.height))).all(axis=1)
    pixels, moved, landed = pixels[inside], moved[inside], landed[inside].astype(np.intp)
    at = landed[:, 1], landed[:, 0]
    drawn, mask_after = after
    same = mask_after[at] & (np.abs(drawn.depth[at] - moved[:, 2]) < _SAME * moved[:, 2])
    return _spread(pixels[same], _POINTS) if same.sum() >= _POINTS else None


def _spread(pixels: Float64[np.ndarray, "N 2"], count: int) -> Float64[np.ndarray, "_ 2"]:
    """The first and then always the one farthest from those taken."""
    taken = [0]
    apart = np.linalg.norm(pixels - pixels[0], axis=1)
    while len(taken) < count:
        taken.append(int(apart.argmax()))
        apart = np.minimum(apart, np.linalg.norm(pixels - pixels[taken[-1]], axis=1))
    return pixels[taken]


def _ground_points(
    ground: Bool[np.ndarray, "H W"], drawn: Rendered, seen: Seen, camera: Intrinsics
) -> Float64[np.ndarray, "3 2"] | None:
    """Three pixels of the support, counter-clockwise seen from above; None where it is hardly seen."""
    rows, columns = np.nonzero(ground)
    if rows.size < _POINTS:
        return None
    pixels = np.stack([columns, rows], axis=1).astype(np.float64)
    middle = np.linalg.norm(pixels - pixels.mean(axis=0), axis=1)
    three = _spread(pixels[np.argsort(-middle, kind="stable")][:: max(1, rows.size // _CANDIDATES)], 3)
    one, two, last = _lifted(three, drawn, camera)
    up = seen.camera_from_world[:3, :3] @ (0.0, -1.0, 0.0)
    return three if np.cross(last - two, one - two) @ up > 0 else three[::-1].copy()
