"""Samples for the click network: functions of their number, wanted where the picture shows it, learnt from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training_data import CPU, packed_masks, tiny

from core.errors import InvalidInput
from core.training.click_samples import ClickSample, ClickViews
from core.training.click_task import ClickTask
from core.training.config import TrainConfig
from core.training.loop import train
from core.training.packed import PackedSet


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> PackedSet:
    return packed_masks(tmp_path_factory.mktemp("click"))


def config(**click: object) -> TrainConfig:
    found = tiny("click")
    return replace(found, click=replace(found.click, **click))


def samples(packed: PackedSet, count: int, **click: object) -> list[ClickSample]:
    views = ClickViews(packed, config(**click))
    return [views.make(number) for number in range(count)]


@pytest.mark.parametrize("held_out", [False, True])
def test_a_sample_is_a_function_of_its_number(packed: PackedSet, held_out: bool) -> None:
    first, again = (ClickViews(packed, config()).make(3, held_out) for _ in range(2))
    np.testing.assert_array_equal(first.picture, again.picture)
    np.testing.assert_array_equal(first.wanted, again.wanted)
    for one, other in zip(first.pointed, again.pointed, strict=True):
        np.testing.assert_array_equal(one.clicks, other.clicks)
        np.testing.assert_array_equal(one.previous, other.previous)
    if not held_out:  # of which there is one photo
        assert not np.array_equal(first.picture, ClickViews(packed, config()).make(4).picture)


def test_all_of_a_batch_are_alike_in_size_and_corrections(packed: PackedSet) -> None:
    settings = config(upright_share=0.5, correction_shares=(0.5, 0.5))
    views, size = ClickViews(packed, settings), settings.schedule.batch_size
    batches = [[views.make(batch * size + place) for place in range(size)] for batch in range(24)]
    kinds = [{(sample.picture.shape[:2], sample.corrections) for sample in batch} for batch in batches]
    assert all(len(found) == 1 for found in kinds)
    assert set.union(*kinds) == {((32, 64), 0), ((32, 64), 1), ((64, 32), 0), ((64, 32), 1)}
    # Two processes that learn side by side have such batches.
    assert all(first == second for first, second in zip(kinds[::2], kinds[1::2], strict=True))


def test_what_is_held_out_is_clicked_in_its_middle_and_not_corrected(packed: PackedSet) -> None:
    views = ClickViews(packed, config(correction_shares=(0.0, 1.0)))
    for number in range(8):
        sample = views.make(number, held_out=True)
        assert sample.corrections == 0
        for wanted, pointed in zip(sample.wanted, sample.pointed, strict=True):
            ((x, y, sign),) = pointed.clicks
            assert sign == 1
            assert wanted[int(y), int(x)]


def test_wanted_is_what_the_picture_shows(packed: PackedSet) -> None:
    """Objects are red or blue and nothing else is; held-out pictures keep their colours."""
    views = ClickViews(packed, config(short_sides=(64,), long_sides=(96,)))
    for number in range(6):
        sample = views.make(number, held_out=True)
        for wanted in sample.wanted:
            inside = np.median(sample.picture[wanted], axis=0)
            coloured = np.abs(sample.picture.astype(int) - inside).max(-1) < 60
            both = (wanted & coloured & sample.counted).sum() / ((wanted | coloured) & sample.counted).sum()
            assert both > 0.8


def test_prompts_are_true_and_uncounted_pixels_are_not_wanted(packed: PackedSet) -> None:
    made = samples(packed, 60, short_sides=(64,), paste_share=0.3, region_share=0.2, previous_share=0.3)
    assert any(not sample.counted.all() for sample in made)
    for sample in made:
        assert sample.wanted.shape[0] == len(sample.pointed) == len(sample.weights) == 2
        assert not (sample.wanted & ~sample.counted).any()
        for wanted, pointed in zip(sample.wanted, sample.pointed, strict=True):
            for x, y, sign in pointed.clicks:
                assert bool(wanted[int(y), int(x)]) == (sign > 0)


def test_regions_weigh_less_than_objects_and_pasted_ones_do_not(packed: PackedSet) -> None:
    regions = samples(packed, 10, region_share=1.0, paste_share=0.0, region_weight=0.25)
    assert {float(weight) for sample in regions for weight in sample.weights} == {0.25}
    pasted = samples(packed, 30, region_share=1.0, paste_share=1.0, region_weight=0.25)
    assert {float(weight) for sample in pasted for weight in sample.weights} == {0.25, 1.0}
    assert {float(weight) for sample in samples(packed, 10) for weight in sample.weights} == {1.0}


def test_two_objects_can_be_wanted_together(packed: PackedSet) -> None:
    made = samples(
        packed, 40, union_share=1.0, component_share=0.0, paste_share=0.0, smallest_crop_share=1.0, short_sides=(64,)
    )
    alone = samples(packed, 40, union_share=0.0, component_share=0.0, paste_share=0.0, smallest_crop_share=1.0,
                    short_sides=(64,))  # fmt: skip
    assert np.mean([s.wanted.mean() for s in made]) > 1.5 * np.mean([s.wanted.mean() for s in alone])


def test_a_piece_of_an_object_can_be_wanted(tmp_path: Path) -> None:
    import cv2

    packed_masks(tmp_path)
    for path in (tmp_path / "data" / "masks").glob("*.png"):
        ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert ids is not None
        cv2.imwrite(str(path), np.where(ids == 2, 1, ids))
    from core.training.packing import pack
    from core.training.sources import find_clips

    pack(find_clips([tmp_path / "data"]), tmp_path / "joined", 96)
    joined = PackedSet(tmp_path / "joined")
    for share, pieces in ((1.0, {1}), (0.0, {2})):
        made = samples(joined, 20, component_share=share, union_share=0.0, paste_share=0.0, smallest_crop_share=1.0,
                       largest_turn_deg=0.0, short_sides=(64,))  # fmt: skip
        counts = [cv2.connectedComponents(wanted.astype(np.uint8))[0] - 1 for s in made for wanted in s.wanted]
        assert set(counts) >= pieces
        assert np.mean([count in pieces for count in counts]) > 0.6


def test_data_without_masks_or_regions_or_large_objects_is_refused(packed: PackedSet, tmp_path: Path) -> None:
    from training_data import packed_data

    with pytest.raises(InvalidInput, match="--for-clicks"):
        ClickViews(packed_data(tmp_path), config()).check()
    ClickViews(packed, config(region_share=0.1)).check()
    with pytest.raises(InvalidInput, match="smallest_object_share"):
        ClickViews(packed, config(smallest_object_share=1.0)).make(0)


@pytest.mark.parametrize(
    ("fault", "click"),
    [
        ("multiples of 32", {"short_sides": (33,)}),
        ("one length", {"side_shares": (0.5, 0.5)}),
        ("correction_shares", {"correction_shares": ()}),
        ("paste_share is 2", {"paste_share": 2.0}),
        ("not exceed 1", {"box_share": 0.6, "previous_share": 0.6}),
        ("prompts is 0", {"prompts": 0}),
    ],
)
def test_faulty_settings_are_named(fault: str, click: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=fault):
        config(**click)


def test_a_short_run_learns_and_leaves_weights(tmp_path: Path, packed: PackedSet) -> None:
    lines: list[str] = []
    run = config(paste_share=0.0, union_share=0.0, component_share=0.0, smallest_crop_share=1.0)
    rarely = replace(run.run, checkpoint_every_steps=60, evaluate_every_steps=30)
    schedule = replace(run.schedule, steps=60, batch_size=8, learning_rate=4e-3)
    run = replace(run, schedule=schedule, run=rarely)
    task = ClickTask(run, packed, CPU.device)
    progress = train(task, run, tmp_path / "run", CPU, say=lines.append)
    losses = [float(line.partition(", loss ")[2].partition(",")[0]) for line in lines if line.startswith("step")]
    assert np.mean(losses[-8:]) < 0.9 * np.mean(losses[:8])
    judged = task.overall([task.samples.make(number, held_out=True) for number in range(4)])
    assert judged["missed"] == pytest.approx(1 - (judged["overlap_1"] + judged["overlap_3"]) / 2)
    assert progress.best < 0.7
    assert (tmp_path / "run" / "best" / "click_student.safetensors").is_file()
    assert list((tmp_path / "run").glob("pictures-*.png"))
