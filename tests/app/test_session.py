"""A session used like an artist would, without a page."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from fakes import FlatEngine

from app.presence import Lifetimes
from app.services import Services
from app.session import Session
from app.state import Event
from app.store import SessionStore
from core.editing.memo import Memo
from core.editing.stages import BEHIND
from core.errors import Cancelled, EditorError, InvalidInput
from core.files.png import encode_png
from core.files.project import load_project, save_project
from core.turns import Turns
from core.types.project import Settings
from core.types.protocols import CancelToken
from core.types.scene import Placement

PATIENCE = 60.0


class FlatServices(Services):
    """The real services but for the engine, so that these tests are about sessions."""

    def engine(self, choice):
        return self._engines.setdefault(choice, FlatEngine())


@pytest.fixture
def session():
    opened = Session("test", FlatServices(Memo()))
    yield opened
    opened.close()


@pytest.fixture
def coffee(session):
    session.open_sample("coffee")
    session.click(300, 200)
    return session


def idle(session: Session) -> None:
    assert session.wait_idle(PATIENCE)


def test_before_a_photo_every_gesture_says_so(session):
    assert session.state.photo_name is None
    for gesture in (lambda: session.click(1, 1), session.undo, session.home, session.full_frame):
        with pytest.raises(InvalidInput, match="Open a photo first"):
            gesture()


def test_what_is_behind_the_selected_object_is_painted_before_it_moves(coffee):
    idle(coffee)
    engine = coffee.services.engine(coffee.project.settings.engine)
    deadline = time.monotonic() + PATIENCE
    # The estimate of how long a result takes hears of it too.
    while not coffee.estimate.full_size(coffee.project.photo, {BEHIND}) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert coffee.state.objects[0].at_rest
    assert len(engine.requests) == 1
    coffee.slide(coffee.state.selected, -0.2, 0.1)
    idle(coffee)
    coffee.slide(coffee.state.selected, -0.3, 0.1)
    idle(coffee)
    assert len(engine.requests) == 1


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


def test_refining_a_mask(coffee):
    first = coffee.selected_object.mask
    coffee.grow_mask(5)
    assert coffee.selected_object.mask.coverage.sum() > first.coverage.sum()
    coffee.brush([(300.0, 200.0)], 30.0, add=False)
    assert coffee.selected_object.mask.coverage[200, 300] == 0
    coffee.lasso([(250, 150), (350, 150), (350, 250), (250, 250)], add=True)
    assert coffee.selected_object.mask.coverage[200, 300] == 255
    coffee.feather_mask(4)
    assert len(coffee.state.objects) == 1


def test_a_moved_object_must_come_back_before_its_mask_changes(coffee):
    coffee.slide(coffee.state.selected, 0.3, 0.0)
    with pytest.raises(InvalidInput, match="has been moved"):
        coffee.click(300, 200)


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


@pytest.fixture
def choosing(coffee) -> Iterator[tuple[threading.Thread, threading.Event]]:
    """An engine is being loaded until the event."""
    idle(coffee)
    loading, loaded = threading.Event(), threading.Event()
    engine_of = coffee.services.engine

    def slowly(choice):
        if choice == "warp" and not loaded.is_set():
            loading.set()
            assert loaded.wait(PATIENCE)
        return engine_of(choice)

    coffee.services.engine = slowly

    def choose() -> None:
        with suppress(Cancelled):
            coffee.set_settings(Settings("warp"))

    thread = threading.Thread(target=choose)
    thread.start()
    assert loading.wait(PATIENCE)
    yield thread, loaded
    loaded.set()
    thread.join(PATIENCE)
    idle(coffee)


def meanwhile(choosing, act: Callable[[], object]) -> None:
    thread, loaded = choosing
    acting = threading.Thread(target=act)
    acting.start()
    acting.join(0.3)
    loaded.set()
    thread.join(PATIENCE)
    acting.join(PATIENCE)


def test_what_is_done_while_an_engine_is_loaded_comes_after_it(coffee, choosing):
    meanwhile(choosing, lambda: coffee.slide(coffee.state.selected, -0.2, 0.0))
    assert [step.split()[0] for step in coffee.state.steps[-2:]] == ["Engine:", "Object"]


def test_a_step_back_while_an_engine_is_loaded_takes_that_choice_back(coffee, choosing):
    meanwhile(choosing, coffee.undo)
    assert coffee.state.steps[-1] == "Engine: Geometric warp"
    assert coffee.state.step == len(coffee.state.steps) - 2


def test_who_only_looks_does_not_wait_for_an_engine_and_sees_that_it_is_loaded(coffee, choosing):
    with ThreadPoolExecutor(1) as page:
        seen = page.submit(lambda: coffee.state).result(PATIENCE)
    assert seen.models.running
    assert seen.models.stage == "Loading Geometric warp"
    assert not seen.steps[-1].startswith("Engine")


def test_an_engine_that_is_given_up_while_it_is_loaded_is_not_chosen(coffee, choosing):
    thread, loaded = choosing
    coffee.cancel()
    loaded.set()
    thread.join(PATIENCE)
    assert not coffee.state.steps[-1].startswith("Engine")


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


def test_bring_your_own_depth(session):
    session.open_photo(_gradient_png(), "gradient.png")
    from core.files.npy import encode_npy

    session.use_depth_file(encode_npy(np.full((30, 40), 2.5, np.float32)), "depth.npy", None)
    assert session.state.depth_scale == "metric"
    assert session.state.unit == "m"
    with pytest.raises(InvalidInput, match="another shape"):
        session.use_depth_file(encode_npy(np.full((40, 40), 2.5, np.float32)), "square.npy", None)


def test_a_sparse_depth_file_sizes_the_guess_and_keeps_its_shape(coffee):
    from core.files.npy import encode_npy

    coffee.use_depth_backend("layout")
    deadline = time.monotonic() + PATIENCE
    while not coffee.project.depth.upright_objects:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    guess = coffee.project.depth
    measured = np.zeros((guess.height, guess.width), np.float32)
    measured[::16, ::16] = 3.0 * guess.values[::16, ::16]
    coffee.use_depth_file(encode_npy(measured), "lidar.npy", None)
    assert coffee.state.depth_scale == "metric"
    assert coffee.project.depth.upright_objects
    np.testing.assert_allclose(coffee.project.depth.values, 3.0 * guess.values, rtol=1e-3)


def test_the_depth_brush_and_a_known_distance_are_steps_of_the_history(coffee):
    coffee.select(None)
    before, steps = coffee.project.depth, len(coffee.state.steps)
    coffee.retouch_depth([(100.0, 300.0), (140.0, 300.0)], 30.0, "push", 1.0)
    assert coffee.project.depth.values[300, 120] > 1.2 * before.values[300, 120]
    assert coffee.state.depth_title.endswith(", retouched")
    coffee.set_distance((50.0, 350.0), (300.0, 350.0), 0.4)
    assert coffee.measure((50.0, 350.0), (300.0, 350.0)) == pytest.approx(0.4, rel=1e-4)
    assert coffee.state.unit == "m"
    assert len(coffee.state.steps) == steps + 2
    coffee.undo()
    coffee.undo()
    assert coffee.project.depth is before


def test_the_depth_brush_stays_within_the_selected_object(coffee):
    before = coffee.project.depth.values
    coffee.retouch_depth([(300.0, 200.0), (590.0, 390.0)], 80.0, "pull", 1.0)
    changed = coffee.project.depth.values != before
    mask = coffee.selected_object.mask.coverage
    assert changed.any()
    assert not changed[mask == 0].any()


def test_a_saved_project_continues(coffee):
    coffee.slide(coffee.state.selected, -0.2, 0.0)
    saved = save_project(coffee.project)
    coffee.load_project(saved)
    assert coffee.project == load_project(saved)
    assert not coffee.state.can_undo


def test_sessions_do_not_see_each_other(tmp_path: Path):
    store = SessionStore(FlatServices(Memo()), tmp_path)
    one, two = store.create(), store.create()
    one.open_sample("coffee")
    assert two.state.photo_name is None
    assert one.key != two.key
    store.close_all()


def test_a_session_that_expired_is_revived_with_its_work_and_an_empty_one_empty(tmp_path: Path):
    store = SessionStore(FlatServices(Memo()), tmp_path, Lifetimes(without_page=0.0))
    edited, empty = store.create(), store.create()
    edited.open_sample("coffee")
    edited.orbit(5.0, 0.0)
    history = edited.history
    store.expire()
    assert store.get(empty.key).history is None
    again = store.get(edited.key)
    assert again is not edited
    assert again.history == history
    store.close_all()


def test_warming_up_changes_nothing_and_fails_nothing():
    services = Services(Memo())
    services.warm_up()
    assert services.memo.size_bytes == 0


def _gradient_png() -> bytes:
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[..., 0] = np.arange(80)
    return encode_png(pixels)


def test_a_click_waits_for_its_turn_among_all_sessions():
    services = Services()
    services.turns = Turns()
    session = Session("key", services)
    session.open_photo(_gradient_png(), "gradient.png")
    assert session.wait_idle(PATIENCE)
    with services.turns.turn(CancelToken()):
        clicking = threading.Thread(target=session.box, args=(10, 10, 60, 50))
        clicking.start()
        deadline = time.monotonic() + PATIENCE
        while not services.turns.waiting:
            assert time.monotonic() < deadline, "it does not queue"
            time.sleep(0.002)
        assert not session.state.objects
    clicking.join(PATIENCE)
    assert len(session.state.objects) == 1
    session.close()
