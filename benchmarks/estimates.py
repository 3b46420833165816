"""What the studio says before a full-size result is made, beside what then comes: seconds and share invented."""

import time
from collections.abc import Callable

from app.services import Services
from app.session import Session
from benchmarks.workload import TWELVE_MEGAPIXELS, large_photo, tell
from core.files.picture import encode_picture_png, picture_of

_PATIENCE = 600.0
_SIZES = (2000, 1500), TWELVE_MEGAPIXELS
Edit = Callable[[Session], None]


def main() -> None:
    """A line for each size: two kinds of edits, each after another one has taught the estimate of this machine."""
    for size in _SIZES:
        photo = encode_picture_png(picture_of(large_photo(size)))
        tell("estimates", {"size": "x".join(map(str, size)), **_figures("move", photo, _moves)})
        tell("estimates", {"size": "x".join(map(str, size)), **_figures("orbit", photo, _orbits)})


def _moves(session: Session) -> list[Edit]:
    session.click(0.45 * session.project.photo.width, 0.5 * session.project.photo.height)
    cup = session.project.scene.objects[0].id
    return [lambda s, right=right: s.slide(cup, right, 0.05) for right in (0.1, 0.2, 0.3)]


def _orbits(_: Session) -> list[Edit]:
    return [lambda s, yaw=yaw: s.orbit(yaw, 0.0) for yaw in (3.0, 5.0, 8.0)]


def _figures(kind: str, photo: bytes, edits: Callable[[Session], list[Edit]]) -> dict[str, object]:
    services = Services()
    services.warm_up()
    session = Session("bench", services)
    session.open_photo(photo, "cup.png")
    session.wait_idle(_PATIENCE)
    told, taken, told_shares, shares = [], [], [], []
    for edit in edits(session):
        edit(session)
        session.wait_idle(_PATIENCE)
        state = session.state
        told.append(state.expected_seconds or 0.0)
        told_shares.append(state.share_invented or 0.0)
        begun = time.perf_counter()
        shares.append(float(session.full_frame().invented.mean()))
        taken.append(time.perf_counter() - begun)
    session.close()
    return {
        "edit": kind,
        "expected_over_taken": [round(a / b, 3) for a, b in zip(told, taken, strict=True)],
        "taken_s": [round(value, 2) for value in taken],
        "share_expected_over_true": [round(a / b, 3) for a, b in zip(told_shares, shares, strict=True)],
        "share_invented": [round(value, 3) for value in shares],
    }


if __name__ == "__main__":
    main()
