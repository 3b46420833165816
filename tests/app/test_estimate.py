"""What is promised about time follows what was measured."""

from dataclasses import replace

import pytest
from fakes import FlatEngine
from scenes import card_before_wall, textured_photo

from app.estimate import TimeEstimate
from core.editing.apply import apply_all, new_project
from core.editing.memo import Memo
from core.editing.render import render
from core.editing.stages import BEHIND, GEOMETRY, UNCOVERED, WARP
from core.types.edits import AddObject, HideObject

SCENE = card_before_wall()
PROJECT = apply_all(
    new_project(SCENE.photo, SCENE.estimate), [AddObject("card", SCENE.mask, "Card"), HideObject("card")]
)
(FRAME,) = render(PROJECT, FlatEngine(), Memo(), stream=False)
LARGE = textured_photo(960, 720)


def frame(**seconds: float):
    return replace(FRAME, seconds=seconds)


def test_geometry_grows_with_the_pixels_and_inventing_hardly():
    estimate = TimeEstimate()
    estimate.learn(frame(**{WARP: 0.1, UNCOVERED: 1.0}))
    assert estimate.full_size(SCENE.photo, {WARP, UNCOVERED}) == pytest.approx(1.1)
    assert estimate.full_size(LARGE, {WARP}) > 5 * 0.1
    assert 1.0 < estimate.full_size(LARGE, {UNCOVERED}) < 5 * 1.0


def test_only_what_lies_ahead_takes_time():
    estimate = TimeEstimate()
    estimate.learn(frame(**{WARP: 0.1, UNCOVERED: 1.0, BEHIND: 2.0}))
    assert estimate.full_size(SCENE.photo, {WARP}) == pytest.approx(0.1)
    assert estimate.full_size(SCENE.photo, set()) == 0


def test_what_was_found_in_the_memo_does_not_look_free():
    estimate = TimeEstimate()
    estimate.learn(frame(**{GEOMETRY: 0.4, BEHIND: 1.0}))
    estimate.learn(frame(**{GEOMETRY: 0.0}))
    assert estimate.full_size(SCENE.photo, {GEOMETRY, BEHIND}) == pytest.approx(1.4)


def test_writing_is_expected_to_take_what_it_took_per_pixel():
    estimate = TimeEstimate()
    before = estimate.writing("xyz", LARGE)
    estimate.learn_writing("xyz", 2.0, SCENE.photo)
    more = LARGE.width * LARGE.height / (SCENE.photo.width * SCENE.photo.height)
    assert estimate.writing("xyz", LARGE) == pytest.approx(2.0 * more)
    assert estimate.writing("png", LARGE) == before


def test_peeling_is_expected_to_take_what_it_took_per_pixel():
    estimate = TimeEstimate()
    assert estimate.peeling(LARGE) is None
    estimate.learn_peeling(3.0, SCENE.photo)
    more = LARGE.width * LARGE.height / (SCENE.photo.width * SCENE.photo.height)
    assert estimate.peeling(LARGE) == pytest.approx(3.0 * more)


def test_a_full_size_result_teaches_the_stages_that_it_worked_through():
    estimate = TimeEstimate()
    estimate.learn(frame(**{GEOMETRY: 0.1, WARP: 0.1, UNCOVERED: 1.0}))
    untaught = estimate.full_size(LARGE, {GEOMETRY})
    (large,) = render(new_project(LARGE, SCENE.estimate), FlatEngine(), Memo(), stream=False)
    taken = {GEOMETRY: 0.0, WARP: 5.0, UNCOVERED: 1.5}
    estimate.learn_full_size(replace(large, seconds=taken), {WARP, UNCOVERED})
    assert estimate.full_size(LARGE, {WARP, UNCOVERED}) == pytest.approx(6.5)
    assert estimate.full_size(LARGE, {GEOMETRY}) == untaught
