"""Samples for the depth network: functions of their number, geometry kept, holes kept, kinds by their shares."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training_data import CPU, tiny, write_data

from core.errors import InvalidInput
from core.training.config import TrainConfig
from core.training.depth_samples import DepthViews
from core.training.depth_task import DepthTask
from core.training.loop import Limits, train
from core.training.packed import PackedSet
from core.training.packing import pack
from core.training.sources import find_clips, with_depth


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> PackedSet:
    folder = tmp_path_factory.mktemp("depth")
    clips = with_depth(find_clips([write_data(folder / "data")]))
    pack(clips, folder / "pack", 96, plain_depth=True)
    return PackedSet(folder / "pack")


def only(kind: str) -> TrainConfig:
    config = tiny("depth")
    shares = {f"{name}_share": float(name == kind) for name in ("synthetic", "measured", "weak")}
    return replace(config, depth=replace(config.depth, **shares))


def test_only_pictures_with_depth_are_packed_and_kinds_are_told_apart(packed: PackedSet) -> None:
    bits = [packed.depth_bits(index) for index in range(len(packed))]
    assert sorted(bits) == [8, 8, 16, 16, 16]
    for index, count in enumerate(bits):
        stored = packed.stored_depth(index)
        assert stored is not None
        assert stored.dtype.itemsize * 8 == count


def test_a_hole_stays_a_hole(tmp_path: Path) -> None:
    import cv2

    data = write_data(tmp_path / "data")
    path = data / "rgbd" / "room" / "0001.png"
    depth = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert depth is not None
    depth[10:20, 30:50] = 0
    cv2.imwrite(str(path), depth)
    pack([clip for clip in find_clips([data]) if clip.name == "room"], tmp_path / "pack", 96, plain_depth=True)
    stored = PackedSet(tmp_path / "pack").stored_depth(1)
    assert stored is not None
    np.testing.assert_array_equal(stored == 0, depth == 0)
    near, far = stored[depth == 2000].astype(float), stored[depth == 4000].astype(float)
    assert near.mean() / far.mean() == pytest.approx(2.0, rel=1e-3)


@pytest.mark.parametrize("kind", ["synthetic", "measured", "weak"])
def test_a_sample_is_a_function_of_its_number(packed: PackedSet, kind: str) -> None:
    views = DepthViews(packed, only(kind))
    for held_out in (False, True):
        first, again = (DepthViews(packed, only(kind)).make(3, held_out) for _ in range(2))
        np.testing.assert_array_equal(first.picture, again.picture)
        np.testing.assert_array_equal(first.inverse, again.inverse)
        assert first.weak == (kind == "weak")
        assert first.picture.shape[:2] == first.inverse.shape
    assert not np.array_equal(views.make(0).picture, views.make(1).picture)


def test_samples_of_one_batch_have_one_size_and_some_stand_upright(packed: PackedSet) -> None:
    config = only("weak")
    config = replace(config, depth=replace(config.depth, upright_share=0.5))
    views, size = DepthViews(packed, config), config.schedule.batch_size
    shapes = [{views.make(batch * size + place).inverse.shape for place in range(size)} for batch in range(12)]
    assert all(len(found) == 1 for found in shapes)
    assert set.union(*shapes) == {(32, 64), (64, 32)}


def test_depth_moves_with_its_picture(packed: PackedSet) -> None:
    """The card before the wall is the darker or lighter part; its depth must lie where the picture shows it."""
    views = DepthViews(packed, only("measured"))
    for number in range(6):
        sample = views.make(number, held_out=True)
        known = np.isfinite(sample.inverse)
        assert known.mean() > 0.9
        near = known & (sample.inverse > 1.5 * np.nanmin(sample.inverse))
        assert 0 < near.mean() < 1


def test_rendered_places_are_kept_where_their_number_is_set(packed: PackedSet) -> None:
    config = only("synthetic")
    config = replace(config, depth=replace(config.depth, synthetic_places=1))
    views = DepthViews(packed, config)
    for number in range(4):
        views.make(number)
    assert len(views._kept) == 1


def test_measured_frames_are_not_judged_by_what_was_learned(packed: PackedSet) -> None:
    views = DepthViews(packed, only("measured"))
    learned, judged = views._views[False, False], views._views[True, False]
    assert learned
    assert judged
    assert not set(learned) & set(judged)


def test_data_without_the_wanted_depth_is_refused(tmp_path: Path) -> None:
    clips = [clip for clip in find_clips([write_data(tmp_path / "data")]) if clip.name == "room"]
    pack(clips, tmp_path / "pack", 96, plain_depth=True)
    with pytest.raises(InvalidInput, match="no weak depth"):
        DepthViews(PackedSet(tmp_path / "pack"), tiny("depth")).check()


def test_a_short_run_learns_and_leaves_weights(tmp_path: Path, packed: PackedSet) -> None:
    config = only("measured")
    losses: list[float] = []
    task = DepthTask(config, packed, CPU.device)
    train(task, config, tmp_path / "run", CPU, limits=Limits(), say=lambda line: _collect(line, losses))
    assert np.mean(losses[-8:]) < 0.85 * np.mean(losses[:8])
    assert (tmp_path / "run" / "weights" / "depth_student.safetensors").is_file()
    assert list((tmp_path / "run").glob("pictures-*.png"))


def _collect(line: str, losses: list[float]) -> None:
    if line.startswith("step") and ", loss " in line:
        losses.append(float(line.partition(", loss ")[2].partition(",")[0]))
