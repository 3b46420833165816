"""The composition root: the only file that names concrete back-ends and engines, each made once, on first use."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

import numpy as np

from app.doctor import usable_cores
from core.editing.memo import Memo
from core.maths.camera import intrinsics_of_photo, resized
from core.maths.depth import relative_from_affine
from core.maths.ground import fit_ground
from core.turns import Turns
from core.types import edits
from core.types.camera import Camera, Intrinsics
from core.types.depth import DepthEstimate, DepthMap, Layout
from core.types.mask import Click, Mask, Prompt
from core.types.photo import Photo
from core.types.project import EngineChoice
from core.types.protocols import CancelToken, DepthBackend, Embedding, Engine, EngineInfo, SegmentationBackend
from core.types.scene import Placement

Loaded = TypeVar("Loaded")

_POLL_SECONDS = 0.1


@dataclass(eq=False)
class Services:
    """Back-ends, engines and a cache of derived results.

    `depth_backend` and `mask_backend` are used where nobody names another; None stands for the preferred ones.
    `turns` are those in which the sessions' pictures are made.
    """

    memo: Memo = field(default_factory=Memo)
    depth_backend: str | None = None
    mask_backend: str | None = None
    turns: Turns = field(default_factory=lambda: Turns(max(2, usable_cores())))
    _engines: dict[str, Engine] = field(default_factory=dict)
    _depth: dict[str, DepthBackend] = field(default_factory=dict)
    _segmentation: dict[str, SegmentationBackend] = field(default_factory=dict)
    _loading: threading.Lock = field(default_factory=threading.Lock)
    _fetching: threading.Lock = field(default_factory=threading.Lock)
    # Each session's own, as its cache is.
    _looking: threading.Lock = field(default_factory=threading.Lock, init=False)

    def for_session(self) -> Self:
        """The same back-ends and engines, and a cache that ends with the session, under the same ceiling."""
        return replace(self, memo=Memo(self.memo.pool))

    def engine(self, choice: EngineChoice) -> Engine:
        """The engine of that name, "auto" being the best that runs. Raises BackendUnavailable with the reason."""
        from core.engines.registry import make_engine, resolve

        return self._loaded(self._engines, resolve(choice), make_engine)

    def engine_info(self, choice: EngineChoice) -> EngineInfo:
        """What that engine says about itself; it need not be loaded, and nobody waits for it."""
        from core.engines.registry import info_of

        return info_of(choice)

    def has_engine(self, choice: EngineChoice) -> bool:
        """Whether it is there already."""
        from core.engines.registry import resolve

        return resolve(choice) in self._engines

    def warm_up(self) -> None:
        """Compile the inner loops on a picture of a few pixels, so that the first edit does not wait for it."""
        from core.editing.apply import apply_all, new_project
        from core.editing.orbit import Orbit, camera_from_orbit
        from core.editing.render import render
        from core.perception.registry import preferred_depth

        noise = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
        coverage = np.zeros((96, 128), np.uint8)
        coverage[40:72, 48:80] = 255
        photo = Photo("warm-up", noise, noise)
        project = new_project(photo, self.geometry(photo, None, None, preferred_depth()))
        added = edits.AddObject("a", Mask(coverage), "A")
        camera = Camera(project.scene.source_intrinsics, camera_from_orbit(project, Orbit(5.0)))
        moved = apply_all(project, [added, edits.PlaceObject("a", Placement((0.3, 0, 0))), edits.SetCamera(camera)])
        for _ in render(moved, self.engine("auto"), Memo(), stream=False):
            pass
        segmentation = self.segmentation()
        if self.mask_backend is None:
            segmentation.segment(segmentation.prepare(photo), Prompt(clicks=(Click(60, 50),)))

    def check_backends(self, engine: EngineChoice = "auto") -> None:
        """Raises BackendUnavailable when one that was named, or that engine, cannot run here; loads nothing."""
        from core.engines.registry import check_engine
        from core.perception.registry import check_depth_backend, check_segmentation_backend

        if self.depth_backend is not None:
            check_depth_backend(self.depth_backend)
        if self.mask_backend is not None:
            check_segmentation_backend(self.mask_backend)
        check_engine(engine)

    def segmentation(self, name: str | None = None) -> SegmentationBackend:
        """The mask back-end behind a click. Raises BackendUnavailable with the reason."""
        from core.perception.registry import make_segmentation_backend, preferred_segmentation

        name = name or self.mask_backend or preferred_segmentation()
        return self._loaded(self._segmentation, name, make_segmentation_backend)

    def embedding(self, photo: Photo, segmentation: SegmentationBackend) -> Embedding:
        """The mask back-end's one-time work on a photo; who asks while it is done waits for it."""
        key = ("embedding", segmentation.info.name, photo.id)
        with self._looking:
            return self.memo.get(key, lambda: segmentation.prepare(photo))

    def depth(self, name: str | None = None) -> DepthBackend:
        """The depth back-end of that name. Raises BackendUnavailable with the reason."""
        from core.perception.registry import make_depth_backend, preferred_depth

        return self._loaded(self._depth, name or self.depth_backend or preferred_depth(), make_depth_backend)

    def layout_depth(self, photo: Photo, intrinsics: Intrinsics, layout: Layout) -> DepthEstimate:
        """Depth by the user's own layout."""
        from core.perception.depth.layout import LayoutDepth

        return LayoutDepth(layout).estimate(photo, intrinsics, CancelToken())

    def fetch_model(self, name: str, progress: Callable[[int, int | None], None], cancel: CancelToken) -> None:
        """Download a model unless it is here; two at once would write the same file. Raises EditorError, Cancelled."""
        from core.files.hub import find, get, hub_model
        from core.files.weights import weights_folder

        model = hub_model(name)
        while not self._fetching.acquire(timeout=_POLL_SECONDS):
            cancel.check()
        try:
            if find(model) is None:
                get(model, weights_folder(), None, progress, cancel)
        finally:
            self._fetching.release()

    def geometry(
        self, photo: Photo, depth: DepthMap | None, intrinsics: Intrinsics | None, backend: str | None = None
    ) -> DepthEstimate:
        """The photo's own depth and camera where they came with it, where not estimated ones by that back-end."""
        intrinsics = intrinsics or intrinsics_of_photo(photo)
        if depth is not None:
            depth = relative_from_affine(depth) if depth.scale == "affine" else depth
            at_depth = resized(intrinsics, depth.width, depth.height)
            return DepthEstimate(depth, intrinsics, fit_ground(depth.values, depth.valid, at_depth))
        return self.depth(backend).estimate(photo, intrinsics, CancelToken())

    def _loaded(self, known: dict[str, Loaded], name: str, load: Callable[[str], Loaded]) -> Loaded:
        """Each once; who asks for one that is here waits for no other."""
        if name not in known:
            with self._loading:
                known[name] = known.get(name) or load(name)
        return known[name]
