"""What the sessions of a process share, and what each has of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

from fakes import SameColour
from studio_photo import square_photo

from app.services import Services
from core.files.photo import open_photo
from core.types.photo import Photo
from core.types.protocols import Embedding

PATIENCE = 30.0


class SlowLook(SameColour):
    """Looks at a photo until it is let go."""

    def __init__(self) -> None:
        self.looks = 0
        self.begun, self.go_on = threading.Event(), threading.Event()

    def prepare(self, photo: Photo) -> Embedding:
        self.looks += 1
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        return super().prepare(photo)


def test_a_click_waits_for_the_look_that_has_begun_and_does_not_begin_another() -> None:
    services, photo, backend = Services(), open_photo(square_photo(), "square.png"), SlowLook()
    with ThreadPoolExecutor(2) as threads:
        ahead = threads.submit(services.embedding, photo, backend)
        assert backend.begun.wait(PATIENCE)
        click = threads.submit(services.embedding, photo, backend)
        backend.go_on.set()
        assert ahead.result(PATIENCE) is click.result(PATIENCE)
    assert backend.looks == 1


def test_no_session_waits_for_what_another_looks_at() -> None:
    services, photo, backend = Services(), open_photo(square_photo(), "square.png"), SlowLook()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(services.for_session().embedding, photo, backend)
        assert backend.begun.wait(PATIENCE)
        assert services.for_session().embedding(photo, SameColour()).photo_id == photo.id
        backend.go_on.set()


def test_warming_up_changes_nothing_and_fails_nothing():
    services = Services()
    services.warm_up()
    assert services.memo.size_bytes == 0
