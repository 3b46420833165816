"""Gestures about what was invented: again here, again but for here, other variations."""

from dataclasses import replace

import numpy as np

from app.session_core import SessionCore
from app.state import LARGEST_SEED
from core.editing.layers import resized_coverage
from core.errors import InvalidInput
from core.maths import mask as masks
from core.types import edits
from core.types.frame import Frame
from core.types.mask import Mask
from core.types.project import Project
from core.types.protocols import CancelToken

_HARDNESS = 1.0


class InventingGestures(SessionCore):
    """Each gesture is one undo step. Strokes are in pixels of the shown picture at the photo's size."""

    def reroll(
        self, points: list[tuple[float, float]], radius: float, keep: bool = False, seed: int | None = None
    ) -> None:
        """Invent anew what was invented under a stroke, or with `keep` all that was but for what is under it.

        Raises InvalidInput when nothing was invented there.
        """
        photo = self.project.photo
        path = np.array(points, np.float64)
        stroke = masks.stroke(path, max(radius, 0.5), _HARDNESS, photo.width, photo.height)
        region = Mask(np.uint8(255) - stroke if keep else stroke, "brush")
        self._require_inventions(region, keep)
        seed = self._next_seed() if seed is None else seed
        self._commit(edits.RerollRegion(region, seed), "Rest invented again" if keep else "Invented again")

    def reroll_all(self) -> None:
        """Invent everything anew."""
        self.use_variation(self._next_seed())

    def use_variation(self, seed: int) -> None:
        """Take everything that is invented from one seed."""
        settings = self.project.settings
        self._commit(edits.SetSettings(replace(settings, seed=seed)), f"Variation {seed}")

    def variation(self, seed: int, cancel: CancelToken | None = None) -> Frame:
        """The shown step with everything invented from `seed`, as large as the preview; remembered.

        Raises InvalidInput for a seed that is none, Cancelled soon after `cancel` was set, EngineFailed if the engine
        cannot finish.
        """
        if not 0 <= seed <= LARGEST_SEED:
            raise InvalidInput(f"A seed lies between 0 and {LARGEST_SEED}, got {seed}.")
        (frame,) = self._pictures.preview(self._varied(self.project, seed), cancel, stream=False)
        return frame

    @staticmethod
    def _varied(project: Project, seed: int) -> Project:
        return replace(project, settings=replace(project.settings, seed=seed), rerolls=())

    def _next_seed(self) -> int:
        project = self.project
        return (1 + max([project.settings.seed, *(roll.seed for roll in project.rerolls)])) % LARGEST_SEED

    def _require_inventions(self, region: Mask, keep: bool) -> None:
        frame = self.frame
        if frame is None:
            return
        rows, columns = frame.invented.shape
        if not (frame.invented & (resized_coverage(region, (columns, rows)) >= 128)).any():
            raise InvalidInput(
                "Nothing else was invented; leave something out of the stroke."
                if keep
                else "Nothing was invented there; brush over a hatched part."
            )
