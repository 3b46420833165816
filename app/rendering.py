"""From a project to the files that `edit` and `replay` write, and what they tell about it."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.outputs import Outputs, wanted
from app.progress import Progress
from app.services import Services
from app.source_photo import SourcePhoto, named_from
from core.editing.apply import apply
from core.editing.lost import lost_in
from core.editing.motion import camera_at_home
from core.editing.render import render
from core.editing.takeaway import Result, axes_of, confidence_mask, frame_depth, invented_mask, take
from core.errors import InvalidInput
from core.files.cameras import CameraPath, CameraShot, stored_shots
from core.files.carrying import left_out
from core.files.privacy import private_project
from core.types.camera import Camera
from core.types.edits import SetSettings
from core.types.frame import Frame
from core.types.project import Project


class Rendering:
    """One command's outputs: their places are checked at once, their content comes from the project later."""

    def __init__(
        self, args: argparse.Namespace, services: Services, inputs: Sequence[Path], source: SourcePhoto | None = None
    ) -> None:
        self.progress = Progress()
        self._args = args
        self._services = services
        self._source = source
        self._result: Result | None = None
        self._own_file: bytes | None = None
        result = wanted(args.out, lambda kind: self._own_file or take(self._done, kind, args.axes), *_RESULT_KINDS)
        self._picture = next((output for output in result if output.format.kind == "picture"), None)
        if args.cameras_out is not None and self._picture is None and source is None:
            raise InvalidInput("--cameras-out names the picture that is written with it; end -o with .png.")
        self._outputs = Outputs(
            [
                *result,
                *wanted(args.flow_out, lambda _: self._done.frame.flow, "flow"),
                *wanted(args.uncovered_out, lambda _: invented_mask(self._done.frame), "mask"),
                *wanted(args.confidence_out, lambda _: confidence_mask(self._done.frame), "confidence"),
                *wanted(args.depth_out, lambda _: frame_depth(self._done.frame, self._done.project.depth), "depth"),
                *wanted(args.project_out, lambda _: self._done.project, "project"),
                *wanted(args.cameras_out, lambda _: self._cameras(), "camera"),
            ],
            inputs,
            args.overwrite,
        )
        if source is not None and source.header is not None:
            self._outputs.check_size(source.header.width, source.header.height)

    def finish(self, project: Project) -> None:
        """Render, write everything, and print the report when it was asked for."""
        project = with_settings(project, self._args)
        project = private_project(project) if self._args.private else project
        self._outputs.check_size(project.photo.width, project.photo.height)
        engine, memo = self._services.engine(project.settings.engine), self._services.memo
        with self.progress.stage("render"):
            (frame,) = render(project, engine, memo, stream=False)
        self.progress.tell(*lost_in(project, frame, memo))
        self._result = Result(project, frame, engine, memo)
        if self._source is not None and self._picture is not None and not self._args.private:
            self._own_file = self._source.unedited(project.photo, frame, self._picture.format)
        if self._picture is not None and self._own_file is None:
            self.progress.tell(*left_out(project.photo.metadata, self._picture.format.name, project.photo.gray))
        with self.progress.stage("write"):
            paths = self._outputs.write(self.progress.tell)
        if self._args.json:
            print(json.dumps(report(project, frame, self.progress, paths)))

    def _cameras(self) -> CameraPath:
        """The cameras of the picture written here and of the photo, each as its file is stored."""
        scene, folder = self._done.project.scene, Path(self._args.cameras_out).parent
        shots: list[CameraShot] = []
        if self._picture is not None and self._own_file is None:
            shots.append(CameraShot(named_from(self._picture.path, folder), scene.camera))
        elif self._picture is not None and self._source is not None:
            shots += stored_shots(named_from(self._picture.path, folder), scene.camera, self._source.header)
        elif not camera_at_home(scene):
            self.progress.tell(
                f"{self._args.cameras_out} has the photo's camera only: -o is no picture by the new one."
            )
        if self._source is not None:
            named = self._done.project.photo.name if self._args.private else named_from(self._source.path, folder)
            shots += stored_shots(named, Camera(scene.source_intrinsics), self._source.header)
        return CameraPath(tuple(shots), axes_of("camera", self._args.axes))

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
