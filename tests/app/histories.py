"""Histories with every kind of array in them, small and quick to make."""

import numpy as np

from core.editing.apply import apply, new_project
from core.editing.history import History
from core.types import edits
from core.types.camera import Camera, Intrinsics
from core.types.depth import DepthEstimate, DepthMap, Ground
from core.types.flow import FlowField
from core.types.mask import Mask
from core.types.metadata import Metadata
from core.types.photo import Photo
from core.types.project import Settings
from core.types.scene import Placement

WIDTH, HEIGHT = 24, 16


def opened(name: str = "wall.png", seed: int = 0) -> History:
    """A photo just opened."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    alpha = rng.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    photo = Photo(name, pixels, pixels, alpha, icc_profile=b"profile", metadata=Metadata(exif=b"Exif\0\0x"))
    return History.begin(new_project(photo, _estimate(rng)))


def every_edit(seed: int = 0) -> list[edits.Edit]:
    """One of each kind, in an order in which they can be done."""
    rng = np.random.default_rng(seed)
    intrinsics = Intrinsics(20.0, 21.0, 11.5, 7.5, WIDTH, HEIGHT)
    field = rng.normal(size=(HEIGHT, WIDTH, 2)).astype(np.float32)
    field[2, 3] = np.nan
    flags = rng.random((2, HEIGHT, WIDTH)) > 0.5
    estimate = _estimate(rng)
    placed = Placement((0.1, 0.2, 1 / 3), (0.0, 1.0, 0.0, 0.0), 1.5)
    return [
        edits.AddObject("a", _mask(rng), "Cup"),
        edits.SetMask("a", _mask(rng)),
        edits.SetShadow("a", _mask(rng)),
        edits.PlaceObject("a", placed),
        edits.HideObject("a"),
        edits.DuplicateObject("a", "b", placed),
        edits.RenameObject("b", "T\u00fcr"),
        edits.ReleaseObject("b"),
        edits.SetCamera(Camera(intrinsics)),
        edits.SetDepth(estimate.depth, estimate.intrinsics, estimate.ground),
        edits.SetDistance((2.0, 3.0), (20.0, 12.0), 1.75),
        edits.SetFlow(FlowField(field, flags[0], flags[1])),
        edits.SetSettings(Settings("warp", 7)),
        edits.RerollRegion(_mask(rng), 8),
    ]


def pushed(history: History, edit: edits.Edit, label: str = "") -> History:
    """With one more step."""
    return history.push(apply(history.project, edit), label or type(edit).__name__)


def _mask(rng: np.random.Generator) -> Mask:
    coverage = rng.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    coverage[5:9, 8:14] = 255
    return Mask(coverage, "brush", 0.5)


def _estimate(rng: np.random.Generator) -> DepthEstimate:
    values = rng.uniform(1, 5, (HEIGHT, WIDTH)).astype(np.float32)
    valid = rng.random((HEIGHT, WIDTH)) > 0.1
    valid[5:9, 8:14] = True
    depth = DepthMap(values, valid, "relative", "test", confidence=rng.random((HEIGHT, WIDTH)).astype(np.float32))
    return DepthEstimate(depth, Intrinsics(20.0, 20.0, 11.5, 7.5, WIDTH, HEIGHT), Ground((0.0, -1.0, 0.0), 1.5))
