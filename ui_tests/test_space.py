"""The 3D view on the studio's stage: handles, keys, snapping, points and views, with the real engine."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from conftest import PICTURE_SHOWN, assert_not_blank, screenshot, served, wait_in_page
from editor import Editor
from playwright.sync_api import FloatRect, Frame, Page, ViewportSize

from app.server import build_app
from app.services import Services
from app.session import Session
from app.store import SessionStore
from app.viewport.geometry import letterbox, screen_intrinsics
from app.viewport.object_node import GIZMO_PIXELS
from app.viewport.picture import CANVAS_COLOUR
from core.editing.apply import scene_up
from core.maths.camera import project
from core.maths.rigid import ground_axes

CUP = (0.5, 0.5)
SIZE = ViewportSize(width=1280, height=720)
FIELDS = ("move-right", "move-up", "move-away", "size")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SessionStore, str]]:
    """All Gaussians of a photo take a software renderer seconds a frame; a few show as much."""
    store = SessionStore(Services(), tmp_path_factory.mktemp("autosave"))
    with pytest.MonkeyPatch.context() as patch, served(build_app(store)) as address:
        patch.setattr("app.bridge.OBJECT_BUDGET", 25_000)
        patch.setattr("app.bridge.BACKGROUND_BUDGET", 60_000)
        yield store, address


@dataclass
class Space:
    """Coffee with its cup selected, in the 3D view, at the photo's own camera."""

    editor: Editor
    frame: Frame
    session: Session
    canvas: FloatRect

    @property
    def page(self) -> Page:
        return self.editor.page

    def numbers(self) -> tuple[float, ...]:
        return tuple(self.editor.number(field) for field in FIELDS)

    def picture(self) -> np.ndarray:
        x, y, width, height = (int(self.canvas[side]) for side in ("x", "y", "width", "height"))
        return screenshot(self.page)[y : y + height, x : x + width]

    def right_arrow(self) -> tuple[float, float]:
        """Where on the page the gizmo's arrow to the right is."""
        scene = self.session.project.scene
        item, width, height = scene.objects[0], self.canvas["width"], self.canvas["height"]
        lens = screen_intrinsics(letterbox(scene.source_intrinsics, width / height).fov_y, width, height)
        at = np.add(item.pivot, item.placement.translation)
        pivot, ahead = project(lens, at), project(lens, at + 0.01 * ground_axes(scene_up(scene))[0])
        x, y = pivot + 0.7 * GIZMO_PIXELS * (ahead - pivot) / np.linalg.norm(ahead - pivot)
        return self.canvas["x"] + float(x), self.canvas["y"] + float(y)

    def pull(self, start: tuple[float, float], dx: float, dy: float = 0.0, steps: int = 4) -> None:
        """Press at `start` and move; the button stays down."""
        mouse = self.page.mouse
        mouse.move(*start)
        self.page.wait_for_timeout(400)
        mouse.down()
        for step in range(1, steps + 1):
            mouse.move(start[0] + dx * step / steps, start[1] + dy * step / steps)
            self.page.wait_for_timeout(150)

    def rest(self) -> None:
        self.page.wait_for_timeout(1500)

    def release(self) -> None:
        steps = self.editor.steps()
        self.page.mouse.up()
        wait_in_page(self.page, lambda: self.editor.steps() != steps)
        self.editor.settle()


@pytest.fixture
def space(page: Page, studio: tuple[SessionStore, str]) -> Space:
    store, address = studio
    page.set_viewport_size(SIZE)
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    editor = Editor(page, address)
    editor.open_sample("coffee")
    editor.click_photo(*CUP)
    editor.by_id("view-space").click()
    wait_in_page(page, lambda: any("/viewport/" in frame.url for frame in page.frames))
    frame = next(frame for frame in page.frames if "/viewport/" in frame.url)
    frame.wait_for_function(PICTURE_SHOWN)
    frame.locator("#sizer").wait_for()
    canvas = page.frame_locator("[data-testid=viewport]").locator("canvas").first.bounding_box()
    assert canvas is not None
    made = Space(editor, frame, store.get(frame.url.split("/viewport/")[1].split("/")[0]), canvas)
    made.rest()
    assert errors == []
    return made


def test_the_gizmo_moves_the_cup_over_a_whole_table_in_one_step(space: Space):
    steps = space.editor.steps()
    space.pull(space.right_arrow(), dx=-150)
    space.rest()
    during = space.picture()
    assert (np.abs(during[30:-30, 120:800].astype(int) - CANVAS_COLOUR).max(axis=-1) < 3).mean() < 0.01
    assert space.editor.steps() == steps
    wait_in_page(space.page, lambda: space.editor.number("move-right") < -0.1)
    held = space.numbers()
    space.release()
    assert len(space.editor.steps()) == len(steps) + 1
    assert space.numbers() == pytest.approx(held, abs=2e-3)
    assert space.editor.number("move-up") == pytest.approx(0.0, abs=1e-3)
    space.rest()
    # The hand's picture is the edited one but for its few Gaussians: nothing torn, nothing missing.
    apart = np.abs(space.picture()[:, 120:800].astype(int) - during[:, 120:800]).mean(axis=-1)
    assert apart.mean() < 12
    assert (apart > 90).mean() < 0.03


def test_escape_gives_back_what_g_took(space: Space):
    steps, numbers, before = space.editor.steps(), space.numbers(), space.picture()
    space.page.mouse.move(space.canvas["x"] + 400, space.canvas["y"] + 300)
    space.frame.locator("canvas").first.focus()
    space.page.keyboard.press("g")
    space.page.mouse.move(space.canvas["x"] + 300, space.canvas["y"] + 330, steps=4)
    wait_in_page(space.page, lambda: "X" in space.frame.locator("#readout").inner_text())
    wait_in_page(space.page, lambda: space.numbers() != numbers)
    space.page.keyboard.press("Escape")
    wait_in_page(space.page, lambda: np.abs(space.picture().astype(int) - before).max() <= 2)
    wait_in_page(space.page, lambda: space.numbers() == numbers)
    assert space.editor.steps() == steps


def test_snapping_moves_in_whole_steps(space: Space):
    space.editor.by_id("space-snap").check()
    space.pull(space.right_arrow(), dx=-130)
    space.release()
    wait_in_page(space.page, lambda: space.editor.number("move-right") < 0)
    assert space.editor.number("move-right") / 0.1 == pytest.approx(round(space.editor.number("move-right") / 0.1))


def test_the_size_handle_scales_about_the_foot(space: Space):
    box = space.frame.locator("#sizer").bounding_box()
    assert box is not None
    space.pull((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), dx=0, dy=120)
    space.release()
    wait_in_page(space.page, lambda: space.editor.number("size") < 0.9)
    right, up, away, _ = space.numbers()
    assert (right, up, away) == (0, 0, 0)


def test_an_orbit_can_become_the_picture_and_points_show_from_there(space: Space):
    x, y = space.canvas["x"] + 60, space.canvas["y"] + 80
    space.pull((x, y), dx=40)
    space.page.mouse.up()
    space.rest()
    steps = space.editor.steps()
    space.editor.by_id("take-view").click()
    wait_in_page(space.page, lambda: space.editor.steps() != steps)
    space.editor.settle()
    wait_in_page(space.page, lambda: abs(space.editor.number("yaw")) > 2)
    assert abs(space.editor.number("pitch")) < 1.5
    space.editor.by_id("space-points").check()
    wait_in_page(space.page, lambda: space.frame.evaluate(POINTS_DRAWN))
    space.rest()
    assert not space.frame.evaluate(PICTURE_SHOWN)
    assert_not_blank(space.picture())


def test_the_photo_s_view_is_a_click_away_and_a_hidden_view_draws_nothing(space: Space):
    space.pull((space.canvas["x"] + 60, space.canvas["y"] + 80), dx=40)
    space.page.mouse.up()
    wait_in_page(space.page, lambda: space.frame.evaluate(SPLATS_DRAWN) > 0)
    space.editor.by_id("view-photo").click()
    assert space.editor.by_id("base").is_visible()
    wait_in_page(space.page, lambda: space.frame.evaluate(SPLATS_DRAWN) == 0)
    space.editor.by_id("view-space").click()
    wait_in_page(space.page, lambda: space.frame.evaluate(SPLATS_DRAWN) > 0)
    steps = space.editor.steps()
    space.editor.by_id("space-home").click()
    wait_in_page(space.page, lambda: space.frame.evaluate(PICTURE_SHOWN))
    assert space.editor.steps() == steps


def test_keys_go_where_the_pointer_is(space: Space):
    space.editor.by_id("space-snap").focus()
    space.page.mouse.move(space.canvas["x"] + 400, space.canvas["y"] + 300)
    space.page.keyboard.press("g")
    space.frame.locator("#readout").wait_for()
    space.page.keyboard.press("Escape")
    wait_in_page(space.page, lambda: not space.frame.locator("#readout").is_visible())


SPLATS_DRAWN = """() => {
  let drawn = 0;
  window.__viserMutable.scene.traverse((object) => {
    if (object.material?.uniforms?.textureT_camera_groups && object.visible) drawn += object.geometry.instanceCount;
  });
  return drawn;
}"""
POINTS_DRAWN = """() => {
  let drawn = false;
  window.__viserMutable.scene.traverse((object) => { drawn ||= Boolean(object.isPoints && object.visible); });
  return drawn;
}"""
