"""How fairly one studio serves several pages at once: edits that each of them sees done, from a cold start on."""

import argparse
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.long_use import polygon
from benchmarks.serving import Studio, Tab, studio
from benchmarks.workload import large_photo, size_of, tell
from core.files.picture import encode_picture_jpeg, picture_of


@dataclass(frozen=True)
class Work:
    """What a page does: whether it moves the camera, which costs more, and cuts its thing out by a click."""

    orbits: bool
    clicks: bool


def main() -> None:
    """Measure and print."""
    args = _arguments()
    size = size_of(args.megapixels)
    photos = [_photo(size, number) for number in range(args.pages)]
    start = threading.Barrier(args.pages)
    with studio() as running, ThreadPoolExecutor(args.pages) as people:
        edits = list(
            people.map(
                lambda number: _edits(
                    running, photos[number], size, Work(number < args.orbiting, args.clicking), args.seconds, start
                ),
                range(args.pages),
            )
        )
    mean = float(np.mean(edits))
    figures = {"edits": edits, "least": min(edits), "mean": mean, "most": max(edits)}
    tell("many_at_once", {**figures, "least_of_mean": min(edits) / max(mean, 1)})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=8, help="how many work at the same time")
    parser.add_argument("--orbiting", type=int, default=0, help="how many of them move the camera, which costs more")
    parser.add_argument("--clicking", action="store_true", help="cut out by a click, not by a lasso")
    parser.add_argument("--seconds", type=float, default=40.0, help="from the moment the server answers")
    parser.add_argument("--megapixels", type=float, default=2.0, help="size of their photo")
    return parser.parse_args()


def _photo(size: tuple[int, int], number: int) -> bytes:
    """Another one for every page, so that none works for the others."""
    photo = large_photo(size)
    pixels = np.roll(photo.pixels, 40 * number, axis=1)
    return encode_picture_jpeg(picture_of(replace(photo, pixels=pixels, srgb=pixels, id="")))


def _edits(
    running: Studio, photo: bytes, size: tuple[int, int], work: Work, seconds: float, start: threading.Barrier
) -> int:
    """What one page sees done: a photo, a cut-out, then moves of the thing or of the camera; the same work for all."""
    random, done = np.random.default_rng(0), 0
    tab = Tab(running)
    start.wait()
    end = time.monotonic() + seconds
    tab.open_photo(photo, "cup.jpg")
    if work.clicks:
        tab.gesture("click", x=size[0] // 2, y=size[1] // 2)
    else:
        tab.gesture("lasso", points=polygon(size, random))
    tab.settle()
    while True:
        first, second = random.uniform(-1, 1, 2).tolist()
        if work.orbits:
            tab.gesture("orbit", yaw=8 * first, pitch=5 * second)
        else:
            tab.gesture("slide", object=tab.state["selected"], right=0.3 * first, away=0.3 * second)
        tab.settle()
        if time.monotonic() > end:
            tab.close()
            return done
        done += 1


if __name__ == "__main__":
    main()
