"""The studio's page in the words of somebody who uses it."""

from pathlib import Path

import numpy as np
from conftest import screenshot, wait_in_page
from playwright.sync_api import Locator, Page


class Editor:
    """One tab with the studio in it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        page.goto(address)
        self.by_id("stage").wait_for()
        wait_in_page(page, lambda: self.by_id("sample-coffee").is_visible())

    def by_id(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    def open_sample(self, name: str) -> None:
        self.by_id(f"sample-{name}").click()
        self.wait_for_photo()

    def open_file(self, path: Path) -> None:
        self.by_id("file").set_input_files(path)

    def wait_for_photo(self) -> None:
        wait_in_page(self.page, lambda: self.stage("data-state") not in (None, "empty"))
        self.settle()

    def settle(self) -> None:
        """Until nothing is being made any more."""
        wait_in_page(self.page, lambda: not self.by_id("cancel").is_visible(), seconds=120)
        self.page.wait_for_timeout(400)
        wait_in_page(self.page, lambda: not self.by_id("cancel").is_visible(), seconds=120)

    def stage(self, attribute: str) -> str | None:
        return self.by_id("stage").get_attribute(attribute)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where a fraction of the shown picture is on the page."""
        box = self.by_id("result").bounding_box() or self.by_id("base").bounding_box()
        assert box is not None
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def click_photo(self, x: float, y: float, **options) -> None:
        steps = self.steps()
        self.page.mouse.click(*self.point(x, y), **options)
        wait_in_page(self.page, lambda: self.steps() != steps)
        self.settle()

    def drag_photo(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        steps, mouse = self.steps(), self.page.mouse
        mouse.move(*self.point(*start))
        mouse.down()
        mouse.move(*self.point(*((np.array(start) + end) / 2)), steps=4)
        mouse.move(*self.point(*end), steps=4)
        self.page.wait_for_timeout(300)
        mouse.up()
        wait_in_page(self.page, lambda: self.steps() != steps)
        self.settle()

    def steps(self) -> list[str]:
        """The labels of the history strip."""
        return self.page.locator("[data-testid^=step-]").all_inner_texts()

    def objects(self) -> list[str]:
        rows = self.page.locator("#objects [id^=object-]")
        return [rows.nth(i).get_attribute("id") or "" for i in range(rows.count())]

    def number(self, element_id: str) -> float:
        """The value of one of Gradio's number fields."""
        return float(self.page.locator(f"#{element_id} input").first.input_value())

    def type_number(self, element_id: str, value: float) -> None:
        field = self.page.locator(f"#{element_id} input").first
        field.fill(str(value))
        field.press("Enter")

    def status(self) -> str:
        return self.by_id("status").inner_text()

    def picture(self) -> np.ndarray:
        """What the stage shows, u8 RGB."""
        box = self.by_id("stage").bounding_box()
        assert box is not None
        x, y, width, height = (int(box[side]) for side in ("x", "y", "width", "height"))
        return screenshot(self.page)[y : y + height, x : x + width]

    def download(self, export_id: str) -> Path:
        self.by_id("export").click()
        with self.page.expect_download(timeout=120_000) as coming:
            self.by_id(f"export-{export_id}").click()
        return Path(coming.value.path())

    def press(self, keys: str) -> None:
        self.by_id("stage").focus()
        self.page.keyboard.press(keys)
