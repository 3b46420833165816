"""Peeling: the layers show the photo again, in the right order, and nothing of the front is left behind."""

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from fakes import FlatEngine
from layered_scenes import BLUE, FRONT_Z, HEIGHT, MIDDLE_Z, RED, WALL_Z, WIDTH, Cards, cards
from skimage import data

from core.editing.apply import apply, apply_all, new_project
from core.editing.memo import Memo
from core.editing.peel import BACKGROUND, peel
from core.engines.warp import WarpEngine
from core.errors import Cancelled, InvalidInput
from core.maths.exemplar import exemplar
from core.types.camera import Intrinsics
from core.types.depth import DepthEstimate, DepthMap
from core.types.edits import AddObject, DuplicateObject, HideObject, PlaceObject
from core.types.mask import Mask
from core.types.peeled import Peeled, PeeledLayer
from core.types.photo import Photo
from core.types.project import Project
from core.types.protocols import CancelToken, EngineRequest, EngineUpdate
from core.types.scene import Placement


def peeled(project: Project) -> Peeled:
    return peel(project, WarpEngine(exemplar), Memo())


def shown(layers: tuple[PeeledLayer, ...], rounded: bool) -> np.ndarray:
    """Source-over in coded values; `rounded` after every layer, as viewers with integer canvases do."""
    height, width = layers[0].alpha.shape
    canvas = np.zeros((height, width, 3))
    for layer in layers:
        share = (layer.alpha / np.iinfo(layer.alpha.dtype).max)[..., None]
        mixed = share * layer.pixels + (1 - share) * canvas[layer.window]
        canvas[layer.window] = np.rint(mixed) if rounded else mixed
    return np.rint(canvas)


def full_size(layer: PeeledLayer, field: np.ndarray) -> np.ndarray:
    whole = np.zeros((HEIGHT, WIDTH, *field.shape[2:]), field.dtype)
    whole[layer.window] = field
    return whole


@pytest.fixture(scope="module")
def scene() -> Cards:
    return cards()


@pytest.fixture(scope="module")
def stack(scene: Cards) -> Peeled:
    return peeled(scene.project)


@pytest.mark.parametrize("softness", [0.0, 0.8, 2.5])
def test_the_layers_show_an_8_bit_photo_bit_for_bit(softness: float) -> None:
    project = cards(softness=softness).project
    layers = peeled(project).layers
    assert np.array_equal(shown(layers, rounded=True), project.photo.pixels)
    assert np.abs(shown(layers, rounded=False) - project.photo.pixels).max() <= 1


def test_a_16_bit_photo_is_shown_within_rounding() -> None:
    project = cards(np.uint16).project
    layers = peeled(project).layers
    assert {layer.pixels.dtype for layer in layers} == {np.dtype(np.uint16)}
    assert np.abs(shown(layers, rounded=True) - project.photo.pixels).max() <= 1


def test_a_mask_that_fits_badly_still_gives_the_photo_back(scene: Cards) -> None:
    wrong = np.roll(scene.project.scene.object("front").mask.coverage, (5, -7), (0, 1))
    project = apply_all(scene.project, [HideObject("front"), AddObject("wrong", Mask(wrong), "Wrong")])
    assert np.array_equal(shown(peeled(project).layers, rounded=True), project.photo.pixels)


def test_layers_come_from_the_back_with_their_depth(stack: Peeled) -> None:
    assert [layer.name for layer in stack.layers] == [BACKGROUND, "Middle card", "Front card"]
    assert [layer.median_depth for layer in stack.layers] == pytest.approx([WALL_Z, MIDDLE_Z, FRONT_Z], rel=1e-3)
    assert stack.metric
    for layer in stack.layers:
        assert np.array_equal(layer.valid, layer.alpha > 0)
        assert layer.depth[layer.valid].min() > 0


def test_the_order_of_the_objects_list_does_not_matter(scene: Cards) -> None:
    turned = replace(scene.project.scene, objects=scene.project.scene.objects[::-1])
    layers = peeled(replace(scene.project, scene=turned)).layers
    assert [layer.name for layer in layers] == [BACKGROUND, "Middle card", "Front card"]


def test_nothing_of_the_objects_is_left_in_the_background(scene: Cards, stack: Peeled) -> None:
    wall = stack.layers[0]
    assert (wall.alpha == 255).all()
    away = np.abs(wall.pixels / 255 - np.array([0.45, 0.55, 0.45])).max(2)
    assert away.max() < 0.12  # the grain reaches 0.09
    untouched = cv2.dilate(np.maximum(scene.front, scene.middle), np.ones((21, 21))) == 0
    assert np.array_equal(wall.pixels[untouched], scene.project.photo.pixels[untouched])


def test_a_hidden_part_is_completed_in_its_own_colour(scene: Cards, stack: Peeled) -> None:
    middle = stack.layers[1]
    alpha, pixels = full_size(middle, middle.alpha), full_size(middle, middle.pixels) / 255
    hidden = (scene.middle > 0.99) & (scene.front > 0.99)
    # What is seen of it says at least this much: the straight line between the two places where it disappears.
    corner = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillConvexPoly(corner, np.array([[122, 80], [122, 126], [150, 126]]), 1)
    sure = hidden & (corner > 0)
    assert (alpha[sure] == 255).all()
    assert np.abs(pixels[hidden & (alpha > 0)] - BLUE).max() < 0.15
    beyond = (scene.front > 0.99) & (cv2.dilate(scene.middle, np.ones((13, 13))) == 0)
    assert (alpha[beyond] == 0).all()


def test_the_front_layer_has_no_fringe_of_what_is_behind(stack: Peeled) -> None:
    front = stack.layers[-1]
    seen = front.alpha >= 160
    assert np.abs(front.pixels[seen] / 255 - RED).max() < 0.3
    assert (front.pixels[front.alpha == 0] == 0).all()


def test_objects_are_peeled_where_the_photo_shows_them(scene: Cards, stack: Peeled) -> None:
    away = Placement(translation=(0.5, 0.0, 0.0))
    moved = [PlaceObject("front", away), HideObject("middle"), DuplicateObject("front", "copy", away)]
    layers = peeled(apply_all(scene.project, moved)).layers
    assert len(layers) == len(stack.layers)
    for one, other in zip(layers, stack.layers, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
        assert np.array_equal(one.alpha, other.alpha)


def test_a_transparent_photo_keeps_its_own_alpha() -> None:
    project = cards().project
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:60] = 100
    photo = replace(project.photo, alpha=alpha, id="")
    layers = peeled(replace(project, photo=photo)).layers
    colour, opacity = np.zeros((HEIGHT, WIDTH, 3)), np.zeros((HEIGHT, WIDTH, 1))
    for layer in layers:
        share, window = (layer.alpha / 255)[..., None], layer.window
        colour[window] = share * layer.pixels + (1 - share) * colour[window]
        opacity[window] = share + (1 - share) * opacity[window]
    assert np.array_equal(np.rint(255 * opacity[..., 0]), alpha)
    assert np.abs(colour / opacity - photo.pixels).max() <= 1


def test_a_cut_out_photo_has_layers_where_something_is_seen() -> None:
    project = cards().project
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    front = project.scene.objects[-1].mask.coverage
    rows, columns = np.nonzero(front > 0)
    alpha[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = 255
    photo = replace(project.photo, alpha=alpha, id="")
    layers = peeled(replace(project, photo=photo)).layers
    assert layers[0].alpha.shape != alpha.shape  # cropped to what is there
    canvas = np.zeros((HEIGHT, WIDTH, 3))
    for layer in layers:
        share = (layer.alpha / 255)[..., None]
        canvas[layer.window] = np.rint(share * layer.pixels + (1 - share) * canvas[layer.window])
    assert np.array_equal(canvas[alpha > 0], photo.pixels[alpha > 0])


def test_a_real_photo_with_hand_made_masks() -> None:
    picture = np.ascontiguousarray(data.coffee())
    rows, columns = picture.shape[:2]
    cup, saucer = (np.zeros((rows, columns), np.uint8) for _ in range(2))
    cv2.ellipse(saucer, (277, 226), (203, 158), 0, 0, 360, 255, cv2.FILLED, cv2.LINE_AA)
    cv2.ellipse(cup, (292, 115), (120, 100), 0, 0, 360, 255, cv2.FILLED, cv2.LINE_AA)
    cv2.ellipse(cup, (285, 190), (95, 95), 0, 0, 360, 255, cv2.FILLED, cv2.LINE_AA)
    values = np.full((rows, columns), 4.0, np.float32)
    values[saucer > 127], values[cup > 127] = 3.0, 2.0
    depth = DepthMap(values, np.ones(values.shape, bool), "relative", "drawn")
    camera = Intrinsics(500.0, 500.0, columns / 2, rows / 2, columns, rows)
    project = new_project(Photo("coffee", picture, picture), DepthEstimate(depth, camera))
    project = apply_all(project, [AddObject("a", Mask(saucer), "Saucer"), AddObject("b", Mask(cup), "Cup")])
    stack = peeled(project)
    assert [layer.name for layer in stack.layers] == [BACKGROUND, "Saucer", "Cup"]
    assert np.array_equal(shown(stack.layers, rounded=True), picture)
    saucer_layer = stack.layers[1]
    x, y = saucer_layer.origin
    behind_the_cup = saucer_layer.pixels[200 - y, 290 - x].astype(int)
    assert saucer_layer.alpha[200 - y, 290 - x] == 255
    assert behind_the_cup[0] > 2 * behind_the_cup[2]  # red glaze, not coffee cream or white rim


def test_an_object_behind_another_altogether_has_no_layer(scene: Cards) -> None:
    inner = np.zeros((HEIGHT, WIDTH), np.uint8)
    inner[80:100, 140:170] = 255
    larger = apply(scene.project, AddObject("inner", Mask(inner), "Inner"))
    same = apply(larger, AddObject("again", Mask(inner), "Again"))
    names = [layer.name for layer in peeled(same).layers]
    assert len(names) == 4
    assert names[:3] == [BACKGROUND, "Middle card", "Front card"]


def test_without_an_object_there_is_nothing_to_peel(scene: Cards) -> None:
    bare = replace(scene.project, scene=replace(scene.project.scene, objects=()))
    with pytest.raises(InvalidInput, match="cut one out"):
        peeled(bare)


class Stopping(FlatEngine):
    """Cancels whoever waits for it."""

    def render(self, request: EngineRequest, cancel: CancelToken) -> Iterator[EngineUpdate]:
        cancel.cancel()
        yield from super().render(request, cancel)


def test_progress_is_told_and_a_stop_is_heard(scene: Cards) -> None:
    told: list[float] = []
    peel(scene.project, FlatEngine(), Memo(), tell=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    with pytest.raises(Cancelled):
        peel(scene.project, Stopping(), Memo(), CancelToken())
