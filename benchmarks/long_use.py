"""What is left of many tabs: memory, threads, files and ports of a studio before, after the first, and after all.

Every tab opens a photo, cuts something out and moves it, looks at it in the 3D view, and is closed.
"""

import argparse
import time
from dataclasses import asdict

import numpy as np

from app.environment import find_chromium
from benchmarks.footprint import Footprint, footprint
from benchmarks.serving import Studio, Tab, studio
from benchmarks.workload import large_photo, size_of, tell
from core.files.picture import encode_picture_jpeg, picture_of


def main() -> None:
    """Measure and print a line for every tenth of the way, and what it came to."""
    args = _arguments()
    random = np.random.default_rng(args.seed)
    size = size_of(args.megapixels)
    photo = encode_picture_jpeg(picture_of(large_photo(size)))
    with studio() as running:
        visit = _visit_by_browser if args.browser else _visit
        visit(running, photo, size, random)
        time.sleep(args.rest)
        first = footprint(running.pid)
        tell("long_use", {"tabs": 1, **asdict(first)})
        for count in range(2, args.tabs + 1):
            visit(running, photo, size, random)
            if count % max(1, args.tabs // 10) == 0:
                tell("long_use", {"tabs": count, **asdict(footprint(running.pid))})
        time.sleep(args.rest)
        last = footprint(running.pid)
        tell("long_use", {"tabs": args.tabs, **asdict(last), "grown": _grown(first, last)})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tabs", type=int, default=50, help="how many are opened, one after the other")
    parser.add_argument("--megapixels", type=float, default=6.0, help="size of their photo")
    parser.add_argument("--seed", type=int, default=0, help="of the places of what is cut out and moved")
    parser.add_argument("--rest", type=float, default=60.0, help="seconds in which a closed tab may be released")
    parser.add_argument("--browser", action="store_true", help="in Chromium, not by the page's routes alone")
    return parser.parse_args()


def _visit(running: Studio, photo: bytes, size: tuple[int, int], random: np.random.Generator) -> None:
    tab = Tab(running)
    tab.open_photo(photo, "cup.jpg")
    tab.gesture("lasso", points=polygon(size, random))
    tab.settle()
    tab.gesture("slide", object=tab.state["selected"], right=float(random.uniform(-0.3, 0.3)), away=0.1)
    tab.open_space()
    tab.settle()
    tab.close()


def polygon(size: tuple[int, int], random: np.random.Generator) -> list[tuple[float, float]]:
    """A round thing somewhere in the middle of a photo of that size."""
    centre, radius = random.uniform(0.35, 0.65, 2) * size, random.uniform(0.1, 0.25) * size[1]
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return (centre + radius * np.column_stack([np.cos(angles), np.sin(angles)])).tolist()


def _visit_by_browser(running: Studio, photo: bytes, _: tuple[int, int], random: np.random.Generator) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=find_chromium()) as browser:
        page = browser.new_page()
        page.goto(running.address)
        page.get_by_test_id("sample-coffee").wait_for()
        page.get_by_test_id("file").set_input_files({"name": "cup.jpg", "mimeType": "image/jpeg", "buffer": photo})
        page.get_by_test_id("result").wait_for()
        box = page.get_by_test_id("result").bounding_box()
        assert box is not None
        x, y = random.uniform(0.35, 0.65, 2)
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.get_by_test_id("step-1").wait_for()
        page.get_by_test_id("view-space").click()
        page.frame_locator("[data-testid=viewport]").locator("canvas").first.wait_for()
        page.wait_for_timeout(3000)


def _grown(first: Footprint, last: Footprint) -> dict[str, float]:
    """By which factor."""
    return {
        name: round(now / max(before, 1), 3)
        for (name, before), now in zip(asdict(first).items(), asdict(last).values(), strict=True)
    }


if __name__ == "__main__":
    main()
