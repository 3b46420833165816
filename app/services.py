"""The composition root: the only file that names concrete back-ends and engines, each made once, on first use."""

import threading
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from core.editing.memo import Memo
from core.maths.camera import intrinsics_of_photo, resized
from core.maths.depth import relative_from_affine
from core.maths.ground import fit_ground
from core.types import edits
from core.types.camera import Camera, Intrinsics
from core.types.depth import DepthEstimate, DepthMap, Layout
from core.types.mask import Click, Mask, Prompt
from core.types.photo import Photo
from core.types.project import EngineChoice
from core.types.protocols import CancelToken, Embedding, Engine, SegmentationBackend
from core.types.scene import Placement

_MEMO_BYTES = 900 << 20


@dataclass(eq=False)
class Services:
    """Back-ends, engines and the cache of derived results, shared by every session of a process."""

    memo: Memo = field(default_factory=lambda: Memo(_MEMO_BYTES))
    _engines: dict[str, Engine] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def engine(self, choice: EngineChoice) -> Engine:
        """The engine of that name, "auto" being the best that runs. Raises BackendUnavailable with the reason."""
        from core.engines.registry import make_engine, resolve

        name = resolve(choice)
        with self._lock:
            if name not in self._engines:
                self._engines[name] = make_engine(name)
            return self._engines[name]

    def warm_up(self) -> None:
        """Compile the inner loops on a picture of a few pixels, so that the first edit does not wait for it."""
        from core.editing.apply import apply_all, new_project
        from core.editing.orbit import Orbit, camera_from_orbit
        from core.editing.render import render

        noise = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
        coverage = np.zeros((96, 128), np.uint8)
        coverage[40:72, 48:80] = 255
        photo = Photo("warm-up", noise, noise)
        project = new_project(photo, self.geometry(photo, None, None))
        added = edits.AddObject("a", Mask(coverage), "A")
        camera = Camera(project.scene.source_intrinsics, camera_from_orbit(project, Orbit(5.0)))
        moved = apply_all(project, [added, edits.PlaceObject("a", Placement((0.3, 0, 0))), edits.SetCamera(camera)])
        for _ in render(moved, self.engine("auto"), Memo(), stream=False):
            pass
        self.segmentation.segment(self.segmentation.prepare(photo), Prompt(clicks=(Click(60, 50),)))

    @cached_property
    def segmentation(self) -> SegmentationBackend:
        """The mask back-end behind a click."""
        from core.perception.registry import make_segmentation_backend

        return make_segmentation_backend("graphcut")

    def embedding(self, photo: Photo) -> Embedding:
        """The mask back-end's one-time work on a photo."""
        key = ("embedding", self.segmentation.info.name, photo.id)
        return self.memo.get(key, lambda: self.segmentation.prepare(photo))

    def estimate_depth(self, photo: Photo, intrinsics: Intrinsics, layout: Layout | None = None) -> DepthEstimate:
        """Depth of a photo that came without; a given layout is used as it is."""
        from core.perception.depth.layout import LayoutDepth

        return LayoutDepth(layout).estimate(photo, intrinsics, CancelToken())

    def geometry(self, photo: Photo, depth: DepthMap | None, intrinsics: Intrinsics | None) -> DepthEstimate:
        """The photo's own depth and camera where they came with it, estimated ones where not."""
        intrinsics = intrinsics or intrinsics_of_photo(photo)
        if depth is not None:
            depth = relative_from_affine(depth) if depth.scale == "affine" else depth
            at_depth = resized(intrinsics, depth.width, depth.height)
            return DepthEstimate(depth, intrinsics, fit_ground(depth.values, depth.valid, at_depth))
        return self.estimate_depth(photo, intrinsics)
