"""The most memory that one 12-megapixel photo takes: opened, an object moved, rendered at full size, exported."""

import resource
import sys

from app.services import Services
from benchmarks.workload import large_photo, project_with_cup, slid, tell
from core.editing.render import render
from core.files.picture import encode_picture_jpeg, encode_picture_png, picture_of


def main() -> None:
    """Measure and print."""
    services = Services()
    project = slid(project_with_cup(large_photo(), services), 0.1, 0.1)
    services.embedding(project.photo, services.segmentation())
    figures: dict[str, float] = {"opened_gb": peak_gb()}
    for _ in render(project, services.engine("warp"), services.memo, 960):
        pass
    figures["preview_gb"] = peak_gb()
    (frame,) = render(project, services.engine("warp"), services.memo, stream=False)
    figures["full_size_gb"] = peak_gb()
    for encode in (encode_picture_jpeg, encode_picture_png):
        encode(picture_of(project.photo, frame))
    figures["exported_gb"] = peak_gb()
    figures["memo_gb"] = services.memo.size_bytes / 2**30
    tell("memory", figures)


def peak_gb() -> float:
    """The largest resident size of this process so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


if __name__ == "__main__":
    main()
