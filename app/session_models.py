"""Choosing what estimates depth and what answers clicks: looking at a model, fetching it, using it."""

import threading
import time
from collections.abc import Callable
from typing import Any

from app.export_jobs import Tell
from app.notices import sentence_of
from app.session_core import SessionCore
from app.session_depth import depth_edit
from core.errors import Cancelled, InvalidInput
from core.files.hub import HubKind, hub_models, missing
from core.perception.registry import (
    check_depth_backend,
    check_segmentation_backend,
    depth_backends,
    segmentation_backends,
)
from core.types.depth import DepthEstimate
from core.types.photo import Photo
from core.types.protocols import CancelToken

_TELL_SECONDS = 0.3
_PATIENCE_SECONDS = 5.0


class ModelGestures(SessionCore):
    """Back-ends by name; what takes long runs in the background, is shown, and can be stopped."""

    def consider(self, kind: HubKind, name: str) -> None:
        """Show what a back-end is and costs; nothing is fetched or changed. Raises InvalidInput for unknown names."""
        known = depth_backends() if kind == "depth" else segmentation_backends()
        if name not in known:
            raise InvalidInput(f"There is no {kind} back-end called {name!r}; choose one of: {', '.join(known)}.")
        depth, mask = self._considered
        self._considered = (name, mask) if kind == "depth" else (depth, name)
        self._notify("changed")

    def use_considered(self, kind: HubKind) -> None:
        """Use the back-end that is being looked at, after fetching it where it is not on this machine."""
        name = self._considered[kind == "mask"]
        if kind == "depth":
            self.use_depth_backend(name, fetch=True)
        else:
            self.use_mask_backend(name, fetch=True)

    def use_depth_backend(self, name: str, fetch: bool = False) -> None:
        """Estimate the photo's depth anew, as one undo step when it is done. Raises BackendUnavailable."""
        photo, intrinsics = self.project.photo, self.project.scene.source_intrinsics
        fetches = fetch and self._can_fetch(name)
        if not fetches:
            check_depth_backend(name)
        title = depth_backends()[name].info.title

        def work(tell: Tell, cancel: CancelToken) -> DepthEstimate:
            if fetches:
                self._fetch(name, title, tell, cancel)
            tell(f"Estimating depth by {title}")
            return self.services.depth(name).estimate(photo, intrinsics, cancel)

        def done(estimate: DepthEstimate) -> None:
            if self.project.photo.id == photo.id:
                self._commit(depth_edit(estimate), f"Depth by {title}")

        self._in_background(f"Estimating depth by {title}", work, done)

    def use_mask_backend(self, name: str, fetch: bool = False) -> None:
        """Let another back-end answer clicks from now on. Raises BackendUnavailable."""
        fetches = fetch and self._can_fetch(name)
        if not fetches:
            check_segmentation_backend(name)
        title = segmentation_backends()[name].info.title

        def work(tell: Tell, cancel: CancelToken) -> None:
            if fetches:
                self._fetch(name, title, tell, cancel)
            tell(f"Getting {title} ready")
            self.services.segmentation(name)

        def done(_: None) -> None:
            self._mask_backend, self._found, self._finding = name, None, None
            self._notify("changed")
            if self._history is not None:
                self._prepare_clicks(self.project.photo)

        self._in_background(f"Getting {title} ready", work, done)

    def _prepare_clicks(self, photo: Photo) -> None:
        """Look at the photo before the first click does, but after its first picture is there."""
        try:
            self.wait_idle(_PATIENCE_SECONDS)
            with self.services.turns.turn(self.closing, behind=True):
                self.services.embedding(photo, self.services.segmentation(self._mask_backend))
        except Cancelled:
            return
        except Exception as failure:  # noqa: BLE001 - the thread's boundary: every failure becomes a notice
            self.report(sentence_of(failure))
        self._notify("progress")

    def _can_fetch(self, name: str) -> bool:
        model = next((model for model in hub_models() if model.name == name), None)
        return model is not None and missing(model) is not None

    def _fetch(self, name: str, title: str, tell: Tell, cancel: CancelToken) -> None:
        told = 0.0

        def progress(done: int, whole: int | None) -> None:
            nonlocal told
            if time.monotonic() - told > _TELL_SECONDS:
                told = time.monotonic()
                of = "" if whole is None else f" of {whole / 1e6:.0f}"
                tell(f"Fetching {title}: {done / 1e6:.0f}{of} MB")

        self.services.fetch_model(name, progress, cancel)
        self._notify("changed")

    def _in_background(
        self,
        stage: str,
        work: Callable[[Tell, CancelToken], Any],
        done: Callable[[Any], None],
        over: Callable[[], None] = lambda: None,
    ) -> CancelToken:
        """After what was started before it; its failure is told to listeners. `over` is called however it ends.

        Returns what stops this work alone.
        """
        cancel = CancelToken()

        def run() -> None:
            try:
                done(self.models.run(stage, None, lambda tell: work(tell, cancel), cancel))
            except Cancelled:
                self._notify("changed")
            except Exception as failure:  # noqa: BLE001 - the thread's boundary: every failure becomes a notice
                self.report(sentence_of(failure))
            finally:
                over()

        # No daemon: one that comes back from a network while the interpreter ends aborts the process.
        threading.Thread(target=run, name="models").start()
        return cancel
