"""The full-size result of a 12-megapixel photo: an object moved, and the camera moved."""

import time

from app.services import Services
from benchmarks.workload import large_photo, orbited, project_with_cup, slid, tell
from core.editing.memo import Memo
from core.editing.render import render
from core.files.picture import encode_picture_jpeg, picture_of
from core.types.frame import Frame
from core.types.project import Project

_RUNS = 4


def main() -> None:
    """Measure and print; compiling the kernels is not part of it, as they are kept on disk."""
    services = Services()
    project = project_with_cup(large_photo(), services)
    small = project_with_cup(large_photo((400, 300)), services)
    for warm_up in (slid(small, 0.1, 0.1), orbited(small)):
        _render(warm_up, services, Memo())
    memo = Memo()
    _render(slid(project, 0.1, 0.1), services, memo)
    _, again_s = _render(slid(project, 0.12, 0.1), services, memo)
    moved, moved_s = _best(slid(project, 0.1, 0.1), services)
    usual, usual_s = _best(slid(project_with_cup(project.photo, services, 0.35), 0.1, 0.1), services)
    turned, orbit_s = _best(orbited(project), services)
    begun = time.perf_counter()
    encode_picture_jpeg(picture_of(project.photo, moved))
    figures = {
        "size": f"{project.photo.width}x{project.photo.height}",
        "best_of": _RUNS,
        "usual_move_s": usual_s,
        "usual_share_invented": float(usual.invented.mean()),
        "move_s": moved_s,
        "move_share_invented": float(moved.invented.mean()),
        "move_again_s": again_s,
        "orbit_s": orbit_s,
        "orbit_share_invented": float(turned.invented.mean()),
        "jpeg_s": time.perf_counter() - begun,
        "move_stages_s": {name: round(seconds, 3) for name, seconds in moved.seconds.items()},
        "orbit_stages_s": {name: round(seconds, 3) for name, seconds in turned.seconds.items()},
    }
    tell("full_size", figures)


def _best(project: Project, services: Services) -> tuple[Frame, float]:
    """The quickest of several runs that remember nothing: what the machine does when nothing else is on it."""
    return min((_render(project, services, Memo()) for _ in range(_RUNS)), key=lambda run: run[1])


def _render(project: Project, services: Services, memo: Memo) -> tuple[Frame, float]:
    begun = time.perf_counter()
    (frame,) = render(project, services.engine("warp"), memo, stream=False)
    return frame, time.perf_counter() - begun


if __name__ == "__main__":
    main()
