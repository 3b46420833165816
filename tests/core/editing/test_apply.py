"""Edits are absolute targets on immutable projects; histories are lists of them."""

from dataclasses import replace

import numpy as np
import pytest
from scenes import CAMERA, HEIGHT, WIDTH, card_before_wall, slanted_floor

from core.editing.apply import apply, apply_all, new_project, slide_translation
from core.editing.history import History
from core.editing.memo import Memo, MemoPool, bytes_held
from core.errors import InvalidInput
from core.types import edits
from core.types.camera import Camera
from core.types.depth import DepthMap
from core.types.flow import FlowField
from core.types.mask import Mask
from core.types.project import Settings
from core.types.scene import Placement

SCENE = card_before_wall()
START = new_project(SCENE.photo, SCENE.estimate)
PLACED = Placement((1.0, 0.0, 0.5), scale=2.0)
SEQUENCE = [
    edits.AddObject("card", SCENE.mask, "Card"),
    edits.PlaceObject("card", PLACED),
    edits.DuplicateObject("card", "copy", Placement((0.1, 0, 0))),
    edits.RenameObject("copy", "Twin"),
    edits.HideObject("card"),
    edits.SetSettings(Settings(seed=7)),
    edits.SetCamera(Camera(CAMERA)),
    edits.ReleaseObject("copy"),
]


def test_edits_do_what_they_say():
    end = apply_all(START, SEQUENCE)
    (card,) = end.scene.objects
    assert (card.placement, card.hidden, card.label) == (PLACED, True, "Card")
    assert end.settings.seed == 7
    assert not START.scene.objects


def test_replaying_a_placement_twice_is_the_same_as_once():
    once = apply_all(START, SEQUENCE[:2])
    assert apply(once, SEQUENCE[1]) == once


def test_any_edits_then_full_undo_is_the_start_and_redo_the_end():
    history = History.begin(START)
    for edit in SEQUENCE:
        history = history.push(apply(history.project, edit), type(edit).__name__)
    end = history.project
    for _ in SEQUENCE:
        history = history.undo()
    assert history.project is START
    assert not history.can_undo
    assert history.undo().project is START
    for _ in SEQUENCE:
        history = history.redo()
    assert history.project is end
    assert history.redo().project is end


def test_a_new_step_forgets_what_could_be_redone_and_the_original_stays():
    history = History.begin(START, limit_label := "Original")
    history = History(history.steps, 0, limit=3)
    projects = [apply(START, edits.SetSettings(Settings(seed=n))) for n in range(5)]
    for n, project in enumerate(projects):
        history = history.push(project, str(n))
    assert [s.label for s in history.steps] == [limit_label, "3", "4"]
    history = history.undo().push(projects[0], "other")
    assert [s.label for s in history.steps] == [limit_label, "3", "other"]
    assert not history.can_redo


def test_sliding_stays_on_the_ground():
    scene = new_project(slanted_floor().photo, slanted_floor().estimate).scene
    assert scene.ground is not None
    moved = np.array(slide_translation(scene, 0.7, 1.3))
    assert np.isclose(moved @ np.array(scene.ground.up), 0.0)
    assert np.isclose(np.linalg.norm(moved), np.hypot(0.7, 1.3))
    assert slide_translation(START.scene, 1.0, 0.0) == pytest.approx((1.0, 0.0, 0.0))
    assert slide_translation(START.scene, 0.0, 1.0) == pytest.approx((0.0, 0.0, 1.0))


def test_new_depth_moves_the_pivots_with_it():
    project = apply(START, SEQUENCE[0])
    doubled = DepthMap(SCENE.estimate.depth.values * 2, SCENE.estimate.depth.valid, "metric", "twice")
    changed = apply(project, edits.SetDepth(doubled, CAMERA, None))
    assert np.allclose(changed.scene.objects[0].pivot, np.multiply(project.scene.objects[0].pivot, 2), rtol=0.02)


SMALL = Mask(np.full((3, 4), 255, np.uint8))
EMPTY = Mask(np.zeros((HEIGHT, WIDTH), np.uint8))
SMALL_FLOW = FlowField(np.zeros((3, 4, 2), np.float32), np.ones((3, 4), bool), np.zeros((3, 4), bool))


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (edits.AddObject("b", SMALL, "B"), "photo's size"),
        (edits.AddObject("b", EMPTY, "B"), "empty"),
        (edits.AddObject("card", SCENE.mask, "again"), "already"),
        (edits.SetMask("card", EMPTY), "empty"),
        (edits.PlaceObject("nobody", Placement()), "no object 'nobody'"),
        (edits.DuplicateObject("card", "card", Placement()), "already"),
        (edits.RenameObject("card", "  "), "name"),
        (edits.SetFlow(SMALL_FLOW), "photo's size"),
        (edits.SetCamera(Camera(replace(CAMERA, width=10))), "photo's size"),
    ],
)
def test_edits_that_do_not_fit_are_refused_in_a_sentence(edit, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        apply(apply(START, SEQUENCE[0]), edit)


def test_the_full_mask_and_a_mask_of_one_pixel_are_objects():
    full = Mask(np.full((HEIGHT, WIDTH), 255, np.uint8))
    dot = np.zeros((HEIGHT, WIDTH), np.uint8)
    dot[10, 10] = 255
    for mask in (full, Mask(dot)):
        (item,) = apply(START, edits.AddObject("x", mask, "X")).scene.objects
        assert np.isfinite(item.pivot).all()


@pytest.mark.parametrize("bad", [{"scale": 0.0}, {"scale": float("nan")}, {"rotation": (2.0, 0.0, 0.0, 0.0)}])
def test_impossible_placements_are_refused(bad):
    with pytest.raises(InvalidInput):
        Placement(**bad)


def test_the_memo_keeps_what_was_used_last_within_its_bytes():
    memo = Memo(MemoPool(max_bytes=250))
    made = []

    def make(name: str) -> np.ndarray:
        made.append(name)
        return np.zeros(100, np.uint8)

    for name in ("a", "b", "a", "c", "a", "b"):
        memo.get(name, lambda name=name: make(name))
    assert made == ["a", "b", "c", "b"]
    assert memo.size_bytes <= 250
    assert bytes_held(SCENE.photo) == 2 * SCENE.photo.pixels.nbytes
