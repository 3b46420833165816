"""The 3D view in a real browser: exact photo, drags, keys, clicks; without the studio around it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from conftest import PICTURE_SHOWN, assert_not_blank, screenshot, served, wait_in_page
from fastapi import FastAPI
from playwright.sync_api import Page
from skimage.data import coffee

from app.viewport.geometry import Snap, letterbox
from app.viewport.object_node import ObjectLayer
from app.viewport.picture import on_canvas
from app.viewport.routes import viewport_routes
from app.viewport.scene import Viewport
from app.viewport.splats import layer_cloud
from core.maths.camera import intrinsics_from_fov, pixel_rays, project
from core.types.camera import Camera
from core.types.depth import Ground

UP = (0.0, -np.cos(np.radians(35.0)), -np.sin(np.radians(35.0)))
LEFT_HALF_PURPLE = (120, 40, 160)
# The canvas's width after what viser does in a slow orbit.
LOWERED_WIDTH = """() => {
  window.__viserMutable.scene.__r3f.root.getState().setDpr(0.75);
  return window.__viserMutable.canvas.width;
}"""


class Heard:
    """A ViewportListener that keeps what it hears."""

    def __init__(self):
        self.drags, self.clicks, self.keys, self.settled, self.failures = [], [], [], [], []

    def on_drag(self, object_id, placement, phase):
        self.drags.append((phase, placement))

    def on_click(self, x, y, object_id, modifiers):
        self.clicks.append((x, y, object_id, modifiers))

    def on_camera(self, camera_from_world, settled):
        if settled:
            self.settled.append(camera_from_world)

    def on_key(self, action):
        self.keys.append(action)

    def on_failure(self, failure):
        self.failures.append(failure)

    def placement(self, phase):
        return next((p for heard, p in reversed(self.drags) if heard == phase), None)


@dataclass
class Stage:
    page: Page
    viewport: Viewport
    heard: Heard
    photo: np.ndarray
    pivot_px: tuple[float, float]

    def settle(self):
        self.page.wait_for_timeout(800)

    def drag(self, start, end, steps=6):
        mouse = self.page.mouse
        mouse.move(*start)
        self.page.wait_for_timeout(500)
        mouse.down()
        for step in range(1, steps + 1):
            share = step / steps
            mouse.move(start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
            self.page.wait_for_timeout(120)


@pytest.fixture
def stage(page) -> Iterator[Stage]:
    """The coffee photo on a tilted plane, its cup as one object, at the photo's own camera."""
    photo = coffee()
    height, width = photo.shape[:2]
    lens = intrinsics_from_fov(55.0, width, height)
    depth = (1.0 / np.maximum(pixel_rays(lens) @ -np.array(UP), 0.05)).astype(np.float32)
    mask = np.zeros((height, width), bool)
    mask[60:290, 200:400] = True
    flat = np.full_like(depth, depth[289, 300])
    heard = Heard()
    viewport = Viewport(heard)
    viewport.show_photo(photo, Camera(lens), depth)
    pivot = pixel_rays(lens)[289, 300] * depth[289, 300]
    plate = np.where(mask[..., None], np.uint8(LEFT_HALF_PURPLE), photo)
    background = layer_cloud(plate, depth, lens, budget=12_000)
    item = layer_cloud(photo, flat, lens, mask * np.uint8(255), budget=6_000)
    cup = ObjectLayer(item, tuple(float(v) for v in pivot))
    viewport.set_layers(background, {"cup": cup}, plate, depth)
    viewport.set_ground(Ground(UP, 1.0))
    app = FastAPI()
    app.include_router(viewport_routes({"key": viewport}.get))
    with served(app) as address:
        page.goto(f"{address}/viewport/key/")
        page.wait_for_function(PICTURE_SHOWN)
        wait_in_page(page, viewport.at_home)
        camera = viewport.browser_camera()
        x, y = project(camera.intrinsics, pivot)
        made = Stage(page, viewport, heard, photo, (float(x), float(y)))
        made.settle()
        yield made
    viewport.close()
    assert heard.failures == []


def expected_home(stage: Stage, picture: np.ndarray) -> np.ndarray:
    return on_canvas(picture, letterbox(stage.viewport.output.intrinsics, 900 / 640), 900, 640)


def test_photo_view_is_the_photo_and_nothing_else(stage):
    shown = screenshot(stage.page)
    assert_not_blank(shown)
    assert np.abs(shown.astype(int) - expected_home(stage, stage.photo)).max() == 0


def test_photo_follows_the_canvas_size(stage):
    stage.page.set_viewport_size({"width": 700, "height": 600})
    expected = on_canvas(stage.photo, letterbox(stage.viewport.output.intrinsics, 700 / 600), 700, 600)
    wait_in_page(stage.page, lambda: np.abs(screenshot(stage.page).astype(int) - expected).max() == 0)


def test_dragging_the_gizmo_moves_the_object_over_the_plate(stage):
    viewport, (x, y) = stage.viewport, stage.pivot_px
    viewport.set_gizmo("world", slide=True, snap=Snap())
    viewport.select("cup")
    stage.settle()
    stage.drag((x + 60, y), (x - 60, y))
    wait_in_page(stage.page, lambda: stage.heard.placement("move") is not None)
    stage.page.wait_for_timeout(3000)
    purple = np.abs(screenshot(stage.page).astype(int) - LEFT_HALF_PURPLE).max(axis=-1) < 12
    assert purple.sum() > 2000, "the completed background does not show where the object was"
    assert purple[:, : int(x)].sum() < 0.3 * purple.sum()
    stage.page.mouse.up()
    wait_in_page(stage.page, lambda: stage.heard.placement("end") is not None)
    moved = stage.heard.placement("end").translation
    assert moved[0] < -0.05
    assert np.dot(moved, UP) == pytest.approx(0.0, abs=1e-6)
    assert [phase for phase, _ in stage.heard.drags].count("end") == 1
    result = np.full_like(stage.photo, 77)
    viewport.show_result(result)
    wait_in_page(stage.page, lambda: screenshot(stage.page)[320, 100].tolist() == [77, 77, 77])


def test_modal_keys_move_turn_and_restore(stage):
    page, heard, viewport = stage.page, stage.heard, stage.viewport
    page.mouse.move(450, 300)
    page.keyboard.press("g")
    assert heard.drags == []
    viewport.select("cup")
    stage.settle()
    page.keyboard.press("g")
    page.mouse.move(510, 300)
    wait_in_page(page, lambda: heard.placement("move") is not None)
    assert "Move" in page.locator("#readout").inner_text()
    page.keyboard.press("Escape")
    wait_in_page(page, lambda: heard.placement("cancel") is not None)
    assert viewport.object_node("cup").placement.is_rest
    for pressed in ["r", "z", "3", "0", "Enter"]:
        page.keyboard.press(pressed)
    wait_in_page(page, lambda: heard.placement("end") is not None)
    assert np.degrees(2 * np.arccos(heard.placement("end").rotation[0])) == pytest.approx(30.0)


def test_keys_reach_the_studio(stage):
    stage.page.mouse.click(20, 20)
    for pressed in ["h", "Delete", "Shift+D", "Control+z", "Control+Shift+z", "Tab", "?", "Escape"]:
        stage.page.keyboard.press(pressed)
    expected = ["hide", "remove", "duplicate", "undo", "redo", "original", "edited", "help", "deselect"]
    wait_in_page(stage.page, lambda: sorted(stage.heard.keys) == sorted(expected))


def test_click_names_pixel_object_and_button_and_a_drag_is_no_click(stage):
    camera, lens = stage.viewport.browser_camera(), stage.viewport.photo_camera.intrinsics
    x, y = project(camera.intrinsics, pixel_rays(lens)[150, 310])
    stage.page.mouse.click(x + 0.5, y + 0.5)
    stage.page.mouse.click(x + 0.5, y + 0.5, button="right")
    wait_in_page(stage.page, lambda: len(stage.heard.clicks) == 2)
    left, right = stage.heard.clicks
    assert left[:2] == pytest.approx((310, 150), abs=0.5)
    assert left[2] == "cup"
    assert (left[3].secondary, right[3].secondary) == (False, True)
    stage.drag((100, 100), (160, 110))
    stage.page.mouse.up()
    wait_in_page(stage.page, lambda: not stage.viewport.at_home())
    assert len(stage.heard.clicks) == 2


def test_orbit_leaves_the_picture_and_home_brings_it_back(stage):
    stage.drag((100, 100), (190, 110))
    stage.page.mouse.up()
    wait_in_page(stage.page, lambda: not stage.viewport.at_home())
    stage.page.wait_for_timeout(3000)
    assert not stage.page.evaluate(PICTURE_SHOWN)
    assert_not_blank(screenshot(stage.page))
    stage.page.keyboard.press("Home")
    wait_in_page(stage.page, stage.viewport.at_home)
    expected = expected_home(stage, stage.photo)
    wait_in_page(stage.page, lambda: np.abs(screenshot(stage.page).astype(int) - expected).max() == 0)
    assert stage.page.evaluate(PICTURE_SHOWN)


def test_a_view_at_rest_has_all_its_pixels(stage):
    expected = expected_home(stage, stage.photo)
    assert stage.page.evaluate(LOWERED_WIDTH) == 0.75 * 900
    wait_in_page(stage.page, lambda: np.abs(screenshot(stage.page).astype(int) - expected).max() == 0)
    stage.drag((100, 100), (190, 110))
    stage.page.mouse.up()
    wait_in_page(stage.page, lambda: not stage.viewport.at_home())
    assert stage.page.evaluate(LOWERED_WIDTH) == 0.75 * 900
    wait_in_page(stage.page, lambda: stage.page.evaluate("window.__viserMutable.canvas.width") == 900)


def test_viser_chrome_is_hidden(stage):
    visible = stage.page.evaluate(
        "() => [...document.querySelectorAll('[class*=mantine]')]"
        ".filter((e) => e.offsetWidth * e.offsetHeight > 0 && e.innerText?.trim()).map((e) => e.innerText)"
    )
    assert visible == []
