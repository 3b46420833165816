"""Rendered cases obey their own numbers: the motion, the ground it stays on, and what is known of the background."""

import cv2
import numpy as np
import pytest

from core.errors import InvalidInput
from core.evaluation.edit_scenes import edit_case, edit_cases, set_textures
from core.maths.camera import project, unproject
from core.maths.rigid import transform
from core.training.synthetic import Levels
from core.types.edit_case import EditCase

SIDE = 64


@pytest.fixture(scope="module")
def textures() -> Levels:
    return set_textures(3, SIDE)


@pytest.fixture(scope="module")
def cases(textures: Levels) -> list[EditCase]:
    return [edit_case(3, number, textures, SIDE, shadows=False) for number in range(3)]


def lifted(case: EditCase, pixels: np.ndarray) -> np.ndarray:
    assert case.depth is not None
    columns, rows = pixels.astype(int).T
    return unproject(case.intrinsics, pixels, case.depth[rows, columns])


def test_a_case_is_a_function_of_its_seed_and_number(cases: list[EditCase]) -> None:
    (again,) = edit_cases(3, 1, SIDE, shadows=False)
    np.testing.assert_array_equal(again.after, cases[0].after)
    np.testing.assert_array_equal(again.motion.matrix, cases[0].motion.matrix)
    assert not np.array_equal(cases[0].before, cases[1].before)
    assert [case.name for case in cases[:2]] == ["case-000.hdf5", "case-001.hdf5"]


def test_the_motion_takes_points_to_where_the_second_picture_shows_the_object(cases: list[EditCase]) -> None:
    for case in cases:
        assert case.mask_after is not None
        landed = project(case.intrinsics, transform(case.motion.matrix, lifted(case, case.object_points)))
        np.testing.assert_allclose(landed, case.object_points_after, atol=1e-6)
        columns, rows = np.rint(landed).astype(int).T
        assert case.mask_after[rows, columns].all()
        columns, rows = case.object_points.astype(int).T
        assert case.mask[rows, columns].all()
        assert case.mask[int(case.click[1]), int(case.click[0])]
        assert np.abs(landed - case.object_points).max() > 0.5


def test_the_object_stays_upright_on_its_ground(cases: list[EditCase]) -> None:
    for case in cases:
        one, two, three = lifted(case, case.ground_points)
        up = np.cross(three - two, one - two)
        up /= np.linalg.norm(up)
        np.testing.assert_allclose(case.motion.rotation @ up, up, atol=1e-3)
        foot = one
        moved = transform(case.motion.matrix, foot)
        assert abs((moved - foot) @ up) < 2e-3 * np.linalg.norm(foot)
        assert up[1] < 0


def test_without_shadows_only_the_object_differs_from_the_background(cases: list[EditCase]) -> None:
    for case in cases:
        assert case.background is not None
        assert case.mask_after is not None
        for picture, mask in ((case.before, case.mask), (case.after, case.mask_after)):
            around = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            np.testing.assert_array_equal(picture[~around], case.background[~around])
            assert (picture[mask] != case.background[mask]).any()


def test_shadows_fall_on_the_rest(textures: Levels) -> None:
    case = edit_case(3, 0, textures, SIDE, shadows=True)
    assert case.background is not None
    around = cv2.dilate(case.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    darker = case.before[~around].astype(int) < case.background[~around]
    assert darker.any()
    assert not (case.before[~around] > case.background[~around]).any()


@pytest.mark.parametrize(("seed", "count", "side"), [(-1, 1, 64), (0, 0, 64), (0, 1, 32)])
def test_numbers_that_mean_nothing_are_refused(seed: int, count: int, side: int) -> None:
    with pytest.raises(InvalidInput, match="Cases need"):
        next(edit_cases(seed, count, side))
