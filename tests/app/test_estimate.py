"""What is promised about time follows what was measured."""

from dataclasses import replace

import pytest
from fakes import FlatEngine
from scenes import card_before_wall, textured_photo

from app.estimate import TimeEstimate
from core.editing.apply import apply_all, new_project
from core.editing.memo import Memo
from core.editing.render import render
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
    estimate.learn(frame(geometry=0.1, engine=1.0))
    assert estimate.full_size(frame(geometry=0.1), SCENE.photo) == pytest.approx(1.1)
    large = estimate.full_size(frame(geometry=0.1), LARGE)
    assert 0.1 * 100 + 1.0 < large < 0.1 * 100 + 10.0


def test_a_remembered_plate_does_not_make_inventing_look_free():
    estimate = TimeEstimate()
    estimate.learn(frame(geometry=0.1, engine=1.0))
    estimate.learn(frame(geometry=0.1))
    assert estimate.full_size(frame(geometry=0.1), SCENE.photo) == pytest.approx(1.1)


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


def test_a_full_size_result_corrects_the_estimate():
    estimate = TimeEstimate()
    estimate.learn(frame(geometry=0.1, engine=1.0))
    preview = frame(geometry=0.1)
    expected = estimate.engine_at_full_size(preview, LARGE)
    before = estimate.full_size(preview, LARGE)
    (large,) = render(new_project(LARGE, SCENE.estimate), FlatEngine(), Memo(), stream=False)
    estimate.learn_full_size(replace(large, seconds={"geometry": 5.0, "engine": expected / 2}), expected)
    assert estimate.full_size(preview, LARGE) < before
