"""The rigid-motion recipe against recorded maps of the public implementation."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from core.lras.checks import Check, exact, within
from core.lras.config import RGB_FLOW_7B
from core.lras.flow_patches import (
    FlowGrid,
    choose_patches,
    edited_boxes,
    min_pool,
    moving_cells,
    reduced_boxes,
    released_grid,
)
from core.lras.layout import flow_to_bins
from core.lras.object_motion import (
    Depth,
    Displacement,
    MaskPixels,
    Projection,
    displacement,
    kabsch,
    lifted,
    motion_in_camera,
    object_centroid,
    rotation_world,
    world_axes,
)
from core.maths.rigid import pose
from core.types.camera import Intrinsics, Pose

Case = Mapping[str, Any]

_CROP_KEY = "depth_is_crop_rows_"
# The recorded axes are float32, and so is the depth behind the recorded point pairs.
_FLOAT32 = 1e-6
_ROTATION = 1e-12


def check_object_motion(fixture: Case) -> Iterator[Check]:
    """Every entry of a recorded `object_motion.pt`; flooring must agree to the pixel."""
    yield from _small(fixture["case256"])
    case = fixture["case1024"]
    depth, mask = _upsampled(case["depth64"]), _upsampled(case["mask64"])
    intrinsics = _intrinsics(case["K"], depth)
    yield from _large(case, depth, mask, intrinsics)
    yield from _world(fixture["world"], depth, mask, intrinsics)
    yield from _pairs(fixture["kabsch"], depth, intrinsics)


def _small(case: Case) -> Iterator[Check]:
    crop = _crop(case)
    mask = np.asarray(case["mask"])
    depth = np.zeros(mask.shape, np.float32)
    depth[crop] = np.asarray(case["depth"])
    intrinsics = _intrinsics(case["K"], depth)
    moved = displacement(depth, mask, _motion(case["R"], case["T"]), intrinsics, Projection.FLOORED)
    yield exact("case256 flow", _rowcol(moved)[crop], np.asarray(case["flow_rowcol_crop"]))
    yield exact("case256 target mask", moved.target, np.asarray(case["segment_frame1"]))
    still = displacement(depth, mask, Pose(np.eye(4)), intrinsics, Projection.FLOORED)
    # Which still pixels are floored away depends on the machine's last bit; by more than one pixel it never does.
    yield within("case256 identity", _rowcol(still)[crop], np.asarray(case["identity_flow_rowcol_crop"]), 1)


def _large(case: Case, depth: Depth, mask: MaskPixels, intrinsics: Intrinsics) -> Iterator[Check]:
    moved = displacement(depth, mask, _motion(case["R"], case["T"]), intrinsics, Projection.FLOORED)
    dense = _rowcol(moved)
    yield exact("case1024 flow sums", dense.sum((0, 1)), np.asarray(case["dense_sum"]))
    yield exact("case1024 flow absolute sums", np.abs(dense).sum((0, 1)), np.asarray(case["dense_abs_sum"]))
    recorded = np.asarray(case["dense_crop"])
    (top, left), (height, width) = case["dense_crop_origin"], recorded.shape[:2]
    yield exact("case1024 flow crop", dense[top : top + height, left : left + width], recorded)
    yield from _reduced("case1024", case, moved)
    grid = released_grid(moved.flow)[0]
    cells = moving_cells(grid)
    whole, touched = min_pool(cells, 32), ~min_pool(~cells, 32)
    yield exact("case1024 whole patches", whole, np.asarray(case["fg_minpool32"]))
    yield exact("case1024 touched patches", touched, np.asarray(case["fg_maxpool32"]))
    for name, recorded in case["unmask"].items():
        yield _chosen(f"case1024 patches {name}", grid, name, case["np_seed"], recorded)
    boxes = edited_boxes(mask, moved.target)
    for side in (256, 32):
        recorded = np.asarray(case[f"bbox_combined_{side}"])
        yield exact(f"case1024 boxes {side}", reduced_boxes(boxes, side), recorded)
    yield exact("case1024 filled blocks", min_pool(moved.target, 32), np.asarray(case["segment1_32_min_pool"]))


def _world(world: Case, depth: Depth, mask: MaskPixels, intrinsics: Intrinsics) -> Iterator[Check]:
    camera_from_world, world_from_camera = (
        Pose(np.asarray(world[name], np.float64)) for name in ("world_to_cam", "cam_to_world")
    )
    axes = world_axes(np.asarray(world["ground_points_xy"]), depth, intrinsics)
    yield within("world axes", axes.matrix, camera_from_world.matrix, _FLOAT32)
    pivot = object_centroid(depth, mask, intrinsics)
    for name, case in world.items():
        if not isinstance(case, Mapping):
            continue
        elevation, azimuth, tilt = case["elevation_azimuth_tilt"]
        rotation = rotation_world(azimuth, tilt, elevation)
        yield within(f"{name} rotation", rotation, np.asarray(case["R_world"]), _ROTATION)
        motion = motion_in_camera(
            pose(rotation, np.asarray(case["T_world"])), camera_from_world, world_from_camera, pivot
        )
        whole = case["full_segment_map"]
        shown = np.ones_like(mask) if whole else mask
        moved = displacement(depth, shown, motion, intrinsics, Projection.FLOORED_AND_CLIPPED)
        yield from _reduced(name, case, moved)
        counts = "new_200_0" if whole else "new_140_60"
        yield _chosen(f"{name} patches", released_grid(moved.flow)[0], counts, case["np_seed"], case["unmask"])


def _pairs(case: Case, depth: Depth, intrinsics: Intrinsics) -> Iterator[Check]:
    later = depth + np.float32(case["depth1_minus_depth0"])
    before = lifted(np.asarray(case["points0_xy"]), depth, intrinsics)
    motion = kabsch(before, lifted(np.asarray(case["points1_xy"]), later, intrinsics))
    yield within("kabsch rotation", motion.rotation, np.asarray(case["R"]), _FLOAT32)
    yield within("kabsch translation", motion.translation, np.asarray(case["T"]), _FLOAT32)


def _reduced(name: str, case: Case, moved: Displacement) -> Iterator[Check]:
    grid, index = released_grid(moved.flow)
    yield exact(f"{name} flow 64x64", grid[::-1], np.asarray(case["flow64_rowcol"]))
    yield exact(f"{name} pooled pixels", index, np.asarray(case["argmax_index_in_256"]))
    yield exact(f"{name} bins", flow_to_bins(RGB_FLOW_7B, grid), np.asarray(case["codes_xy"]))
    yield exact(f"{name} target pixels", np.asarray(moved.target.sum()), np.asarray(case["segment_frame1_count"]))


def _chosen(name: str, grid: FlowGrid, counts: str, seed: int, recorded: Any) -> Check:
    """`counts` as recorded: method, moving, still, such as new_140_60."""
    method, foreground, background = counts.split("_")
    moving = "all cells" if method == "new" else "any cell"
    # The released draws come from NumPy's legacy generator.
    random = np.random.RandomState(seed)
    return exact(name, choose_patches(grid, int(foreground), int(background), moving, random), np.asarray(recorded))


def _rowcol(moved: Displacement) -> np.ndarray:
    return moved.flow[..., ::-1]


def _upsampled(small: Any) -> np.ndarray:
    factor = 1024 // len(small)
    return np.asarray(small).repeat(factor, axis=0).repeat(factor, axis=1)


def _crop(case: Case) -> tuple[slice, slice]:
    """The window that the depth is recorded for; its bounds are in a key, depth_is_crop_rows_A_B_cols_C_D."""
    key = next(key for key in case if key.startswith(_CROP_KEY))
    rows, columns = key.removeprefix(_CROP_KEY).split("_cols_")
    (top, bottom), (left, right) = (map(int, bounds.split("_")) for bounds in (rows, columns))
    return slice(top, bottom), slice(left, right)


def _intrinsics(k: Any, depth: Depth) -> Intrinsics:
    height, width = depth.shape
    return Intrinsics(float(k[0, 0]), float(k[1, 1]), float(k[0, 2]), float(k[1, 2]), width, height)


def _motion(rotation: Any, translation: Any) -> Pose:
    return pose(np.asarray(rotation), np.asarray(translation))
