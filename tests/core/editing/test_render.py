"""The whole pipeline on analytic scenes: exact where nothing moved, the photo's own pixels where something did."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import FlatEngine
from scenes import CAMERA, HEIGHT, WIDTH, AnalyticScene, card_before_wall, slanted_floor, sphere_before_wall

from core.editing.apply import apply, apply_all, new_project
from core.editing.memo import Memo
from core.editing.render import render
from core.errors import Cancelled
from core.maths.rigid import pose, quaternion_from_rotation, rotation_from_euler_deg
from core.types.camera import Camera
from core.types.edits import AddObject, DuplicateObject, HideObject, PlaceObject, ReleaseObject, SetCamera, SetFlow
from core.types.flow import FlowField
from core.types.frame import Frame
from core.types.mask import Mask
from core.types.project import Project
from core.types.protocols import CancelToken
from core.types.scene import Placement

MARGIN = 3  # pixels around a cut object that its edge may have spoilt


def opened(scene: AnalyticScene) -> Project:
    return new_project(scene.photo, scene.estimate)


def with_card(scene: AnalyticScene) -> Project:
    return apply(opened(scene), AddObject("card", scene.mask, "Card"))


def final(project: Project, engine: FlatEngine | None = None, **options) -> Frame:
    (frame,) = render(project, engine or FlatEngine(), Memo(), stream=False, **options)
    return frame


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    import cv2

    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)) > 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("make", [card_before_wall, slanted_floor, sphere_before_wall])
def test_the_null_edit_is_the_photo_bit_for_bit(make, dtype):
    scene = make()
    photo = scene.photo if dtype is np.uint8 else card_before_wall(dtype=dtype).photo
    project = new_project(photo, scene.estimate)
    selected = apply(project, AddObject("a", scene.mask, "A"))
    for variant in (project, selected, apply(selected, SetCamera(Camera(CAMERA)))):
        frame = final(variant)
        assert np.array_equal(frame.pixels, photo.pixels)
        assert frame.pixels.dtype == photo.pixels.dtype
        assert not frame.flow.flow.any()
        assert frame.flow.visible.all()
        assert not frame.invented.any()
        # A pixel here and there on the sphere's grazing rim counts as flying and is taken away.
        assert np.isclose(frame.depth, scene.estimate.depth.values, rtol=1e-5).mean() > 0.995


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_moved_card_carries_its_own_pixels_and_nothing_else_changes(dtype):
    scene = card_before_wall(2.0, 4.0, dtype)
    frame = final(apply(with_card(scene), PlaceObject("card", Placement((0.5, 0.0, 0.0)))))  # 0.5 * 80 / 2 = 20 px
    photo = scene.photo.pixels
    assert np.array_equal(frame.pixels[24:48, 56:80], photo[24:48, 36:60])
    landed = np.zeros((HEIGHT, WIDTH), bool)
    landed[24:48, 56:80] = True
    touched = grown(landed | (scene.mask.coverage > 0), MARGIN)
    assert np.array_equal(frame.pixels[~touched], photo[~touched])
    assert (frame.pixels[26:46, 38:54] == np.array(FlatEngine.colour) * (257 if dtype is np.uint16 else 1)).all()


def test_flow_depth_and_uncovered_area_of_a_move_are_exact():
    scene = card_before_wall(2.0, 4.0)
    frame = final(apply(with_card(scene), PlaceObject("card", Placement((0.5, 0.0, 0.0)))))
    assert np.allclose(frame.flow.flow[24:48, 36:60], (20.0, 0.0), atol=1e-3)
    assert not frame.flow.flow[:, :36].any()
    assert frame.flow.visible[24:48, 36:60].all()
    assert not frame.flow.visible[26:46, 61:79].any()  # the wall under the card's new place
    assert np.allclose(frame.depth[25:47, 57:79], 2.0, rtol=1e-4)
    assert np.allclose(frame.depth[26:46, 38:54], 4.0, rtol=0.02)  # behind where it stood
    assert frame.flow.uncovered[24:48, 36:56].all()
    assert not frame.flow.uncovered[25:47, 57:79].any()
    assert np.array_equal(frame.flow.uncovered, frame.invented)


def test_moving_away_makes_smaller_and_behind_hides():
    scene = card_before_wall(2.0, 4.0)
    away = final(apply(with_card(scene), PlaceObject("card", Placement((0.0, 0.0, 1.0)))))
    assert (np.isclose(away.depth, 3.0, rtol=1e-3)).sum() == pytest.approx(16 * 16, abs=40)
    behind = final(apply(with_card(scene), PlaceObject("card", Placement((0.8, 0.0, 3.0)))))
    assert not np.isclose(behind.depth, 5.0, rtol=0.02).any()
    assert not behind.flow.visible[24:48, 36:60].any()


@pytest.mark.parametrize(
    "placement",
    [Placement((0.0, 0.0, -2.5)), Placement((50.0, 0.0, 0.0)), Placement((0.0, 0.0, 900.0))],
    ids=["behind the camera", "off the frame", "too far to see"],
)
def test_an_object_out_of_sight_is_a_clear_result(placement):
    scene = card_before_wall(2.0, 4.0)
    frame = final(apply(with_card(scene), PlaceObject("card", placement)))
    outside = ~grown(scene.mask.coverage > 0, MARGIN)
    assert np.array_equal(frame.pixels[outside], scene.photo.pixels[outside])


def test_turning_and_scaling_keep_the_pivot_in_place():
    scene = card_before_wall(2.0, 4.0)
    project = with_card(scene)
    x, y, z = project.scene.objects[0].pivot
    u, v = CAMERA.fx * x / z + CAMERA.cx, CAMERA.fy * y / z + CAMERA.cy
    turn = quaternion_from_rotation(rotation_from_euler_deg(0, 0, 90))
    frame = final(apply(project, PlaceObject("card", Placement(rotation=turn, scale=1.5))))
    flow = frame.flow.flow[round(v), round(u)]
    assert np.hypot(*flow) < 2.0


def test_a_hidden_object_leaves_what_was_behind_it():
    scene = card_before_wall(2.0, 4.0)
    frame = final(apply(with_card(scene), HideObject("card")))
    assert frame.invented[24:48, 36:60].all()
    assert np.isnan(frame.flow.flow[24:48, 36:60]).all()
    assert np.allclose(frame.depth, 4.0, rtol=0.02)


def test_a_copy_leaves_the_original_untouched():
    scene = card_before_wall(2.0, 4.0)
    frame = final(apply(with_card(scene), DuplicateObject("card", "copy", Placement((0.9, 0.0, 0.0)))))
    assert np.array_equal(frame.pixels[24:48, 36:60], scene.photo.pixels[24:48, 36:60])
    assert np.array_equal(frame.pixels[26:46, 74:94], scene.photo.pixels[26:46, 38:58])
    assert not frame.invented.any()
    assert not frame.flow.flow.any()


def test_released_and_restored_objects_give_the_photo_back():
    scene = card_before_wall()
    project = apply_all(
        with_card(scene),
        [PlaceObject("card", Placement((0.3, 0, 0))), HideObject("card"), HideObject("card", False)],
    )
    assert not np.array_equal(final(project).pixels, scene.photo.pixels)
    for edit in (PlaceObject("card", Placement()), ReleaseObject("card")):
        assert np.array_equal(final(apply(project, edit)).pixels, scene.photo.pixels)


def test_nearer_objects_are_drawn_over_farther_ones_whatever_their_order():
    scene = card_before_wall(2.0, 4.0)
    near = DuplicateObject("card", "near", Placement((0.2, 0.0, -0.5)))
    far = DuplicateObject("card", "far", Placement((0.4, 0.1, 0.5)))
    one = final(apply_all(with_card(scene), [near, far]))
    other = final(apply_all(with_card(scene), [far, near]))
    assert np.array_equal(one.pixels, other.pixels)
    assert np.isclose(one.depth, 1.5, rtol=0.01).any()


def test_a_camera_move_shows_the_photo_where_it_can_and_invents_the_rest():
    scene = card_before_wall(2.0, 4.0)
    moved = Camera(CAMERA, pose(np.eye(3), (-0.5, 0.0, 0.0)))  # half a unit to the right: card -20 px, wall -10 px
    frame = final(apply(opened(scene), SetCamera(moved)))
    assert np.array_equal(frame.pixels[26:46, 18:38], scene.photo.pixels[26:46, 38:58])
    assert np.array_equal(frame.pixels[55:, 2:80], scene.photo.pixels[55:, 12:90])
    assert frame.invented[:, 87:].all()  # beyond the photo's right edge
    assert frame.invented[26:46, 41:49].all()  # what the card hid
    assert np.allclose(frame.depth[26:46, 18:38], 2.0, rtol=1e-3)
    assert np.allclose(frame.flow.flow[50:, 20:80], (-10.0, 0.0), atol=1e-3)


def test_moving_object_and_camera_together_cancels():
    scene = card_before_wall(2.0, 4.0)
    project = apply(with_card(scene), PlaceObject("card", Placement((0.5, 0.0, 0.0))))
    frame = final(apply(project, SetCamera(Camera(CAMERA, pose(np.eye(3), (-0.5, 0.0, 0.0))))))
    assert np.array_equal(frame.pixels[25:47, 37:59], scene.photo.pixels[25:47, 37:59])
    assert np.allclose(frame.flow.flow[25:47, 37:59], 0.0, atol=1e-3)


def test_a_given_flow_drives_the_picture_and_nan_takes_pixels_away():
    scene = card_before_wall()
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[24:48, 36:60] = (12.0, 0.0)
    flow[:10] = np.nan
    given = FlowField(flow, np.ones((HEIGHT, WIDTH), bool), np.zeros((HEIGHT, WIDTH), bool))
    frame = final(apply(opened(scene), SetFlow(given)))
    assert np.array_equal(frame.pixels[26:46, 50:70], scene.photo.pixels[26:46, 38:58])
    assert np.array_equal(frame.pixels[50:], scene.photo.pixels[50:])
    assert frame.invented[:9].all()
    assert frame.invented[26:46, 38:46].all()
    assert not frame.invented[50:].any()


def test_a_stream_ends_with_the_final_frame_and_remembers_the_plate():
    scene = card_before_wall()
    engine, memo = FlatEngine(), Memo()
    first = apply(with_card(scene), PlaceObject("card", Placement((0.3, 0, 0))))
    second = apply(first, PlaceObject("card", Placement((0.4, 0, 0))))
    assert [f.stage for f in render(first, engine, memo)] == ["preview", "final"]
    assert [f.stage for f in render(second, engine, memo)] == ["final"]
    assert len(engine.requests) == 1


def test_cancel_stops_the_stream():
    token = CancelToken()
    frames = render(apply(with_card(card_before_wall()), HideObject("card")), FlatEngine(), Memo(), cancel=token)
    next(frames)
    token.cancel()
    with pytest.raises(Cancelled):
        next(frames)


def test_a_smaller_render_is_the_same_edit():
    scene = card_before_wall()
    project = apply(with_card(scene), PlaceObject("card", Placement((0.5, 0.0, 0.0))))
    frame = final(project, max_side=48)
    assert frame.pixels.shape == (36, 48, 3)
    assert np.allclose(frame.flow.flow[14:22, 20:28], (10.0, 0.0), atol=1e-3)


def test_alpha_travels_with_the_object():
    scene = card_before_wall()
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[24:48, 36:60] = 128
    alpha[:5] = 0
    photo = replace(scene.photo, alpha=alpha, id="")
    project = new_project(photo, scene.estimate)
    assert np.array_equal(final(project).alpha, alpha)
    moved = apply_all(project, [AddObject("card", scene.mask, "Card"), PlaceObject("card", Placement((0.5, 0, 0)))])
    frame = final(moved)
    assert (frame.alpha[26:46, 58:78] == 128).all()
    assert (frame.alpha[26:46, 40:50] == 255).all()
    assert not frame.alpha[:5].any()


def test_the_engine_is_told_what_must_not_bleed():
    scene = card_before_wall()
    engine = FlatEngine()
    project = apply(with_card(scene), PlaceObject("card", Placement((0.25, 0.0, 0.0))))
    final(apply(project, SetCamera(Camera(CAMERA, pose(np.eye(3), (-0.2, 0.0, 0.0))))), engine)
    plate, view = engine.requests
    assert plate.unknown[24:48, 36:60].all()
    assert not view.unknown[view.foreground].any()


def test_an_engine_that_takes_flow_gets_the_field_that_warped_its_draft():
    scene = card_before_wall()
    camera = Camera(CAMERA, pose(np.eye(3), np.array([-0.1, 0.02, 0.0])))
    edited = apply_all(with_card(scene), [PlaceObject("card", Placement((0.3, 0, 0))), SetCamera(camera)])
    engine = FlatEngine()
    engine.info = replace(FlatEngine.info, takes_flow=True)
    told = final(edited, engine).flow.flow
    at_rest, seen = (request.flow for request in engine.requests)
    assert at_rest is not None
    assert seen is not None
    card, clear = scene.mask.coverage >= 128, ~grown(scene.mask.coverage, MARGIN)
    assert np.isnan(at_rest.flow[card]).all()
    assert not at_rest.flow[~card].any()
    assert np.isnan(seen.flow[card]).all()
    assert np.array_equal(seen.flow[clear], told[clear])
    assert seen.uncovered[engine.requests[1].unknown].all()
    other = FlatEngine()
    final(edited, other)
    assert [request.flow for request in other.requests] == [None, None]


def test_a_copy_goes_behind_an_object_that_only_its_mask_knows():
    scene = card_before_wall()
    floor = slanted_floor()
    depth = replace(floor.estimate.depth, upright_objects=True, id="")
    project = apply(new_project(floor.photo, replace(floor.estimate, depth=depth)), AddObject("a", scene.mask, "A"))
    farther = apply(project, DuplicateObject("a", "b", Placement((0.1, -0.3, 0.6))))
    frame, core = final(farther), grown(scene.mask.coverage < 128, 2)
    assert np.array_equal(frame.pixels[~core], floor.photo.pixels[~core])
    assert not np.array_equal(frame.pixels, floor.photo.pixels)
    nearer = final(apply(project, DuplicateObject("a", "b", Placement((0.05, 0.0, -0.2)))))
    assert not np.array_equal(nearer.pixels[~core], floor.photo.pixels[~core])


def test_an_object_that_only_its_mask_knows_stands_in_the_depth_and_is_seen():
    scene, floor = card_before_wall(), slanted_floor()
    depth = replace(floor.estimate.depth, upright_objects=True, id="")
    project = new_project(floor.photo, replace(floor.estimate, depth=depth))
    frame = final(apply(project, AddObject("a", scene.mask, "A")))
    assert np.array_equal(frame.pixels, floor.photo.pixels)
    assert frame.flow.visible.all()
    assert frame.depth[26, 48] < 0.9 * floor.estimate.depth.values[26, 48]
    assert not frame.invented.any()


def test_a_guessed_backdrop_hides_no_object_that_is_pushed_into_it():
    scene = card_before_wall(2.0, 4.0)
    guess = replace(scene.estimate.depth, upright_objects=True, id="")
    project = new_project(scene.photo, replace(scene.estimate, depth=guess))
    behind = PlaceObject("card", Placement((0.8, 0.0, 3.0)))
    frame = final(apply_all(project, [AddObject("card", scene.mask, "Card"), behind]))
    assert frame.flow.visible[30:40, 42:54].any()


def test_depth_that_may_be_wrong_hides_no_object_by_little_but_a_cut_out_thing_does():
    scene = card_before_wall()
    wall = float(scene.estimate.depth.values.max())
    behind = PlaceObject("card", Placement((0.0, 0.0, 1.1 * wall - float(scene.estimate.depth.values.min()))))
    shown = {}
    for tolerance in (0.0, 0.4):
        depth = replace(scene.estimate.depth, tolerance=tolerance, id="")
        project = new_project(scene.photo, replace(scene.estimate, depth=depth))
        edited = apply_all(project, [AddObject("card", scene.mask, "Card"), behind])
        shown[tolerance] = final(edited).moved.sum()
        wall_mask = np.where(grown(scene.mask.coverage > 0, 9), np.uint8(0), np.uint8(255))
        kept = apply(edited, AddObject("wall", Mask(wall_mask), "Wall"))
        assert not (final(kept).moved & (wall_mask > 0)).any()
    assert shown[0.0] == 0 < shown[0.4]
