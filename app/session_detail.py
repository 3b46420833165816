"""The shown picture at the photo's own size, made when somebody looks closely."""

import numpy as np
from jaxtyping import UInt8

from app.export_jobs import Tell
from app.session_models import ModelGestures
from core.editing.motion import is_edited
from core.errors import InvalidInput
from core.files.profile import srgb_of
from core.types.frame import Frame
from core.types.project import Project
from core.types.protocols import CancelToken

_POLL_SECONDS = 0.1


class DetailGestures(ModelGestures):
    """Windows of the full-size picture; it is made in the background and given up when something changes."""

    _sharpened: Project | None = None
    _sharpening: CancelToken | None = None

    def detail(self, x: int, y: int, width: int, height: int) -> UInt8[np.ndarray, "h w 3"] | None:
        """A window of the shown picture, sRGB. None until it has been made, which the first question begins.

        Listeners hear of a frame when it is there. Raises InvalidInput for a window outside the photo.
        """
        project = self.project
        photo = project.photo
        if not (0 <= x < x + width <= photo.width and 0 <= y < y + height <= photo.height):
            raise InvalidInput(
                f"The window {width}x{height} at ({x}, {y}) lies outside the {photo.width}x{photo.height} photo."
            )
        window = slice(y, y + height), slice(x, x + width)
        if not is_edited(project):
            return photo.srgb[window]
        kept = self._pictures.known_full(project)
        if kept is None:
            self._sharpen(project)
            return None
        return srgb_of(kept.pixels[window], photo.icc_profile)

    def _sharpen(self, project: Project) -> None:
        """Once for a project: who stopped it is not asked again."""
        if project is self._sharpened:
            return
        self._sharpened = project

        def work(_: Tell, cancel: CancelToken) -> Frame:
            while not self.wait_idle(_POLL_SECONDS):
                cancel.check()
            return self.full_frame(project, cancel)

        self._sharpening = self._in_background("Full resolution", work, lambda _: self._notify("frame"))

    def _render(self) -> None:
        if self._sharpening is not None:
            self._sharpening.cancel()
        super()._render()
