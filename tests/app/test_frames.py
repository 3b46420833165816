"""Each of a session's pictures is made once."""

import pytest
from conftest import FlatServices
from histories import every_edit, opened, pushed

from app.estimate import TimeEstimate
from app.frames import Frames
from core.editing.stages import BEHIND
from core.types import edits
from core.types.project import Project
from core.types.protocols import CancelToken
from core.types.scene import Placement


@pytest.fixture
def frames() -> Frames:
    return Frames(FlatServices(), TimeEstimate())


@pytest.fixture
def at_rest() -> Project:
    """With an object that nobody moved yet."""
    return pushed(opened(), every_edit()[0]).project


@pytest.fixture
def moved(at_rest: Project) -> Project:
    return pushed(opened().push(at_rest, ""), edits.PlaceObject("a", Placement((0.3, 0.0, 0.0)))).project


def test_a_preview_comes_in_steps_once_and_whole_from_then_on(frames: Frames, moved: Project) -> None:
    *drafts, final = frames.preview(moved)
    assert [frame.stage for frame in (drafts[0], final)] == ["preview", "final"]
    assert frames.known_preview(moved) is final
    assert list(frames.preview(moved)) == [final]
    assert frames.known_full(moved) is None


def test_without_a_stream_the_final_one_comes_alone(frames: Frames, moved: Project) -> None:
    (frame,) = frames.preview(moved, stream=False)
    assert frame.stage == "final"


def test_what_was_made_at_full_size_takes_no_more_time(frames: Frames, moved: Project) -> None:
    list(frames.preview(moved))
    frames.estimate.learn(next(iter(frames.preview(moved))))
    assert frames.full_seconds(moved) > 0
    frame = frames.full(moved)
    assert frames.full(moved) is frame
    assert frames.full_seconds(moved) == 0.0


def test_what_is_painted_behind_an_object_is_there_when_it_moves(
    frames: Frames, at_rest: Project, moved: Project
) -> None:
    assert list(frames.paint_behind(at_rest, "a", CancelToken())) == []
    assert frames.estimate.full_size(at_rest.photo, {BEHIND}) > 0
    requests = frames.services.engine("auto").requests
    assert len(requests) == 1
    list(frames.preview(moved))
    assert len(requests) == 1
