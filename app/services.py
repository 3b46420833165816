"""The composition root: the only file that names concrete back-ends and engines, each made once, on first use."""

import threading
from dataclasses import dataclass, field
from functools import cached_property

from core.editing.memo import Memo
from core.maths.camera import intrinsics_of_photo, resized
from core.maths.depth import relative_from_affine
from core.maths.ground import fit_ground
from core.types.camera import Intrinsics
from core.types.depth import DepthEstimate, DepthMap, Layout
from core.types.photo import Photo
from core.types.project import EngineChoice
from core.types.protocols import CancelToken, Embedding, Engine, SegmentationBackend

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
