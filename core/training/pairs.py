"""Source and target pictures with the flow between them, from one photo or from two frames.

A pair made of one photo has the photo as *target*: the source is synthetic, so that what the network learns to paint
is always real. Flow goes from source to target in pixels of the squares; NaN where it is not known.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8
from scipy.ndimage import distance_transform_edt

from core.maths.flow import flow_of_grid, moved_grid, visible_in_target
from core.maths.optical_flow import OpticalFlow, agreeing
from core.maths.raster import InverseMap, rasterise_grid, surface_links
from core.maths.rigid import axis_rotation, invert, pose
from core.training.config import PairSettings
from core.training.crops import Square
from core.types.camera import Pose

_INPAINT_PIXELS = 3
# A pair of frames of which less than this share moves plausibly shows two places.
_LEAST_AGREEMENT = 0.6
OBJECT_AREA = (0.02, 0.35)
_OBJECT_TRIES = 4
# Where nobody said whether an object is.
_NOT_TOLD = 255


@dataclass(frozen=True, eq=False)
class Pair:
    """`uncovered` are pixels of the target that no source pixel explains. `camera_0_from_1` is None when unknown."""

    source: UInt8[np.ndarray, "S S 3"]
    target: UInt8[np.ndarray, "S S 3"]
    flow: Float32[np.ndarray, "S S 2"]
    uncovered: Bool[np.ndarray, "S S"]
    camera_0_from_1: Float64[np.ndarray, "4 4"] | None


def draw_motion(settings: PairSettings, random: np.random.Generator) -> Pose:
    """How the second camera sees the first one's points: mostly small, often without turning."""
    length = settings.longest_translation * random.uniform() ** 1.5
    if random.random() < settings.in_plane_share:
        angle = random.uniform(0, 2 * np.pi)
        return pose(np.eye(3), length * np.array([np.cos(angle), np.sin(angle), 0.0]))
    direction = random.normal(size=3)
    direction /= np.linalg.norm(direction)
    axis = random.normal(size=3) * (0.6, 1.0, 0.3)
    angle = np.radians(settings.largest_rotation_deg) * random.uniform() ** 1.5
    return pose(axis_rotation(tuple(axis), angle), length * direction)


def warp_pair(real: Square, source_from_target: Pose) -> Pair:
    """The photo as target and its view from elsewhere, by its depth, as source."""
    assert real.inverse_depth is not None
    side = len(real.picture)
    grid = moved_grid(real.inverse_depth, real.intrinsics, real.intrinsics, source_from_target.matrix)
    links = surface_links(real.inverse_depth, np.ones((side, side), bool))
    drawn = rasterise_grid(*grid, links, side, side)
    source = _sampled(real.picture, drawn)
    flow = np.stack([drawn.x, drawn.y], axis=-1) - _pixels(side)
    seen = visible_in_target(grid, drawn.inverse_depth)
    return Pair(source, real.picture, flow, ~seen, source_from_target.matrix.copy())


def object_pair(real: Square, random: np.random.Generator) -> Pair:
    """The photo as target; in the source a part of it stands elsewhere, over what the target shows there."""
    side = len(real.picture)
    mask = _object_mask(real, random)
    # The larger a move, the more must be painted; shrinking what comes nearer is as in an edit.
    scale = float(np.exp(random.normal(0, 0.15)))
    shift = random.normal(0, 0.18 * side, 2)
    ys, xs = np.nonzero(mask)
    centre = np.array([xs.mean(), ys.mean()])
    source_from_target = np.hstack([scale * np.eye(2), (centre * (1 - scale) + shift)[:, None]])
    there = cv2.warpAffine(mask.astype(np.uint8), source_from_target, (side, side), flags=cv2.INTER_NEAREST) > 0
    moved = cv2.warpAffine(real.picture, source_from_target, (side, side), flags=cv2.INTER_LINEAR)
    background = cv2.inpaint(
        real.picture, cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)), _INPAINT_PIXELS, cv2.INPAINT_TELEA
    )
    source = np.where(there[..., None], moved, background)
    pixels = _pixels(side)
    landing = (pixels - source_from_target[:, 2].astype(np.float32)) / np.float32(scale)
    flow = np.where(there[..., None], landing - pixels, np.float32(0)).astype(np.float32)
    return Pair(source, real.picture, flow, there & ~mask, None)


def frame_pair(first: Square, second: Square, second_from_first: Pose | None, optical_flow: OpticalFlow) -> Pair | None:
    """Two real frames: flow from depth and poses where both are known, else from the pictures.

    None when too little of the flow is plausible.
    """
    if second_from_first is not None and first.inverse_depth is not None:
        return _posed_pair(first, second, second_from_first)
    forward = optical_flow(first.picture, second.picture)
    backward = optical_flow(second.picture, first.picture)
    trusted = agreeing(forward, backward)
    if trusted.mean() < _LEAST_AGREEMENT:
        return None
    flow = np.where(trusted[..., None], forward, np.float32(np.nan))
    return Pair(first.picture, second.picture, flow, ~agreeing(backward, forward), None)


def moved_camera_flow(first: Square, second_from_first: Pose) -> Float32[np.ndarray, "S S 2"]:
    """Flow of every pixel by its depth; NaN for what comes to lie behind the camera."""
    assert first.inverse_depth is not None
    return flow_of_grid(moved_grid(first.inverse_depth, first.intrinsics, first.intrinsics, second_from_first.matrix))


def without_gaps(flow: Float32[np.ndarray, "S S 2"]) -> Float32[np.ndarray, "S S 2"]:
    """NaN replaced by the nearest known flow, zero when there is none."""
    unknown = ~np.isfinite(flow).all(axis=-1)
    if not unknown.any():
        return flow
    if unknown.all():
        return np.zeros_like(flow)
    nearest = distance_transform_edt(unknown, return_distances=False, return_indices=True)
    rows, columns = np.asarray(nearest)
    return flow[rows, columns]


def _posed_pair(first: Square, second: Square, second_from_first: Pose) -> Pair:
    assert first.inverse_depth is not None
    side = len(first.picture)
    grid = moved_grid(first.inverse_depth, first.intrinsics, second.intrinsics, second_from_first.matrix)
    links = surface_links(first.inverse_depth, np.ones((side, side), bool))
    drawn = rasterise_grid(*grid, links, side, side)
    camera_0_from_1 = invert(second_from_first).matrix.copy()
    return Pair(first.picture, second.picture, flow_of_grid(grid), ~drawn.covered, camera_0_from_1)


def _sampled(picture: UInt8[np.ndarray, "S S 3"], drawn: InverseMap) -> UInt8[np.ndarray, "S S 3"]:
    """The picture through an inverse map; what it does not reach is smeared in from around."""
    warped = cv2.remap(picture, drawn.x, drawn.y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    holes = (~drawn.covered).astype(np.uint8)
    if holes.all():
        return picture
    return cv2.inpaint(warped, holes, _INPAINT_PIXELS, cv2.INPAINT_TELEA) if holes.any() else warped


def _object_mask(real: Square, random: np.random.Generator) -> Bool[np.ndarray, "S S"]:
    """An outlined object, else something that stands before the rest by its depth, else an ellipse."""
    side = len(real.picture)
    if (outlined := _outlined(real, random)) is not None:
        return outlined
    for _ in range(_OBJECT_TRIES if real.inverse_depth is not None else 0):
        assert real.inverse_depth is not None
        near = real.inverse_depth > np.quantile(real.inverse_depth, random.uniform(0.5, 0.95))
        count, labels = cv2.connectedComponents(cv2.morphologyEx(near.astype(np.uint8), cv2.MORPH_OPEN, _CROSS))
        part = labels == random.integers(1, max(count, 2))
        if OBJECT_AREA[0] < part.mean() < OBJECT_AREA[1]:
            return part
    axes = random.uniform(0.08, 0.28, 2) * side
    centre = random.uniform(0.15, 0.85, 2) * side
    mask = np.zeros((side, side), np.uint8)
    box = (centre.tolist(), (2 * axes).tolist(), float(random.uniform(0, 180)))
    return cv2.ellipse(mask, box, 1, -1) > 0


def _outlined(real: Square, random: np.random.Generator) -> Bool[np.ndarray, "S S"] | None:
    """One of the objects that someone outlined, if any has a fitting size."""
    if real.objects is None:
        return None
    shares = np.bincount(real.objects.reshape(-1), minlength=_NOT_TOLD + 1)[1:_NOT_TOLD] / real.objects.size
    fitting = 1 + np.flatnonzero((shares > OBJECT_AREA[0]) & (shares < OBJECT_AREA[1]))
    return real.objects == random.choice(fitting) if len(fitting) else None


_CROSS = np.ones((3, 3), np.uint8)


def _pixels(side: int) -> Float32[np.ndarray, "S S 2"]:
    y, x = np.mgrid[:side, :side].astype(np.float32)
    return np.stack([x, y], axis=-1)
