"""What exporters take, on scenes whose geometry is known exactly."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fakes import FlatEngine
from scenes import CAMERA, HEIGHT, WIDTH, card_before_wall, depth_estimate, slanted_floor, textured_photo
from shadowed import shadowed_card

from core.editing.apply import apply_all, new_project
from core.editing.memo import Memo
from core.editing.render import render
from core.editing.takeaway import (
    UNRENDERED,
    CloudOptions,
    Result,
    frame_depth,
    invented_mask,
    layer_stack,
    photo_depth,
    photo_view,
    point_cloud,
    selected_mask,
    take,
    textured_mesh,
)
from core.errors import InvalidInput
from core.maths.camera import project as to_pixels
from core.maths.camera import unproject
from core.maths.rigid import pose
from core.types.camera import Camera
from core.types.depth import DepthMap
from core.types.edits import AddObject, DuplicateObject, Edit, HideObject, PlaceObject, SetCamera, SetFlow
from core.types.flow import FlowField
from core.types.project import Project
from core.types.scene import Placement

MOVED = Placement(translation=(0.5, 0.0, 0.0))


def card_project(*edits: Edit, dtype: type = np.uint8) -> Project:
    scene = card_before_wall(dtype=dtype)
    project = new_project(scene.photo, scene.estimate)
    return apply_all(project, [AddObject("card", scene.mask, "Card"), *edits])


def rendered(project: Project) -> Result:
    engine, memo = FlatEngine(), Memo()
    (frame,) = render(project, engine, memo, stream=False)
    return Result(project, frame, engine, memo)


def test_points_lie_on_the_plane_and_keep_their_colours() -> None:
    scene = slanted_floor()
    cloud = point_cloud(photo_view(new_project(scene.photo, scene.estimate)))
    assert len(cloud.points) == WIDTH * HEIGHT
    ground = scene.estimate.ground
    assert ground is not None
    assert np.abs(cloud.points @ np.array(ground.up) + ground.height).max() < 1e-4
    assert np.array_equal(cloud.colours, scene.photo.srgb.reshape(-1, 3))


def test_no_point_hangs_beside_a_depth_step() -> None:
    cloud = point_cloud(photo_view(card_project()))
    assert set(np.round(cloud.points[:, 2], 3)) == {np.float32(2), np.float32(4)}
    ring = 4 * 24 - 4 + 4 * 24  # the card's rim, and the wall's pixels around it (corners touch no step)
    assert len(cloud.points) == WIDTH * HEIGHT - ring


def test_the_sky_and_unmeasured_pixels_give_no_points() -> None:
    values = np.full((HEIGHT, WIDTH), 3.0, np.float32)
    values[:20] = 300.0
    valid = np.ones(values.shape, bool)
    valid[:, :10] = False
    estimate = replace(depth_estimate(values), depth=DepthMap(values, valid, "metric", "test"))
    cloud = point_cloud(photo_view(new_project(textured_photo(), estimate)))
    assert cloud.points[:, 2].max() == pytest.approx(3.0)
    assert cloud.points[:, 0].min() > (10 - CAMERA.cx) / CAMERA.fx * 3.0


def test_an_edited_frames_points_are_in_world_axes() -> None:
    moved = pose(np.eye(3), (-0.2, 0.0, 0.0))
    result = rendered(card_project(SetCamera(Camera(CAMERA, moved))))
    cloud = take(result, "cloud")
    card = cloud.points[np.abs(cloud.points[:, 2] - 2.0) < 1e-3]
    left, right = (unproject(CAMERA, np.array([x, 30.0]), np.array(2.0))[0] for x in (36.5, 58.5))
    assert left - 0.06 < card[:, 0].min() < card[:, 0].max() < right + 0.06


def test_thinning_by_number_and_by_voxel() -> None:
    scene = slanted_floor()
    view = photo_view(new_project(scene.photo, scene.estimate))
    assert len(point_cloud(view, CloudOptions(max_points=100)).points) == 100
    thinned = point_cloud(view, CloudOptions(voxel=0.5, clean=True))
    assert 4 < len(thinned.points) < 1000


@pytest.mark.parametrize("options", [{"voxel": 0.0}, {"voxel": float("nan")}, {"max_points": 0}])
def test_options_that_thin_to_nothing_are_refused(options: dict) -> None:
    with pytest.raises(InvalidInput):
        CloudOptions(**options)


def test_a_mesh_has_the_grids_triangles_and_projects_onto_its_texture() -> None:
    scene = slanted_floor()
    mesh = textured_mesh(photo_view(new_project(scene.photo, scene.estimate)))
    assert len(mesh.vertices) == WIDTH * HEIGHT
    assert len(mesh.faces) == 2 * (WIDTH - 1) * (HEIGHT - 1)
    pixels = to_pixels(CAMERA, mesh.vertices)
    assert np.abs((pixels + 0.5) / (WIDTH, HEIGHT) - mesh.uv).max() < 1e-5


def test_triangles_face_the_camera() -> None:
    mesh = textured_mesh(photo_view(card_project()))
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    # Counter-clockwise from the front in a right-handed frame: the normal points back at the camera.
    assert (np.cross(b - a, c - a)[:, 2] < 0).all()


def test_a_mesh_is_cut_at_depth_steps_and_thinned() -> None:
    mesh = textured_mesh(photo_view(card_project()))
    depths = mesh.vertices[mesh.faces][..., 2]
    assert np.ptp(depths, axis=1).max() < 1e-5
    coarse = textured_mesh(photo_view(card_project()), max_vertices=800)
    assert 100 < len(coarse.vertices) <= 900
    assert coarse.uv.max() == pytest.approx(mesh.uv.max())


def test_a_picture_of_one_pixel_has_points_but_no_surface() -> None:
    photo = textured_photo(1, 1)
    camera = replace(CAMERA, cx=0.0, cy=0.0, width=1, height=1)
    estimate = replace(depth_estimate(np.ones((1, 1))), intrinsics=camera)
    view = photo_view(new_project(photo, estimate))
    assert point_cloud(view).points.tolist() == [[0.0, 0.0, 1.0]]
    with pytest.raises(InvalidInput, match="no mesh"):
        textured_mesh(view)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("edits", [(), (PlaceObject("card", MOVED),), (DuplicateObject("card", "copy", MOVED),)])
def test_layers_make_the_result(dtype: type, edits: tuple[Edit, ...]) -> None:
    result = rendered(card_project(*edits, dtype=dtype))
    stack = layer_stack(result)
    assert [layer.name for layer in stack.layers][0::100] == ["Background"]
    assert stack.layers[-1].name == "Result"
    assert not stack.layers[-1].visible
    canvas = stack.layers[0].picture.pixels.astype(np.float64)
    for layer in stack.layers[1:-1]:
        assert layer.picture.alpha is not None
        assert layer.picture.alpha.dtype == dtype
        rows, columns = layer.picture.alpha.shape
        window = canvas[layer.y : layer.y + rows, layer.x : layer.x + columns]
        share = (layer.picture.alpha / np.iinfo(dtype).max)[..., None]
        window[:] = share * layer.picture.pixels + (1 - share) * window
    hard = cv2.erode((~result.frame.invented).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert np.abs(canvas - result.frame.pixels)[hard].max() <= 1
    assert np.array_equal(stack.merged.pixels, result.frame.pixels)


def test_hidden_objects_have_no_layer_and_given_flow_has_one() -> None:
    hidden = layer_stack(rendered(card_project(HideObject("card"))))
    assert [layer.name for layer in hidden.layers] == ["Background", "Result"]
    still = FlowField(
        np.zeros((HEIGHT, WIDTH, 2), np.float32), np.ones((HEIGHT, WIDTH), bool), np.zeros((HEIGHT, WIDTH), bool)
    )
    given = layer_stack(rendered(card_project(SetFlow(still))))
    assert [layer.name for layer in given.layers] == ["Result"]


def test_an_objects_layer_lacks_what_stands_before_it() -> None:
    behind = PlaceObject("card", Placement(translation=(0.0, 0.0, 5.0)))
    stack = layer_stack(rendered(card_project(behind)))
    card = stack.layers[1].picture.alpha
    assert card is not None
    assert card.max() == 0


def test_depth_and_invented_pixels_are_the_frames_own() -> None:
    result = rendered(card_project(PlaceObject("card", MOVED)))
    depth = frame_depth(result.frame, result.project.depth)
    assert depth.scale == "metric"
    assert np.array_equal(depth.values, result.frame.depth)
    invented = invented_mask(result.frame).coverage
    assert set(np.unique(invented)) == {0, 255}
    assert np.array_equal(invented == 255, result.frame.invented)


def test_depth_comes_at_the_photos_size_with_its_holes() -> None:
    small = np.full((HEIGHT // 2, WIDTH // 2), 2.0, np.float32)
    valid = np.ones(small.shape, bool)
    valid[:, :5] = False
    large = photo_depth(DepthMap(small, valid, "metric", "test"), WIDTH, HEIGHT)
    assert large.values.shape == (HEIGHT, WIDTH)
    assert not large.valid[:, :10].any()
    assert large.valid[:, 10:].all()
    assert np.allclose(large.values[large.valid], 2.0)


def test_what_needs_no_frame() -> None:
    project = card_project()
    assert selected_mask(project, "card") == project.scene.object("card").mask
    with pytest.raises(InvalidInput, match="select"):
        selected_mask(project, None)
    assert set(UNRENDERED) == {"project", "mask", "camera"}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_shadow_is_a_layer_that_multiplies(dtype: type) -> None:
    scene = shadowed_card(dtype=dtype)
    result = rendered(scene.project(PlaceObject("card", Placement((0.4, 0.0, 0.0)))))
    stack = layer_stack(result)
    assert [layer.name for layer in stack.layers] == ["Background", "Shadows", "Card", "Result"]
    assert [layer.multiplies for layer in stack.layers] == [False, True, False, False]
    full = np.iinfo(dtype).max
    canvas = stack.layers[0].picture.pixels / full
    shadow = stack.layers[1]
    rows, columns = shadow.picture.pixels.shape[:2]
    canvas[shadow.y : shadow.y + rows, shadow.x : shadow.x + columns] *= shadow.picture.pixels / full
    background = ~cv2.dilate((result.frame.moved | result.frame.invented).astype(np.uint8), np.ones((5, 5))).view(bool)
    # Multiplying coded values is multiplying light but for the straight foot of sRGB's curve.
    assert np.abs(canvas - result.frame.pixels / full)[background].max() < 0.02
