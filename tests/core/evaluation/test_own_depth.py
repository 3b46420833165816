"""Estimated depth on benchmark pairs is scaled by its flow, and the right depth makes the right picture."""

from dataclasses import dataclass

import numpy as np
import pytest
from fakes import FlatEngine
from scenes import card_before_wall

from core.editing.apply import apply, new_project
from core.editing.memo import Memo
from core.editing.render import render
from core.evaluation.own_depth import fitted_factor, with_own_depth
from core.evaluation.warp_bench import Pair, score
from core.types.camera import Camera, Intrinsics, Pose
from core.types.depth import DepthEstimate, DepthMap
from core.types.edits import SetCamera
from core.types.photo import Photo
from core.types.protocols import BackendInfo, CancelToken

SCENE = card_before_wall()


@pytest.fixture
def pair() -> Pair:
    pose = np.eye(4)
    pose[:3, 3] = (-0.1, 0.02, 0.03)
    start = new_project(SCENE.photo, SCENE.estimate)
    looking = apply(start, SetCamera(Camera(SCENE.estimate.intrinsics, Pose(pose))))
    (frame,) = render(looking, FlatEngine(), Memo(), stream=False)
    return Pair("pair", "made", looking, Photo("truth", frame.pixels, frame.pixels))


@dataclass(frozen=True)
class Estimator:
    """A depth back-end that knows the truth, or what is made of it."""

    values: np.ndarray
    info = BackendInfo("told", "Told", "none")

    def estimate(self, photo: Photo, intrinsics: Intrinsics, cancel: CancelToken) -> DepthEstimate:
        depth = DepthMap(self.values, np.ones(self.values.shape, bool), "relative", "told")
        return DepthEstimate(depth, intrinsics)


@pytest.mark.parametrize("factor", [0.25, 1.0, 3.7])
def test_depth_that_is_right_but_for_its_scale_makes_the_true_picture(pair: Pair, factor: float) -> None:
    own = with_own_depth(pair, Estimator((factor * SCENE.estimate.depth.values).astype(np.float32)))
    assert own.depth == "told"
    ratio = own.project.depth.values / SCENE.estimate.depth.values
    np.testing.assert_allclose(ratio, 1.0, rtol=0.02)
    (frame,) = render(own.project, FlatEngine(), Memo(), stream=False)
    assert score(own, frame, 0.0).visible.psnr > 30


def test_the_scale_makes_flow_agree_not_the_median_depth(pair: Pair) -> None:
    """A few pixels at a wrong depth in most of the frame's far part must not outweigh what moves much."""
    wrong = SCENE.estimate.depth.values.copy()
    wrong[wrong == wrong.max()] *= 2.0
    factor = fitted_factor(pair.project, DepthMap(wrong, np.ones(wrong.shape, bool), "relative", "told"))
    assert 0.45 < factor < 1.05


def test_a_flat_guess_is_worse_than_the_truth(pair: Pair) -> None:
    flat = with_own_depth(pair, Estimator(np.full(SCENE.estimate.depth.values.shape, 2.0, np.float32)))
    frames = [render(project, FlatEngine(), Memo(), stream=False) for project in (pair.project, flat.project)]
    (true_frame,), (flat_frame,) = frames
    assert score(flat, flat_frame, 0.0).whole.psnr < score(pair, true_frame, 0.0).whole.psnr - 3
