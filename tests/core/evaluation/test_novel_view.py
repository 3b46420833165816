"""Novel views: squares keep the geometry, scores are of the right area, and methods are told apart."""

from pathlib import Path

import numpy as np
import pytest
from fakes import FlatEngine
from scenes import card_before_wall

from core.editing.apply import apply, new_project
from core.editing.memo import Memo
from core.editing.render import render
from core.engines.warp import WarpEngine
from core.errors import InvalidInput
from core.evaluation import novel_view
from core.evaluation.novel_view import doubt_rank, report, run, squared
from core.evaluation.rivals import ALONE, UNFILLED, rivals
from core.evaluation.warp_bench import Pair
from core.maths.camera import project
from core.types.camera import Camera, Pose
from core.types.edits import SetCamera
from core.types.photo import Photo
from core.types.protocols import CancelToken, EngineRequest

SCENE = card_before_wall()
SIDE = 48


@pytest.fixture(scope="module")
def pair() -> Pair:
    pose = np.eye(4)
    pose[:3, 3] = (-0.1, 0.0, 0.0)
    start = new_project(SCENE.photo, SCENE.estimate)
    looking = apply(start, SetCamera(Camera(SCENE.estimate.intrinsics, Pose(pose))))
    (frame,) = render(looking, FlatEngine(), Memo(), stream=False)
    return Pair("pair", "made", looking, Photo("truth", frame.pixels, frame.pixels))


def test_a_square_sees_the_middle_of_both_photos(pair: Pair) -> None:
    found = squared(pair, SIDE)
    cut = min(pair.project.photo.width, pair.project.photo.height)
    assert found.project.photo.srgb.shape == found.truth.srgb.shape == (SIDE, SIDE, 3)
    assert found.project.depth.values.shape == (SIDE, SIDE)
    # A point lands at the same place of the picture as before, counted from the square's corner.
    point = np.array([[0.05, -0.03, 2.0]])
    before = project(pair.project.scene.camera.intrinsics, point)[0]
    after = project(found.project.scene.camera.intrinsics, point)[0]
    corner = (np.array([pair.truth.width, pair.truth.height]) - cut) // 2
    assert (after + 0.5) * cut / SIDE == pytest.approx(before - corner + 0.5, abs=1e-9)


def test_rows_are_of_every_method_depth_and_size(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def items(*_: object) -> list[dict[str, str]]:
        return [{"id": "pair"}]

    monkeypatch.setattr(novel_view, "view_items", items)
    monkeypatch.setattr(novel_view, "read_pair", lambda *_: pair)
    methods = rivals([UNFILLED, "membrane"])
    rows = list(run(Path(), methods, (SIDE, None), [lambda found: found]))
    assert [(row.side, row.method) for row in rows] == [
        (side, name) for side in (SIDE, SIDE, None, None) for name in methods
    ]
    by_method = {row.method: row for row in rows}
    open_holes, filled = by_method[UNFILLED], by_method["membrane"]
    assert open_holes.share == filled.share > 0
    assert open_holes.uncovered is not None
    assert filled.uncovered is not None
    assert filled.uncovered.psnr > open_holes.uncovered.psnr + 3
    assert filled.whole.psnr > open_holes.whole.psnr
    assert filled.whole.lpips is None
    table = report(rows)
    assert len(table.splitlines()) == 1 + 4
    assert "membrane" in table


def test_doubt_that_grows_with_the_error_ranks_like_it() -> None:
    random = np.random.default_rng(0)
    truth = np.full((64, 64, 3), 100, np.uint8)
    amount = np.repeat(np.repeat(random.permutation(64).reshape(8, 8), 8, axis=0), 8, axis=1)
    result = (truth + amount[..., None]).astype(np.uint8)
    everywhere = np.ones((64, 64), bool)
    doubt = amount.astype(np.float32) / 64
    assert doubt_rank(doubt, result, truth, everywhere) == pytest.approx(1)
    assert doubt_rank(1 - doubt, result, truth, everywhere) == pytest.approx(-1)
    assert doubt_rank(np.zeros_like(doubt), result, truth, everywhere) is None
    few = np.zeros((64, 64), bool)
    few[:8, :16] = True
    assert doubt_rank(doubt, result, truth, few) is None


def test_methods_are_engines_by_name() -> None:
    every = rivals()
    assert next(iter(every)) == UNFILLED
    assert {"exemplar", "warp"} <= set(every)
    assert isinstance(every["exemplar"], WarpEngine)
    with pytest.raises(InvalidInput, match="no method named 'magic'"):
        rivals(["magic"])


def test_without_the_compositor_every_pixel_is_the_networks() -> None:
    (engine,) = rivals([ALONE]).values()
    pixels = np.random.default_rng(0).integers(0, 255, (62, 81, 3)).astype(np.uint8)
    unknown = np.zeros((62, 81), bool)
    unknown[20:30, 20:30] = True
    depth = np.where(unknown, 0, 2).astype(np.float32)
    request = EngineRequest(Photo("noise", pixels, pixels), pixels, unknown, np.zeros_like(unknown), depth, None)
    (update,) = engine.render(request, CancelToken())
    assert update.image.shape == pixels.shape
    changed = (update.image != pixels).any(axis=-1)
    # Noise is more than 4,096 codes can tell.
    assert changed[~unknown].mean() > 0.9
