"""Pictures of a session and who hears of them: painted ahead, kept, failed, never missing."""

import threading

from conftest import PATIENCE, idle
from fakes import FlatEngine
from serving import wait_until

from app.state import Event
from core.editing.stages import BEHIND
from core.types.project import Settings


def test_what_is_behind_the_selected_object_is_painted_before_it_moves(coffee):
    idle(coffee)
    engine = coffee.services.engine(coffee.project.settings.engine)
    # The estimate of how long a result takes hears of it too.
    wait_until(lambda: coffee.estimate.full_size(coffee.project.photo, {BEHIND}))
    assert coffee.state.objects[0].at_rest
    assert len(engine.requests) == 1
    coffee.slide(coffee.state.selected, -0.2, 0.1)
    idle(coffee)
    coffee.slide(coffee.state.selected, -0.3, 0.1)
    idle(coffee)
    assert len(engine.requests) == 1


def test_listeners_hear_changes_and_frames(session):
    heard: list[Event] = []
    done = threading.Event()

    def listen(event: Event) -> None:
        heard.append(event)
        if event.kind == "frame":
            done.set()

    unsubscribe = session.subscribe(listen)
    session.open_sample("coffee")
    assert done.wait(PATIENCE)
    assert {"changed", "progress", "frame"} <= {event.kind for event in heard}
    unsubscribe()
    count = len(heard)
    session.set_settings(Settings(seed=3))
    assert len(heard) == count


def test_a_change_is_never_seen_without_the_work_it_asked_for(coffee):
    idle(coffee)
    working: list[bool] = []

    def listen(event: Event) -> None:
        if event.kind == "changed":
            done = coffee.frame is not None and coffee.frame.stage == "final"
            working.append(coffee.state.job.running or done)

    coffee.subscribe(listen)
    for right in (-0.1, -0.2, -0.3):
        coffee.slide(coffee.state.selected, right, 0.0)
    assert working == [True, True, True]
    idle(coffee)
    assert not coffee.state.job.running


def test_a_failing_engine_is_seen_and_the_last_frame_stays(coffee):
    idle(coffee)
    heard: list[Event] = []
    coffee.subscribe(heard.append)

    class Broken(FlatEngine):
        def render(self, request, cancel):
            raise RuntimeError("boom")

    coffee.services._engines["auto"] = Broken()
    coffee.orbit(5.0, 0.0)
    idle(coffee)
    (error,) = [event for event in heard if event.kind == "error"]
    assert "reference" in error.message
    assert "boom" not in error.message
    coffee.undo()
    idle(coffee)
    assert coffee.frame is not None


def test_the_full_frame_has_the_photos_size_and_is_kept(coffee):
    coffee.slide(coffee.state.selected, -0.2, 0.0)
    frame = coffee.full_frame()
    assert frame.pixels.shape == coffee.project.photo.pixels.shape
    assert coffee.full_frame() is frame
