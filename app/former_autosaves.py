"""Unsaved work as an earlier version left it: one project file for each session."""

import logging
from dataclasses import replace
from pathlib import Path

from app.unsaved import NOBODY, Unsaved
from core.editing.history import History
from core.errors import EditorError
from core.files.folders import user_folder
from core.files.locks import FileLock
from core.files.project import load_project
from core.types.camera import Camera
from core.types.project import Project

log = logging.getLogger(__name__)

_LOCK = "lock"


def former_folder() -> Path:
    """Where they lie."""
    return user_folder("XDG_STATE_HOME", ".local/state") / "autosave"


def take_over(unsaved: Unsaved, folder: Path) -> None:
    """Make each an entry of unsaved work, after which its file is gone; what cannot be read stays where it is."""
    if not any(folder.glob("*.lras")):
        return
    try:
        lock = FileLock.take(folder / _LOCK)
        if lock is None:
            return  # another studio does it
        try:
            for path in sorted(folder.glob("*.lras"), key=lambda path: path.stat().st_mtime):
                _take_over(unsaved, path)
        finally:
            lock.release()
    except OSError as failure:
        log.warning("%s could not be taken over: %s", folder, failure)


def _take_over(unsaved: Unsaved, path: Path) -> None:
    try:
        project = load_project(path)
    except EditorError as failure:
        log.warning("%s could not be taken over: %s", path, failure)
        return
    history = History.begin(_unedited(project)).push(project, "Recovered")
    unsaved.begin(NOBODY, history).release()
    path.unlink()


def _unedited(project: Project) -> Project:
    scene = replace(project.scene, camera=Camera(project.scene.source_intrinsics), objects=())
    return replace(project, scene=scene, flow_override=None, rerolls=())
