"""Real browser, real server: what every browser test shares."""

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from serving import served, wait_until

__all__ = ["served", "wait_until"]

CHROMIUM = Path("/usr/bin/chromium")
# Software WebGL must be asked for in a headless machine without a GPU.
FLAGS = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
SIZE = {"width": 900, "height": 640}
# One frame of some ten thousand Gaussians takes seconds in software.
PATIENCE_MS = 60_000
PICTURE_SHOWN = """() => {
  const viser = window.__viserMutable;
  return viser?.backgroundMaterial?.uniforms.enabled.value && getComputedStyle(viser.canvas).opacity === "1";
}"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Headless Chromium with software WebGL; skips when it is not installed."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}; install Debian's chromium package")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh tab; the test fails if the page throws."""
    context = chromium.new_context(viewport=SIZE)
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    thrown: list[str] = []
    tab.on("pageerror", lambda error: thrown.append(str(error)))
    yield tab
    context.close()
    assert thrown == []


def wait_in_page(page: Page, condition: Callable[[], object], seconds: float = 60.0) -> None:
    """As `wait_until`, while the page keeps running."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for did not happen"
        page.wait_for_timeout(50)


def screenshot(page: Page) -> np.ndarray:
    """What the page shows, u8 RGB [H W 3]."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))


def assert_not_blank(picture: np.ndarray) -> None:
    """A canvas that draws nothing has one colour."""
    assert picture.reshape(-1, 3).std(axis=0).max() > 5.0, "the canvas is blank"
