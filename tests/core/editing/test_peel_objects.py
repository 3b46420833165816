"""Which proposals become layers, and how they share pixels."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from layered_scenes import HEIGHT, WIDTH, cards

from core.editing.apply import apply
from core.editing.peel_objects import LARGEST_NUMBER, check_number, with_found_objects
from core.errors import InvalidInput
from core.perception.everything import Proposal
from core.types.depth import DepthMap
from core.types.edits import AddObject
from core.types.mask import Mask
from core.types.project import Project


def project(tolerance: float = 0.4) -> Project:
    """The cards' photo with a flat depth map and nothing cut out."""
    made = cards().project
    depth = DepthMap(
        np.full((HEIGHT, WIDTH), 3, np.float32), np.ones((HEIGHT, WIDTH), bool), "relative", "flat", tolerance=tolerance
    )
    return replace(made, depth=depth, scene=replace(made.scene, objects=()))


def box(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    shape = np.zeros((HEIGHT, WIDTH), np.uint8)
    shape[y0:y1, x0:x1] = 255
    return shape


def proposal(rating: float, *boxes: tuple[int, int, int, int]) -> Proposal:
    return Proposal(np.maximum.reduce([box(*corners) for corners in boxes]), rating, "test")


WHOLE, PART, LARGE_PART = (20, 20, 120, 120), (60, 60, 90, 90), (20, 20, 120, 100)


def areas(found: list[Proposal], most: int = 8, on: Project | None = None) -> list[int]:
    objects = with_found_objects(on or project(), found, most).scene.objects
    return sorted(int((item.mask.coverage >= 128).sum()) for item in objects)


def test_a_part_and_its_whole_are_two_objects_named_from_the_front() -> None:
    made = with_found_objects(project(), [proposal(0.9, WHOLE), proposal(0.8, PART)])
    named = {item.label: int((item.mask.coverage >= 128).sum()) for item in made.scene.objects}
    assert named["Object 1"] == pytest.approx(900, rel=0.05)
    assert named["Object 2"] == pytest.approx(10_000, rel=0.05)


@pytest.mark.parametrize("ratings", [(0.9, 0.8), (0.8, 0.9)])
def test_a_part_that_is_most_of_the_whole_gives_way_to_it(ratings: tuple[float, float]) -> None:
    found = [proposal(ratings[0], WHOLE), proposal(ratings[1], LARGE_PART)]
    found.sort(key=lambda one: -one.rating)
    assert areas(found) == pytest.approx([10_000], rel=0.05)


def test_an_unsure_whole_does_not_replace_sure_parts() -> None:
    assert areas([proposal(0.9, LARGE_PART), proposal(0.4, WHOLE)]) == pytest.approx([8000], rel=0.05)


def test_measured_depth_tells_a_painted_part_from_a_thing_that_stands_before() -> None:
    flat = project(tolerance=0.0)
    found = [proposal(0.9, WHOLE), proposal(0.8, PART)]
    assert areas(found, on=flat) == pytest.approx([10_000], rel=0.05)
    values = flat.depth.values.copy()
    values[box(*PART) > 0] = 2.0
    assert len(areas(found, on=replace(flat, depth=flat.depth.changed(values)))) == 2


def test_unsure_tiny_and_surplus_proposals_stay_in_the_background() -> None:
    apart = [(10, 10, 50, 50), (60, 10, 100, 50), (110, 10, 150, 50), (160, 10, 200, 50)]
    found = [proposal(0.9 - 0.1 * n, corners) for n, corners in enumerate(apart)]
    assert len(areas(found)) == 4
    assert len(areas(found, most=2)) == 2
    assert len(areas([*found, proposal(0.5, (10, 100, 16, 106)), proposal(0.1, (60, 100, 100, 140))])) == 4


def test_what_is_cut_out_already_is_not_found_again() -> None:
    own = apply(project(), AddObject("own", Mask(box(*WHOLE)), "Mine"))
    made = with_found_objects(own, [proposal(0.9, PART), proposal(0.8, (150, 20, 200, 120))])
    assert [item.label for item in made.scene.objects] == ["Mine", "Object 1"]


def test_the_thin_line_that_a_part_leaves_of_its_whole_is_the_parts() -> None:
    whole, part = (20, 20, 200, 160), (22, 22, 100, 100)
    made = with_found_objects(project(), [proposal(0.9, whole), proposal(0.8, part)])
    coverage = made.scene.objects[1].mask.coverage >= 128
    assert coverage[40:90, 21].all()
    assert not coverage[140, 30:190].any()
    _, pieces = cv2.connectedComponents(coverage.astype(np.uint8))
    assert pieces.max() == 1


def test_nothing_sure_enough_is_told_and_numbers_are_checked() -> None:
    with pytest.raises(InvalidInput, match="stands out"):
        with_found_objects(project(), [proposal(0.1, WHOLE)])
    for wrong in (0, LARGEST_NUMBER + 1):
        with pytest.raises(InvalidInput, match=str(wrong)):
            check_number(wrong)


def test_what_nothing_is_left_of_at_the_photos_own_size_is_no_object() -> None:
    faint = replace(proposal(0.9, PART), coverage=box(*PART) // 4 * 2)  # half covered at most
    with pytest.raises(InvalidInput, match="No object stands out"):
        with_found_objects(project(), [faint])
