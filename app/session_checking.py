"""Gestures that ask whether the picture is what was asked for, and which of its variations is it most."""

from app.export_jobs import Tell
from app.session_inventing import InventingGestures
from app.session_models import ModelGestures
from app.state import variation_seeds
from core.editing.adherence import Adherence, adherence
from core.errors import InvalidInput
from core.types.frame import Frame
from core.types.project import Project
from core.types.protocols import CancelToken

# Scores nearer to each other than this say nothing: the surer variation is taken.
_EQUAL = 0.02


class CheckingGestures(InventingGestures, ModelGestures):
    """Each runs in the background, is shown, and can be stopped; what was found is remembered."""

    def check(self) -> None:
        """Estimate anew from the shown picture what the edit did. Raises InvalidInput while it is not finished."""
        project, frame = self.project, self.frame
        if frame is None or frame.stage != "final":
            raise InvalidInput("The picture is not finished yet; wait a moment.")

        def work(_: Tell, cancel: CancelToken) -> Adherence:
            return self._judged(project, frame, cancel)

        def done(found: Adherence) -> None:
            if found.score is None:
                raise InvalidInput("Nothing was edited that could be checked; move or remove something first.")
            self._notify("changed")

        self._in_background("Checking the edit", work, done)

    def take_best(self) -> None:
        """Check every offered variation and take the one that is most what was asked for; of equals the surest."""
        shown = self.project

        def work(tell: Tell, cancel: CancelToken) -> int:
            ranked = []
            seeds = variation_seeds(shown.settings.seed)
            for number, seed in enumerate(seeds, 1):
                tell(f"Checking variation {number} of {len(seeds)}")
                frame = self.variation(seed, cancel)
                score = self._judged(self._varied(shown, seed), frame, cancel).score
                ranked.append((round((score or 0.0) / _EQUAL), float(frame.confidence.mean()), -number, seed))
            return max(ranked)[-1]

        def done(seed: int) -> None:
            if self.project == shown and seed != shown.settings.seed:
                self.use_variation(seed)
            else:
                self._notify("changed")

        self._in_background("Checking the variations", work, done)

    def _judged(self, project: Project, frame: Frame, cancel: CancelToken) -> Adherence:
        key = ("adherence", project, self._mask_backend)
        found = self.services.memo.find(key)
        if found is None:
            segmentation = self.services.segmentation(self._mask_backend)
            found = adherence(project, frame, segmentation, self.services.memo, cancel)
            self.services.memo.put(key, found)
        return found
