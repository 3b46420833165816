"""Edit adherence: 1 for the truth, and less the farther off the object is."""

import numpy as np
import pytest
from edit_cases import CARD_COLOUR, card_case
from fakes import SameColour

from core.errors import InvalidInput
from core.evaluation.adherence import edit_adherence, judged, judged_points, object_at

CASE = card_case()


def test_the_truth_adheres_wholly() -> None:
    assert edit_adherence(SameColour(), CASE.after, CASE.after, CASE.object_points_after) == 1.0


def test_an_object_half_off_counts_by_its_overlap() -> None:
    assert CASE.background is not None
    off = np.roll(CASE.mask_after, -12, axis=1)
    shown = np.where(off[..., None], np.array(CARD_COLOUR, np.uint8), CASE.background)
    points = np.array([[40.0, 40.0]])
    assert edit_adherence(SameColour(), shown, CASE.after, points) == pytest.approx(12 / 36)


def test_a_picture_without_the_object_there_does_not_adhere() -> None:
    assert CASE.background is not None
    assert edit_adherence(SameColour(), CASE.background, CASE.after, CASE.object_points_after) < 0.2


def test_points_outside_are_left_out() -> None:
    inside = CASE.object_points_after[-1:]
    found = object_at(SameColour(), CASE.after, np.concatenate([[[-30.0, 5.0]], inside, [[400.0, 5.0]]]))
    np.testing.assert_array_equal(found, CASE.mask_after)
    with pytest.raises(InvalidInput, match="None of the 1 points"):
        object_at(SameColour(), CASE.after, np.array([[400.0, 5.0]]))


def test_pictures_of_two_sizes_are_refused() -> None:
    with pytest.raises(InvalidInput, match="one size"):
        edit_adherence(SameColour(), CASE.after[:-1], CASE.after, CASE.object_points_after)


def test_a_shrunk_picture_keeps_its_points() -> None:
    small = judged(CASE.after, 48)
    assert small.shape == (48, 48, 3)
    points = judged_points(CASE.object_points_after, CASE.after.shape[1], small.shape[1])
    columns, rows = np.rint(points).astype(int).T
    np.testing.assert_array_equal(small[rows, columns], np.tile(CARD_COLOUR, (len(points), 1)))
    assert judged(CASE.after, 500).shape == CASE.after.shape
