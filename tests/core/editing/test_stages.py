"""What a render works through is what `stages_ahead` had said."""

import numpy as np
import pytest
from fakes import FlatEngine
from scenes import CAMERA, card_before_wall

from core.editing.apply import apply, apply_all, new_project
from core.editing.memo import Memo
from core.editing.render import render, stages_ahead
from core.editing.stages import BEHIND, CUT_OUTS, GEOMETRY, INVENTING, PLATE, SHADOWS, WARP, Clock
from core.maths.rigid import pose
from core.types import edits
from core.types.camera import Camera
from core.types.flow import FlowField
from core.types.mask import Mask
from core.types.project import Project
from core.types.scene import Placement

SCENE = card_before_wall()
OPENED = new_project(SCENE.photo, SCENE.estimate)
MOVED = apply_all(
    OPENED, [edits.AddObject("card", SCENE.mask, "Card"), edits.PlaceObject("card", Placement((0.2, 0.0, 0.0)))]
)
SEEN_ANEW = edits.SetCamera(Camera(CAMERA, pose(np.eye(3), (0.2, 0.0, 0.0))))
AGAIN = edits.RerollRegion(Mask(np.full_like(SCENE.mask.coverage, 255)), 1)
SHAPE = SCENE.mask.coverage.shape
STILL = FlowField(np.zeros((*SHAPE, 2), np.float32), np.ones(SHAPE, bool), np.zeros(SHAPE, bool))
NAMED = INVENTING | {PLATE, SHADOWS, WARP}


@pytest.mark.parametrize(
    "project",
    [
        OPENED,
        MOVED,
        apply(OPENED, SEEN_ANEW),
        apply(MOVED, SEEN_ANEW),
        apply(MOVED, AGAIN),
        apply(OPENED, edits.SetFlow(STILL)),
    ],
    ids=["photo", "moved", "seen anew", "moved and seen anew", "invented again", "given flow"],
)
@pytest.mark.parametrize("before", [OPENED, MOVED], ids=["after the photo", "after a move"])
def test_what_lies_ahead_is_what_is_done(project: Project, before: Project):
    memo, engine = Memo(), FlatEngine()
    list(render(before, engine, memo))
    ahead = stages_ahead(project, engine.info, memo)
    (frame,) = render(project, engine, memo, stream=False)
    assert ahead & NAMED == frame.seconds.keys() & NAMED
    assert ahead <= frame.seconds.keys()


def test_what_is_in_the_memo_does_not_lie_ahead():
    memo, engine = Memo(), FlatEngine()
    assert {GEOMETRY, CUT_OUTS, PLATE, BEHIND} <= stages_ahead(MOVED, engine.info, memo)
    list(render(MOVED, engine, memo))
    farther = apply(MOVED, edits.PlaceObject("card", Placement((0.3, 0.0, 0.0))))
    assert not {GEOMETRY, CUT_OUTS, PLATE, BEHIND} & stages_ahead(farther, engine.info, memo)
    assert {GEOMETRY, CUT_OUTS, PLATE, BEHIND} <= stages_ahead(farther, engine.info, memo, max_side=40)


def test_a_stage_that_every_frame_repeats_counts_once():
    clock = Clock({"a": 100.0, "b": 100.0})
    with clock.stage("a"), clock.stage("b", anew=True):
        pass
    assert clock.seconds["a"] >= 100 > clock.seconds["b"]
