"""From the end of a drag to the preview at 960x720: the object moved, everything it needs already made."""

import time

import numpy as np

from app.frames import PREVIEW_SIDE
from app.services import Services
from benchmarks.workload import large_photo, project_with_cup, slid, tell
from core.editing.render import render
from core.types.project import Project

_DRAGS = 12


def main() -> None:
    """Measure and print."""
    services = Services()
    project = project_with_cup(large_photo(), services)
    cold = _seconds(slid(project, 0.1, 0.1), services)
    warm = [_seconds(slid(project, 0.02 * step, 0.01 * step), services) for step in range(2, 2 + _DRAGS)]
    firsts, finals = ([pair[i] for pair in warm] for i in (0, 1))
    figures = {
        "preview": "960x720",
        "first_drag_first_frame_s": cold[0],
        "first_drag_final_frame_s": cold[1],
        "drag_median_s": float(np.median(firsts)),
        "drag_worst_s": max(firsts),
        "drag_final_median_s": float(np.median(finals)),
        "drags": _DRAGS,
    }
    tell("drag_latency", figures)


def _seconds(project: Project, services: Services) -> tuple[float, float]:
    """Until the first frame and until the final one."""
    begun = time.perf_counter()
    frames = render(project, services.engine("warp"), services.memo, PREVIEW_SIDE)
    next(frames)
    first = time.perf_counter() - begun
    for _ in frames:
        pass
    return first, time.perf_counter() - begun


if __name__ == "__main__":
    main()
