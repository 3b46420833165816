"""Shadows that go with their objects: lifted, laid, lifted off the ground with them, and never beyond their masks."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fakes import FlatEngine
from shadowed import ABOVE, AWAY, CAMERA, FOOT, UP, Shadowed, floor_points, shadow_ratio, shadowed_card

from core.editing.apply import apply
from core.editing.layers import source_view, touched_by
from core.editing.memo import Memo
from core.editing.render import render
from core.editing.shadow_casting import cast_shadows
from core.editing.shadows import proposed_shadow
from core.errors import InvalidInput
from core.maths.camera import pixel_rays
from core.maths.colour import linear_light
from core.maths.rigid import axis_rotation, ground_axes, invert, pose, quaternion_from_rotation
from core.types.camera import Camera
from core.types.edits import AddObject, DuplicateObject, HideObject, PlaceObject, SetCamera, SetShadow
from core.types.frame import Frame
from core.types.mask import Mask
from core.types.project import Project
from core.types.scene import Placement, Vec3

SCENE = shadowed_card()
SIZE = (CAMERA.width, CAMERA.height)
AT_REST = replace(Placement(), scale=1 + 1e-12)
"""Cut out, but where it stood."""


def final(project: Project, engine: FlatEngine | None = None) -> Frame:
    (frame,) = render(project, engine or FlatEngine(), Memo(), stream=False)
    return frame


def grown(area: np.ndarray, pixels: int) -> np.ndarray:
    return cv2.dilate(area.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)) > 0


def moved(right: float = 0.0, up: float = 0.0, away: float = 0.0) -> Vec3:
    x, y, z = (np.array([right, up, away]) @ ground_axes(UP)).tolist()
    return x, y, z


def placed(placement: Placement, scene: Shadowed = SCENE) -> Project:
    return scene.project(PlaceObject("card", placement))


def darkness(project: Project) -> np.ndarray:
    """The green darkening of all cast shadows as the output camera sees them."""
    memo = Memo()
    amount = np.zeros(SIZE[::-1], np.float32)
    for shadow in cast_shadows(project, source_view(project, SIZE, memo), memo):
        amount[shadow.window] = np.maximum(amount[shadow.window], shadow.amount[..., 1])
    return amount


def centre(amount: np.ndarray) -> np.ndarray:
    """Right and away on the floor of a darkness' middle, each pixel weighed with the floor it covers."""
    right, away, depth = floor_points()
    weight = amount * depth**3
    return np.array([(weight * field).sum() for field in (right, away)]) / weight.sum()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_cut_but_not_moved_the_photo_is_reproduced(dtype: type) -> None:
    scene = shadowed_card(dtype=dtype)
    frame = final(placed(AT_REST, scene))
    apart = np.abs(frame.pixels.astype(int) - scene.photo.pixels)[~frame.invented]
    assert apart.max() <= 1


def test_removal_gives_the_lit_ground_back() -> None:
    with_shadow, without = (
        final(SCENE.project(HideObject("card"))),
        final(SCENE.project(HideObject("card"), shadow=False)),
    )
    ground = (SCENE.shadow.coverage > 0) & ~with_shadow.invented
    error, left = (np.abs(f.pixels.astype(float) - SCENE.lit)[ground].mean() for f in (with_shadow, without))
    assert left > 8 * error
    outside = (SCENE.shadow.coverage == 0) & ~with_shadow.invented
    assert np.array_equal(with_shadow.pixels[outside], SCENE.photo.pixels[outside])


def test_what_was_under_the_object_is_invented_from_lit_ground() -> None:
    engine = FlatEngine()
    final(SCENE.project(HideObject("card")), engine)
    (request,) = engine.requests
    rim = grown(request.unknown, 3) & ~request.unknown & (SCENE.shadow.coverage > 0)
    assert rim.sum() > 30
    ratio = linear_light(request.draft)[rim].mean() / linear_light(SCENE.lit)[rim].mean()
    assert ratio == pytest.approx(1, abs=0.06)


def test_relit_pixels_are_neither_invented_nor_moved() -> None:
    frame = final(SCENE.project(HideObject("card")))
    ground = (SCENE.shadow.coverage > 0) & ~touched_by(SCENE.card, SIZE)
    assert not frame.invented[ground].any()
    assert not frame.moved[ground].any()
    assert (frame.confidence[ground] == 1).all()
    assert not frame.flow.flow[ground].any()


@pytest.mark.parametrize(("right", "away"), [(0.4, 0.0), (0.3, -0.3), (0.0, 0.5)])
def test_sliding_takes_the_shadow_along_the_floor(right: float, away: float) -> None:
    start, there = centre(darkness(placed(AT_REST))), centre(darkness(placed(Placement(moved(right, 0.0, away)))))
    assert np.allclose(there - start, (right, away), atol=0.02)


def test_a_slid_shadow_is_the_analytic_one_and_covers_only_its_place() -> None:
    right, away, _ = floor_points()
    shift = (0.4, -0.25)
    frame = final(placed(Placement(moved(shift[0], 0.0, shift[1]))))
    expected = shadow_ratio(right, away, (FOOT[0] + shift[0], FOOT[1] + shift[1]))
    seen = ~(frame.moved | frame.invented) & (SCENE.shadow.coverage == 0)
    ratio = linear_light(frame.pixels)[..., 1] / linear_light(SCENE.photo.pixels)[..., 1]
    core = seen & (expected < 0.31)
    assert core.sum() > 150
    assert np.median(ratio[core]) == pytest.approx(0.3, abs=0.04)
    reach = grown(expected < 1, 5) | grown(frame.moved, 3)
    assert np.array_equal(frame.pixels[seen & ~reach], SCENE.photo.pixels[seen & ~reach])


def test_turning_the_object_turns_its_shadow() -> None:
    def spread(amount: np.ndarray) -> tuple[float, float]:
        right, away, depth = floor_points()
        weight, middle = amount * depth**3, centre(amount)
        across, along = (
            float(np.sqrt((weight * (field - m) ** 2).sum() / weight.sum()))
            for field, m in zip((right, away), middle, strict=True)
        )
        return across, along

    wide, deep = spread(darkness(placed(AT_REST)))
    turn = quaternion_from_rotation(axis_rotation(UP, np.pi / 2))
    turned_wide, turned_deep = spread(darkness(placed(Placement(rotation=turn))))
    assert wide > 1.4 * deep
    assert turned_deep == pytest.approx(wide, rel=0.08)
    assert turned_wide == pytest.approx(deep, rel=0.08)


def test_lifting_makes_the_shadow_softer_and_fainter_and_leaves_it_on_the_floor() -> None:
    low, middle, high = (darkness(placed(Placement(moved(up=lift)))) for lift in (0.01, 0.1, 0.25))
    assert low.max() > middle.max() > high.max() > 0.02
    steepest = [float(np.abs(np.gradient(d)[0]).max() / d.max()) for d in (low, middle, high)]
    assert steepest[0] > steepest[1] > steepest[2]
    assert np.linalg.norm(centre(high) - centre(low)) < 0.06
    assert np.array_equal(darkness(placed(Placement(moved(up=-0.2)))), darkness(placed(AT_REST)))


def test_a_copy_has_a_shadow_and_the_original_keeps_its_own() -> None:
    project = SCENE.project(DuplicateObject("card", "copy", Placement(moved(right=0.75))))
    frame = final(project)
    assert not frame.invented.any()
    there = SCENE.shadow.coverage > 0
    assert np.array_equal(frame.pixels[there], SCENE.photo.pixels[there])
    right, away, _ = floor_points()
    core = (shadow_ratio(right, away, (FOOT[0] + 0.75, FOOT[1])) < 0.31) & ~frame.moved & ~there
    assert (linear_light(frame.pixels)[core] < 0.5 * linear_light(SCENE.photo.pixels)[core]).mean() > 0.95


def test_two_shadows_are_as_dark_as_the_darker_one() -> None:
    one = darkness(placed(AT_REST)).max()
    both = final(SCENE.project(PlaceObject("card", AT_REST), DuplicateObject("card", "copy", AT_REST)))
    core = (SCENE.ratio[..., 1] < 0.31) & ~both.moved & ~both.invented
    ratio = linear_light(both.pixels)[core] / linear_light(SCENE.lit)[core]
    assert np.median(ratio) == pytest.approx(1 - one, abs=0.08)


def test_another_camera_sees_the_shadow_where_its_floor_is() -> None:
    turned = invert(pose(axis_rotation((0.0, 1.0, 0.0), 0.1), (-0.15, 0.0, 0.1)))
    project = apply(placed(Placement(moved(right=0.3))), SetCamera(Camera(CAMERA, turned)))
    amount = darkness(project)
    world = invert(turned)
    rays = pixel_rays(CAMERA).astype(np.float64) @ world.rotation.T
    up = np.array(UP)
    distance = -(ABOVE + world.translation @ up) / (rays @ up)
    floor = world.translation + rays * distance[..., None]
    expected = 1 - shadow_ratio(floor[..., 0], floor @ AWAY, (FOOT[0] + 0.3, FOOT[1]))
    overlap = np.minimum(amount, expected).sum() / np.maximum(amount, expected).sum()
    assert overlap > 0.85
    with_shadow, without = final(project), final(apply(project, SetShadow("card", None)))
    old = shadow_ratio(floor[..., 0], floor @ AWAY) < 1
    changed = (with_shadow.pixels != without.pixels).any(axis=2) & ~grown(old, 5)
    core = changed & (expected > 0.69)
    assert core.sum() > 100
    assert np.median(linear_light(with_shadow.pixels)[core] / linear_light(without.pixels)[core]) < 0.36
    assert not (changed & ~grown(expected > 0, 5)).any()


def test_a_shadow_does_not_climb_what_stands_before_the_floor() -> None:
    values = SCENE.estimate.depth.values.copy()
    right, away, _ = floor_points()
    wall = (np.abs(right - FOOT[0] - 0.5) < 0.3) & (np.abs(away - FOOT[1]) < 0.3) & (SCENE.card.coverage == 0)
    values[wall] *= 0.6
    depth = replace(SCENE.estimate.depth, values=values, id="")
    scene = replace(SCENE, estimate=replace(SCENE.estimate, depth=depth))
    frame = final(placed(Placement(moved(right=0.5)), scene))
    seen = wall & ~frame.moved & (SCENE.shadow.coverage == 0) & ~frame.invented
    assert seen.sum() > 300
    assert np.array_equal(frame.pixels[seen], SCENE.photo.pixels[seen])


def test_without_its_object_a_shadow_stays_and_forgetting_it_leaves_it_behind() -> None:
    untouched = SCENE.project()
    assert np.array_equal(final(untouched).pixels, SCENE.photo.pixels)
    left = final(apply(SCENE.project(HideObject("card")), SetShadow("card", None)))
    ground = (SCENE.shadow.coverage > 0) & ~left.invented
    assert np.array_equal(left.pixels[ground], SCENE.photo.pixels[ground])


def test_a_shadow_must_fit_the_photo() -> None:
    with pytest.raises(InvalidInput, match="size"):
        SCENE.project(SetShadow("card", Mask(np.full((4, 4), 255, np.uint8))))
    with pytest.raises(InvalidInput, match="empty"):
        SCENE.project(SetShadow("card", Mask(np.zeros(SIZE[::-1], np.uint8))))
    with pytest.raises(InvalidInput, match="no object"):
        SCENE.project(SetShadow("cup", SCENE.shadow))


def test_the_proposed_shadow_is_the_drawn_one() -> None:
    found = proposed_shadow(SCENE.project(shadow=False), "card")
    assert found is not None
    there = (SCENE.ratio[..., 1] < 0.9) & (SCENE.card.coverage == 0)
    inside = found.coverage >= 128
    assert inside[there].mean() > 0.95
    assert (inside & (SCENE.ratio[..., 1] > 0.995)).sum() < 0.6 * there.sum()
    frame = final(apply(SCENE.project(HideObject("card"), shadow=False), SetShadow("card", found)))
    ground = there & ~frame.invented
    left = np.abs(SCENE.photo.pixels.astype(float) - SCENE.lit)[ground].mean()
    assert left > 5 * np.abs(frame.pixels.astype(float) - SCENE.lit)[ground].mean()


def test_without_a_shadow_none_is_proposed() -> None:
    lit = SCENE.lit.copy()
    lit[SCENE.card.coverage > 0] = SCENE.photo.pixels[SCENE.card.coverage > 0]
    project = replace(SCENE.project(shadow=False), photo=replace(SCENE.photo, pixels=lit, srgb=lit, id=""))
    assert proposed_shadow(project, "card") is None


def test_adding_an_object_has_no_shadow() -> None:
    project = apply(SCENE.project(), AddObject("other", SCENE.card, "Other"))
    assert project.scene.object("other").shadow is None
