"""A session used like an artist would, without a page: placing, looking, undo and redo."""

import numpy as np
import pytest
from conftest import idle

from core.errors import EditorError, InvalidInput
from core.files.project import load_project, save_project
from core.types.scene import Placement


def test_before_a_photo_every_gesture_says_so(session):
    assert session.state.photo_name is None
    for gesture in (lambda: session.click(1, 1), session.undo, session.home, session.full_frame):
        with pytest.raises(InvalidInput, match="Open a photo first"):
            gesture()


def test_open_click_slide_undo_redo(coffee):
    (cup,) = coffee.state.objects
    assert cup.selected
    assert cup.at_rest
    coffee.slide(cup.id, -0.2, 0.1)
    idle(coffee)
    (moved,) = coffee.state.objects
    assert moved.ground == pytest.approx((-0.2, 0.0, 0.1))
    assert coffee.frame is not None
    assert coffee.frame.stage == "final"
    assert 0 < coffee.state.share_invented < 1
    assert coffee.state.expected_seconds > 0
    coffee.undo()
    assert coffee.state.objects[0].at_rest
    coffee.undo()
    assert not coffee.state.objects
    assert coffee.state.selected is None
    coffee.redo()
    coffee.redo()
    assert coffee.state.objects[0].ground == pytest.approx((-0.2, 0.0, 0.1))
    assert coffee.state.steps[0] == "Original"


def test_one_gesture_is_one_step_and_no_change_is_none(coffee):
    (cup,) = coffee.state.objects
    steps = len(coffee.state.steps)
    coffee.place(cup.id, Placement((0.1, 0.0, 0.0)))
    coffee.place(cup.id, Placement((0.1, 0.0, 0.0)))
    assert len(coffee.state.steps) == steps + 1


def test_a_refused_gesture_changes_nothing(coffee):
    before = coffee.state
    for gesture in (
        lambda: coffee.place("nobody", Placement()),
        lambda: coffee.set_layout(0.9, 0.1),
        lambda: coffee.set_field_of_view(500),
        lambda: coffee.click(-50, 10),
        lambda: coffee.use_mask_file(b"nothing"),
        lambda: coffee.open_photo(b"not a photo", "x.jpg"),
    ):
        with pytest.raises(EditorError):
            gesture()
    assert coffee.state.steps == before.steps
    assert coffee.state.revision == before.revision


def test_camera_moves_and_home(coffee):
    coffee.orbit(10.0, -5.0, dolly=0.1)
    orbit = coffee.state.camera.orbit
    assert (orbit.yaw_deg, orbit.pitch_deg, orbit.dolly) == pytest.approx((10.0, -5.0, 0.1))
    assert not coffee.state.camera.at_home
    coffee.home()
    assert coffee.state.camera.at_home
    steps = coffee.state.steps
    coffee.home()
    assert coffee.state.steps == steps
    idle(coffee)
    assert np.array_equal(coffee.frame.pixels, coffee.project.photo.pixels)


def test_hide_duplicate_release_rename(coffee):
    (cup,) = coffee.state.objects
    coffee.rename(cup.id, "Cup")
    coffee.duplicate(cup.id)
    assert [o.label for o in coffee.state.objects] == ["Cup", "Cup copy"]
    assert coffee.state.objects[1].selected
    coffee.remove(coffee.state.objects[1].id)
    coffee.remove(cup.id)
    assert coffee.state.objects[0].hidden
    coffee.release(cup.id)
    assert not coffee.state.objects


def test_a_saved_project_continues(coffee):
    coffee.slide(coffee.state.selected, -0.2, 0.0)
    saved = save_project(coffee.project)
    coffee.load_project(saved)
    assert coffee.project == load_project(saved)
    assert not coffee.state.can_undo
