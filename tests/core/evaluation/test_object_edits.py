"""Edits from a benchmark's numbers: the editor moves points where the motion says, with depth of any scale."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from edit_cases import CARD_Z, SHIFT, card_case
from fakes import FlatEngine, SameColour

from core.errors import InvalidInput
from core.evaluation.edit_scenes import edit_case, set_textures
from core.evaluation.object_edits import (
    asked_edit,
    clicked_mask,
    exact_estimate,
    moved_frame,
    own_estimate,
    removed_frame,
    seen_twice,
)
from core.types.camera import Intrinsics
from core.types.depth import DepthEstimate, DepthMap, DepthScale
from core.types.photo import Photo
from core.types.protocols import BackendInfo, CancelToken


@dataclass(frozen=True)
class Estimator:
    """A depth back-end that knows the truth, or what is made of it."""

    values: np.ndarray
    scale: DepthScale = "relative"
    info = BackendInfo("told", "Told", "none")

    def estimate(self, photo: Photo, intrinsics: Intrinsics, cancel: CancelToken) -> DepthEstimate:
        depth = DepthMap(self.values.astype(np.float32), np.ones(self.values.shape, bool), self.scale, "told")
        return DepthEstimate(depth, intrinsics)


def test_the_editor_moves_the_card_where_the_motion_says() -> None:
    case = card_case()
    estimate = exact_estimate(case)
    assert estimate is not None
    frame = moved_frame(asked_edit(case), estimate, FlatEngine())
    np.testing.assert_array_equal(frame.moved, case.mask_after)
    inside = case.after[frame.moved]
    np.testing.assert_array_equal(frame.pixels[frame.moved], inside)


def test_turned_objects_land_where_the_benchmark_sees_them() -> None:
    textures = set_textures(3, 64)
    for number in range(3):
        case = edit_case(3, number, textures, 64)
        estimate = exact_estimate(case)
        assert estimate is not None
        frame = moved_frame(asked_edit(case), estimate, FlatEngine())
        columns, rows = case.object_points.astype(int).T
        landed = case.object_points + frame.flow.flow[rows, columns]
        apart = np.linalg.norm(landed - case.object_points_after, axis=1)
        assert np.median(apart) < 0.5
        assert np.median(apart) < 0.2 * np.median(np.linalg.norm(case.object_points - case.object_points_after, axis=1))


@pytest.mark.parametrize("factor", [0.05, 1.0, 31.0])
def test_depth_of_unknown_scale_takes_it_from_the_points(factor: float) -> None:
    case = card_case()
    assert case.depth is not None
    estimate = own_estimate(asked_edit(case), seen_twice(case), Estimator(factor * case.depth))
    assert estimate.depth.scale == "metric"
    np.testing.assert_allclose(estimate.depth.values[case.mask], CARD_Z, rtol=0.006)
    frame = moved_frame(asked_edit(case), estimate, FlatEngine())
    np.testing.assert_allclose(frame.flow.flow[case.mask].mean(axis=0), SHIFT, atol=0.2)


def test_metric_depth_keeps_its_scale_and_needs_no_points() -> None:
    case = card_case()
    assert case.depth is not None
    estimate = own_estimate(asked_edit(case), None, Estimator(2 * case.depth, "metric"))
    np.testing.assert_array_equal(estimate.depth.values, 2 * case.depth)


def test_depth_without_scale_and_without_points_is_refused() -> None:
    case = card_case()
    assert case.depth is not None
    with pytest.raises(InvalidInput, match="knows no metres"):
        own_estimate(asked_edit(case), None, Estimator(case.depth))


def test_what_meets_nothing_is_far() -> None:
    case = card_case()
    assert case.depth is not None
    estimate = exact_estimate(replace(case, depth=np.where(case.mask, case.depth, np.float32(0))))
    assert estimate is not None
    assert estimate.depth.values[~case.mask].min() > 10 * CARD_Z
    assert exact_estimate(replace(case, depth=None)) is None


def test_a_removed_object_leaves_what_the_engine_invents() -> None:
    case = card_case()
    estimate = exact_estimate(case)
    assert estimate is not None
    frame = removed_frame(asked_edit(case), estimate, FlatEngine())
    assert (frame.pixels[case.mask] == FlatEngine.colour).all()
    assert not frame.moved.any()


def test_a_click_cuts_the_object_out() -> None:
    case = card_case()
    np.testing.assert_array_equal(clicked_mask(case, SameColour()).coverage >= 128, case.mask)
