"""Samples for the fill network: functions of their number, kept or not, and nothing of what is hidden in them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training_data import CPU, tiny, write_data

from core.errors import InvalidInput
from core.training.config import TrainConfig
from core.training.fill_places import KEPT_FOLDER, FillPlaces
from core.training.fill_samples import FillWindows
from core.training.fill_task import FillTask
from core.training.loop import Limits, train
from core.training.packed import PackedSet
from core.training.packing import pack
from core.training.sources import find_clips

KINDS = "shape", "disocclusion", "rim"
FIELDS = "truth", "copied", "smooth", "unknown", "usable"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> PackedSet:
    folder = tmp_path_factory.mktemp("fill")
    pack(find_clips([write_data(folder / "data")]), folder / "pack", 96)
    return PackedSet(folder / "pack")


def only(kind: str) -> TrainConfig:
    config = tiny("fill")
    shares = {f"{name}_share": float(name == kind) for name in KINDS}
    return replace(config, fill=replace(config.fill, **shares))


@pytest.mark.parametrize("kind", KINDS)
def test_guesses_are_the_photo_where_it_may_be_used_and_nothing_else(packed: PackedSet, kind: str) -> None:
    places = FillPlaces(packed, only(kind))
    for number in range(3):
        place = places.place(number, held_out=False)
        assert place.truth.shape == (64, 64, 3)
        assert place.unknown.any()
        assert place.usable.any()
        assert not (place.unknown & place.usable).any()
        hidden = ~place.unknown & ~place.usable
        for guess in (place.copied, place.smooth):
            np.testing.assert_array_equal(guess[place.usable], place.truth[place.usable])
        np.testing.assert_array_equal(place.copied[hidden], place.smooth[hidden])


def test_a_kept_place_is_the_one_that_was_made(packed: PackedSet) -> None:
    config = only("shape")
    config = replace(config, run=replace(config.run, seed=11))
    made = FillPlaces(packed, config).place(4, held_out=True)
    written = list((packed.folder / KEPT_FOLDER).rglob("judged-000004.png"))
    assert written
    kept = FillPlaces(packed, config).place(4, held_out=True)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(made, name), getattr(kept, name))


def test_places_of_other_settings_are_kept_apart(packed: PackedSet) -> None:
    config = only("rim")
    folders = {
        FillPlaces(packed, each)._kept
        for each in (
            config,
            only("shape"),
            replace(config, run=replace(config.run, seed=5)),
            replace(config, fill=replace(config.fill, place_pixels=48)),
            replace(config, fill=replace(config.fill, perceptual_weight=2.0)),
        )
    }
    assert len(folders) == 4


def test_a_sample_is_a_function_of_its_number(packed: PackedSet) -> None:
    config = only("rim")
    for held_out in (False, True):
        first, again = (FillWindows(packed, config).make(3, held_out) for _ in range(2))
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
        assert first.truth.shape == (48, 48, 3)
        assert first.unknown.any()
    windows = FillWindows(packed, config)
    assert not np.array_equal(windows.make(0).truth, windows.make(1).truth)


def test_turned_and_coloured_guesses_still_agree_with_the_truth(packed: PackedSet) -> None:
    windows = FillWindows(packed, only("shape"))
    for number in range(6):
        sample = windows.make(number)
        np.testing.assert_array_equal(sample.copied[sample.usable], sample.truth[sample.usable])
        np.testing.assert_array_equal(sample.smooth[sample.usable], sample.truth[sample.usable])


def test_disocclusions_need_depth(tmp_path: Path) -> None:
    clips = [clip for clip in find_clips([write_data(tmp_path / "data")]) if clip.name == "slide"]
    pack(clips, tmp_path / "pack", 96)
    bare = PackedSet(tmp_path / "pack")
    with pytest.raises(InvalidInput, match="no depth to uncover"):
        FillWindows(bare, only("disocclusion")).check()
    FillWindows(bare, only("shape")).check()


def test_learning_by_eye_needs_a_judge(packed: PackedSet) -> None:
    config = tiny("fill")
    config = replace(config, fill=replace(config.fill, perceptual_weight=1.0))
    with pytest.raises(InvalidInput, match="--lpips"):
        FillTask(config, packed, CPU.device)


def test_a_short_run_learns_and_leaves_weights(tmp_path: Path, packed: PackedSet) -> None:
    config = only("rim")
    schedule = replace(config.schedule, steps=60, learning_rate=1e-2)
    config = replace(config, fill=replace(config.fill, places=2), schedule=schedule)
    said: list[str] = []
    train(FillTask(config, packed, CPU.device), config, tmp_path / "run", CPU, limits=Limits(), say=said.append)
    losses = [float(line.partition(", loss ")[2].partition(",")[0]) for line in said if ", loss " in line]
    assert np.mean(losses[-10:]) < 0.85 * np.mean(losses[:10])
    assert (tmp_path / "run" / "weights" / "fill_student.safetensors").is_file()
    assert list((tmp_path / "run").glob("pictures-*.png"))
