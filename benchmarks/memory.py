"""The memory that one photo takes, stage by stage: opened, the camera moved, an object moved, both, exported.

    python -m benchmarks.memory [--megapixels N]

Each figure is the stage's peak on top of what the process held before the photo, in bytes a pixel. Linux only, where
a process's peak can be begun anew.
"""

import argparse
import gc
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.services import Services
from benchmarks.workload import large_photo, orbited, project_with_cup, slid, tell
from core.editing.memo import Memo
from core.editing.render import render
from core.files.photo import open_photo
from core.files.picture import encode_picture_jpeg, encode_picture_png, picture_of
from core.types.frame import Frame
from core.types.project import Project

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=12.0, help="size of the photo (default 12)")
    wanted = parser.parse_args().megapixels
    width = round((wanted * 1e6 * 4 / 3) ** 0.5)
    services = Services()
    _warm_up(services)
    data = encode_picture_jpeg(picture_of(large_photo((width, width * 3 // 4))))
    gc.collect()
    before = resident_gb()
    figures: dict[str, float] = {}

    def measured(name: str, work: Callable[[], Any]) -> Any:
        gc.collect()
        _RESET.write_text("5")
        value = work()
        figures[name] = (peak_since_gb() - before) * 2**30 / (width * (width * 3 // 4))
        return value

    photo = measured("opened", lambda: open_photo(data, "cup.jpg"))
    project = measured("depth_estimated", lambda: project_with_cup(photo, services))
    frame = measured("camera_moved", lambda: _final(orbited(project), services))
    for encode in (encode_picture_jpeg, encode_picture_png):
        measured(encode.__name__, lambda encode=encode: encode(picture_of(project.photo, frame)))
    del frame
    measured("half_of_it_moved", lambda: _final(slid(project, 0.1, 0.1), services))
    measured("both_moved", lambda: _final(orbited(slid(project, 0.1, 0.1)), services))
    tell("memory", {"size": f"{width}x{width * 3 // 4}", "process_gb": before, **figures})


def _warm_up(services: Services) -> None:
    """What is loaded and compiled once is no photo's."""
    small = project_with_cup(large_photo((400, 300)), services)
    for project in (orbited(small), slid(small, 0.1, 0.1)):
        _final(project, services)


def _final(project: Project, services: Services) -> Frame:
    (frame,) = render(project, services.engine("warp"), Memo(), stream=False)
    return frame


def peak_gb() -> float:
    """The largest resident size of this process so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def resident_gb() -> float:
    """The resident size of this process now."""
    return _status("VmRSS")


def peak_since_gb() -> float:
    """The largest resident size since the last reset."""
    return _status("VmHWM")


def _status(key: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1]) * 1024 / 2**30


if __name__ == "__main__":
    main()
