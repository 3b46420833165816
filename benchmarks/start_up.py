"""From `launch.py ui` to a page served, and from a 12-megapixel photo to a 3D view that can be dragged."""

import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from app.store import SessionStore
from benchmarks.serving import studio
from benchmarks.workload import large_photo, tell
from core.files.picture import encode_picture_jpeg, picture_of

_PATIENCE_S = 90.0


def main() -> None:
    """Measure and print."""
    photo = encode_picture_jpeg(picture_of(large_photo()))
    figures = {f"page_{run}_s": page_seconds() for run in ("first", "again")}
    figures["photo_to_3d_view_s"] = view_seconds(photo)
    tell("start_up", figures)


def page_seconds() -> float:
    """Until the studio's page has been answered, in a new process."""
    begun = time.perf_counter()
    with studio() as running:
        while True:
            try:
                with urllib.request.urlopen(running.address, timeout=_PATIENCE_S) as answer:
                    answer.read()
                return time.perf_counter() - begun
            except urllib.error.URLError:
                if time.perf_counter() - begun > _PATIENCE_S:
                    raise
                time.sleep(0.05)


def view_seconds(photo: bytes) -> float:
    """Until the 3D view holds the photo's layers, from the file's bytes, in a running studio."""
    from app.bridge import Bridge
    from app.services import Services

    with tempfile.TemporaryDirectory() as folder:
        store = SessionStore(Services(), Path(folder))
        session = store.create()
        bridge = Bridge(session)
        begun = time.perf_counter()
        session.open_photo(photo, "cup.jpg")
        while not bridge.viewport.clouds():
            if time.perf_counter() - begun > _PATIENCE_S:
                raise SystemExit("the 3D view never showed the photo")
            time.sleep(0.01)
        seconds = time.perf_counter() - begun
        bridge.close()
        store.close_all()
    return seconds


if __name__ == "__main__":
    main()
