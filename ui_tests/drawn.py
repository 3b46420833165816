"""A studio for drawn scenes, whose objects a click takes exactly."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import served
from fakes import SameColour

from app.server import build_app
from app.services import Services
from app.store import SessionStore
from core.types.protocols import SegmentationBackend


class DrawnServices(Services):
    """The real services with a mask back-end that knows drawn scenes."""

    def segmentation(self, name: str | None = None) -> SegmentationBackend:
        return SameColour()


@contextmanager
def drawn_studio(autosave: Path) -> Iterator[str]:
    """Its address while it runs."""
    with served(build_app(SessionStore(DrawnServices(), autosave))) as running:
        yield running
