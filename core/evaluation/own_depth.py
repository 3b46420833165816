"""A benchmark pair seen with estimated in place of measured depth: what an estimate is worth to pictures."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from core.editing.apply import apply
from core.evaluation.warp_bench import Pair
from core.maths.camera import project, resized, unproject
from core.maths.depth import relative_from_affine
from core.types.camera import Camera, Intrinsics
from core.types.depth import DepthEstimate, DepthMap
from core.types.edits import SetDepth
from core.types.photo import Photo
from core.types.project import Project
from core.types.protocols import CancelToken, DepthBackend

_MOST_POINTS = 20_000
# Factors tried around the ratio of medians, a fortieth of an octave apart.
_OCTAVES = 3.0
_FACTORS = 241


def with_own_depth(pair: Pair, backend: DepthBackend) -> Pair:
    """The pair with the back-end's depth, scaled so that its flow is nearest to that of measured depth.

    One factor a pair, as in the paper's Table 4; a camera's path has no scale of its own.
    """
    start = pair.project
    source = start.scene.source_intrinsics
    estimate = estimated(start.photo, source, backend)
    scaled = scaled_by(estimate, fitted_factor(start, estimate.depth))
    return replace(pair, project=apply(start, SetDepth(scaled.depth, source, scaled.ground)), depth=backend.info.name)


def estimated(photo: Photo, intrinsics: Intrinsics, backend: DepthBackend) -> DepthEstimate:
    """The back-end's depth, usable in a scene."""
    estimate = backend.estimate(photo, intrinsics, CancelToken())
    depth = estimate.depth
    return replace(estimate, depth=relative_from_affine(depth)) if depth.scale == "affine" else estimate


def scaled_by(estimate: DepthEstimate, factor: float) -> DepthEstimate:
    """The same scene `factor` times as large, in metres then."""
    depth = estimate.depth.changed(estimate.depth.values * np.float32(factor), "metric")
    ground = estimate.ground
    ground = None if ground is None else replace(ground, height=ground.height * factor)
    return replace(estimate, depth=depth, ground=ground, layout=None)


def fitted_factor(measured: Project, depth: DepthMap) -> float:
    """What to multiply `depth` by, so that the camera's move makes the same flow as with the project's depth.

    Least mean distance of flow, over a search around the ratio of medians.
    """
    pixels, truth = _measured_points(measured)
    rows = (pixels[:, 1] + 0.5) * depth.height / measured.depth.height
    columns = (pixels[:, 0] + 0.5) * depth.width / measured.depth.width
    at = rows.astype(np.intp).clip(0, depth.height - 1), columns.astype(np.intp).clip(0, depth.width - 1)
    known = depth.valid[at]
    pixels, truth, made = pixels[known], truth[known], depth.values[at][known].astype(np.float64)
    wanted = _landed(measured, pixels, truth)
    middle = float(np.median(truth) / np.median(made))
    factors = middle * 2.0 ** np.linspace(-_OCTAVES, _OCTAVES, _FACTORS)
    errors = [_distance(_landed(measured, pixels, factor * made), wanted) for factor in factors]
    return float(factors[int(np.argmin(errors))])


def _measured_points(measured: Project) -> tuple[Float64[np.ndarray, "N 2"], Float64[np.ndarray, "N"]]:
    rows, columns = np.nonzero(measured.depth.valid)
    step = max(1, rows.size // _MOST_POINTS)
    rows, columns = rows[::step], columns[::step]
    pixels = np.stack([columns, rows], axis=1).astype(np.float64)
    return pixels, measured.depth.values[rows, columns].astype(np.float64)


def _landed(
    measured: Project, pixels: Float64[np.ndarray, "N 2"], depth: Float64[np.ndarray, "N"]
) -> Float64[np.ndarray, "N 2"]:
    """Where the second camera sees points of the photo."""
    scene, size = measured.scene, measured.depth
    points = unproject(resized(scene.source_intrinsics, size.width, size.height), pixels, depth)
    camera: Camera = scene.camera
    moved = points @ camera.camera_from_world.matrix[:3, :3].T + camera.camera_from_world.matrix[:3, 3]
    return project(camera.intrinsics, moved)


def _distance(first: Float64[np.ndarray, "N 2"], second: Float64[np.ndarray, "N 2"]) -> float:
    """The mean over points that both have before the camera; infinite when fewer than half are."""
    apart = np.linalg.norm(first - second, axis=1)
    there = np.isfinite(apart)
    return float(apart[there].mean()) if there.mean() > 0.5 else float("inf")
