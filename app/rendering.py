"""From a project to the files that `edit` and `replay` write, and what they tell about it."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.outputs import check_places, wanted, write
from app.progress import Progress
from app.services import Services
from core.editing.apply import apply
from core.editing.render import render
from core.editing.takeaway import Result, confidence_mask, frame_depth, invented_mask, take
from core.types.edits import SetSettings
from core.types.frame import Frame
from core.types.project import Project


class Rendering:
    """One command's outputs: their places are checked at once, their content comes from the project later."""

    def __init__(self, args: argparse.Namespace, services: Services, inputs: Sequence[Path]) -> None:
        self.progress = Progress()
        self._args = args
        self._services = services
        self._result: Result | None = None
        self._outputs = [
            *wanted(args.out, lambda kind: take(self._done, kind), *_RESULT_KINDS),
            *wanted(args.flow_out, lambda _: self._done.frame.flow, "flow"),
            *wanted(args.uncovered_out, lambda _: invented_mask(self._done.frame), "mask"),
            *wanted(args.confidence_out, lambda _: confidence_mask(self._done.frame), "confidence"),
            *wanted(args.depth_out, lambda _: frame_depth(self._done.frame, self._done.project.depth), "depth"),
            *wanted(args.project_out, lambda _: self._done.project, "project"),
        ]
        check_places(self._outputs, inputs)
        services.engine(args.engine or "auto")

    def finish(self, project: Project) -> None:
        """Render, write everything, and print the report when it was asked for."""
        project = with_settings(project, self._args)
        engine, memo = self._services.engine(project.settings.engine), self._services.memo
        with self.progress.stage("render"):
            (frame,) = render(project, engine, memo, stream=False)
        self._result = Result(project, frame, engine, memo)
        with self.progress.stage("write"):
            paths = write(self._outputs)
        if self._args.json:
            print(json.dumps(report(project, frame, self.progress, paths)))

    @property
    def _done(self) -> Result:
        assert self._result is not None
        return self._result


_RESULT_KINDS = ("picture", "layers", "cloud", "mesh")


def with_settings(project: Project, args: argparse.Namespace) -> Project:
    """The project with the engine, seed and order of the command line, where they were given."""
    chosen = {name: getattr(args, name) for name in ("engine", "seed", "order") if getattr(args, name) is not None}
    return apply(project, SetSettings(replace(project.settings, **chosen)))


def report(project: Project, frame: Frame, progress: Progress, paths: Sequence[Path]) -> dict[str, Any]:
    """What --json prints. Stages of the renderer have names with a slash."""
    height, width = frame.pixels.shape[:2]
    seconds = progress.seconds | {f"render/{name}": spent for name, spent in frame.seconds.items()}
    return {
        "width": width,
        "height": height,
        "seconds": {name: round(spent, 4) for name, spent in (seconds | {"total": progress.total}).items()},
        "share_uncovered": float(frame.invented.mean()),
        "engine": frame.engine,
        "seed": frame.seed,
        "depth": {"source": project.depth.source, "scale": project.depth.scale},
        "objects": len(project.scene.objects),
        "masks": [item.mask.source for item in project.scene.objects],
        "notices": progress.notices,
        "files": [{"path": str(path), "bytes": path.stat().st_size} for path in paths],
    }
