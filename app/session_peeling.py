"""The photo peeled for an export: its own objects, or those that are found in it."""

import time
from functools import partial

from app.export_jobs import Tell
from app.session_finding import FindingGestures
from app.ui.text import say
from core.editing.peel import peel
from core.editing.peel_objects import with_found_objects
from core.perception.everything import find_objects
from core.types.peeled import Peeled
from core.types.project import Project
from core.types.protocols import CancelToken


class PeelingGestures(FindingGestures):
    """A peeled photo is kept, so that a second export is quick."""

    def peeled(self, project: Project, tell: Tell, cancel: CancelToken) -> Peeled:
        """The photo's layers; without an object of its own, of what stands out in it. `tell` names what is done.

        Raises InvalidInput when there is nothing to peel, Cancelled, BackendUnavailable, EngineFailed.
        """
        kept = self.services.memo.find(("peeled", project))
        if kept is not None:
            return kept
        begun, photo = time.perf_counter(), project.photo
        with_objects = project if project.scene.objects else self._with_found(project, tell, cancel)
        engine = self.services.engine(project.settings.engine)
        made = peel(with_objects, engine, self.services.memo, cancel, partial(tell, say("export.peeling")))
        self.estimate.learn_peeling(time.perf_counter() - begun, photo)
        self.services.memo.put(("peeled", project), made)
        return made

    def peeling_seconds(self, format_name: str) -> float | None:
        """How long an export of the peeled photo will take; None while nothing is known about it."""
        project, writing = self.project, self.estimate.writing(format_name, self.project.photo)
        if self.services.memo.find(("peeled", project)) is not None:
            return writing
        peeling = self.estimate.peeling(project.photo)
        if peeling is not None:
            return peeling + writing
        return self.export_seconds(format_name) if project.scene.objects else None

    def _with_found(self, project: Project, tell: Tell, cancel: CancelToken) -> Project:
        found = self._found if project.photo.id == self.project.photo.id else None
        if found is None:
            segmentation = self.services.segmentation(self._mask_backend)
            found = find_objects(segmentation, project.photo, cancel, partial(tell, say("export.looking")))
        return with_found_objects(project, found)
