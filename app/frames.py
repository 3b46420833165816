"""A session's pictures: each is made once, and remembered while there is room."""

from collections.abc import Generator
from dataclasses import dataclass

from app.estimate import TimeEstimate
from app.services import Services
from core.editing.apply import apply
from core.editing.plate import source_plate
from core.editing.render import render, stages_ahead
from core.types.edits import HideObject
from core.types.frame import Frame
from core.types.project import Project
from core.types.protocols import CancelToken

PREVIEW_SIDE = 960


@dataclass(frozen=True)
class Frames:
    """Frames of projects by the session's engines; `estimate` learns from what they take.

    What makes frames raises Cancelled soon after `cancel` was set, EngineFailed if the engine cannot finish.
    """

    services: Services
    estimate: TimeEstimate

    def preview(
        self, project: Project, cancel: CancelToken | None = None, stream: bool = True
    ) -> Generator[Frame, None, None]:
        """Better and better ones within `PREVIEW_SIDE`; without `stream` the final one only."""
        kept = self.known_preview(project)
        if kept is not None:
            yield kept
            return
        memo, engine = self.services.memo, self.services.engine(project.settings.engine)
        for frame in render(project, engine, memo, PREVIEW_SIDE, cancel, stream):
            if frame.stage == "final":
                memo.put(("frame", project), frame)
            yield frame

    def known_preview(self, project: Project) -> Frame | None:
        """The final preview, while it is remembered."""
        return self.services.memo.find(("frame", project))

    def full(self, project: Project, cancel: CancelToken | None = None) -> Frame:
        """The final frame at the photo's own size."""
        kept = self.known_full(project)
        if kept is not None:
            return kept
        memo, engine = self.services.memo, self.services.engine(project.settings.engine)
        ahead = stages_ahead(project, engine.info, memo)
        (frame,) = render(project, engine, memo, cancel=cancel, stream=False)
        self.estimate.learn_full_size(frame, ahead)
        memo.put(("full frame", project), frame)
        return frame

    def known_full(self, project: Project) -> Frame | None:
        """The frame at the photo's own size, while it is remembered."""
        return self.services.memo.find(("full frame", project))

    def full_seconds(self, project: Project) -> float:
        """How long `full` will take, as far as the engine's stages were seen."""
        if self.known_full(project) is not None:
            return 0.0
        painter = self.services.engine_info(project.settings.engine)
        return self.estimate.full_size(project.photo, stages_ahead(project, painter, self.services.memo))

    def paint_behind(self, project: Project, object_id: str, cancel: CancelToken) -> Generator[Frame, None, None]:
        """No frame: what is behind an object is painted and remembered, so that it is there once that is moved."""
        lifted = apply(project, HideObject(object_id))
        memo, engine = self.services.memo, self.services.engine(project.settings.engine)
        for plate in source_plate(lifted, engine, memo, PREVIEW_SIDE, cancel):
            if plate.is_final:
                self.estimate.learn(plate)
        yield from ()
