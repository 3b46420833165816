"""The loop: it learns, stops, goes on, and leaves what it learned in order."""

import json
import math
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from training_data import CPU, random_quantizers, tiny, tiny_task

from core.errors import EngineFailed, InvalidInput
from core.lras.saving import save_quantizer
from core.lras.weights import load_quantizer, load_transformer
from core.training import checkpoint
from core.training.config import Schedule, TrainConfig
from core.training.journal import Journal, plot, read_log
from core.training.loop import BEST, LAST, Limits, precision, train
from core.training.optimiser import RunningMean, adamw, initialise, learning_rate
from core.training.packed import PackedSet
from core.types.protocols import CancelToken

ROOT = Path(__file__).resolve().parents[3]


def quiet(_line: str) -> None:
    pass


def losses(folder: Path) -> dict[int, float]:
    return {record["step"]: record["loss"] for record in read_log(folder) if "loss" in record}


@pytest.mark.parametrize("name", ["lras-rgb", "lras-flow"])
def test_one_batch_is_learned_by_heart(packed: PackedSet, name: str) -> None:
    config = tiny(name, learning_rate=1e-2)
    task = tiny_task(config, packed)
    initialise(task.network, 0)
    batch = task.batch([task.samples.make(index) for index in range(2)])
    optimiser = adamw(task.network, config.schedule)
    seen = []
    for _ in range(80):
        value = task.loss(batch)["loss"]
        value.backward()
        optimiser.step()
        optimiser.zero_grad()
        seen.append(value.item())
    # Random codes: nothing but the codes themselves can be learned.
    assert seen[-1] < 0.2 * seen[0]


def test_a_quantizer_learns_and_uses_its_codes(packed: PackedSet, tmp_path: Path) -> None:
    config = tiny("lpq-rgb", steps=120)
    train(tiny_task(config, packed), config, tmp_path, CPU, say=quiet)
    records = read_log(tmp_path)
    first, last = (next(r for r in order if "absolute" in r) for order in (records, records[::-1]))
    assert last["absolute"] < 0.7 * first["absolute"]
    judged = [record for record in records if "held_out_codes_used" in record]
    assert 8 < judged[-1]["held_out_codes_used"] <= judged[-1]["held_out_codes_seen"] <= 64
    loaded = load_quantizer(tmp_path / LAST)
    assert loaded.config == config.quantizer.config()
    assert (tmp_path / BEST / "model.safetensors").is_file()
    for name in (BEST, LAST):
        assert "| attic | CC0 | 3 |" in (tmp_path / name / "DATA.md").read_text()
    assert cv2.imread(str(tmp_path / "loss.png")).shape == (540, 960, 3)
    (sheet,) = tmp_path.glob("pictures-*.png")
    assert cv2.imread(str(sheet)).shape == (64, 4 * 32, 3)


@pytest.mark.parametrize("name", ["lras-rgb", "lras-flow"])
def test_a_run_leaves_weights_and_pictures(packed: PackedSet, tmp_path: Path, name: str) -> None:
    config = tiny(name, steps=2)
    task = tiny_task(config, packed)
    progress = train(task, config, tmp_path, CPU, say=quiet)
    assert progress.step == 2
    model = load_transformer(tmp_path / LAST)
    assert model.config == task.network.config
    assert model.dtype == torch.bfloat16
    (sheet,) = tmp_path.glob("pictures-*.png")
    height, width, _ = cv2.imread(str(sheet)).shape
    assert (height, width) == (2 * 32, (5 if name == "lras-rgb" else 4) * 32)
    assert math.isfinite(progress.best)


def command(packed: PackedSet, folder: Path) -> list[str]:
    quantizer = folder.parent / "rgb"
    save_quantizer(random_quantizers()[0], quantizer)
    return [
        sys.executable, "-c", "import sys; from app.cli import main; sys.exit(main(sys.argv[1:]))",
        "train", "lras-rgb", "--data", str(packed.folder), "--config", "tiny-lras-rgb", "--out", str(folder),
        "--rgb-quantizer", str(quantizer), "--device", "cpu",
    ]  # fmt: skip


def test_a_killed_run_goes_on_as_if_it_had_not_been(packed: PackedSet, tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed = tmp_path / "killed"
    process = subprocess.Popen(command(packed, killed), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step 8,"):
            break
    process.kill()
    process.wait()
    assert 8 <= max(losses(killed)) < 40
    assert checkpoint.exists(killed)
    assert not (killed / LAST).exists()
    whole = tmp_path / "whole"
    config = tiny("lras-rgb")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        train(tiny_task(config, packed), config, killed, CPU, resume=True, say=quiet)
        train(tiny_task(config, packed), config, whole, CPU, say=quiet)
    finally:
        torch.set_num_threads(threads)
    assert list(losses(killed)) == list(range(1, 41))
    assert losses(killed) == losses(whole)
    states = [torch.load(folder / "last.pt", weights_only=True) for folder in (killed, whole)]
    assert all(torch.equal(a, b) for a, b in zip(states[0]["means"], states[1]["means"], strict=True))


def test_two_processes_learn_what_one_does_from_both_their_samples(packed: PackedSet, tmp_path: Path) -> None:
    text = (ROOT / "assets" / "configs" / "tiny-lpq-rgb.toml").read_text().replace("steps = 40", "steps = 3")
    text += "\n[loss]\nentropy_weight = 0\ndiversity_weight = 0\n"
    found = []
    for size, start in ((4, ()), (2, ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"))):
        config, folder = tmp_path / f"{size}.toml", tmp_path / str(size)
        config.write_text(text.replace("batch_size = 4", f"batch_size = {size}"))
        run = ["launch.py", "train", "lpq", "--data", packed.folder, "--config", config, "--out", folder]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run([sys.executable, *start, *run, "--device", "cpu"], cwd=ROOT, env=environment, check=True)
        found.append(losses(folder))
    assert list(found[0]) == [1, 2, 3]
    assert found[1] == pytest.approx(found[0], rel=1e-5)


def test_a_stopped_run_saves_and_goes_on(packed: PackedSet, tmp_path: Path) -> None:
    config = tiny("lpq-rgb", steps=12)
    cancel = CancelToken()

    def stop_at_seven(line: str) -> None:
        if line.startswith("step 7,"):
            cancel.cancel()

    progress = train(tiny_task(config, packed), config, tmp_path, CPU, cancel=cancel, say=stop_at_seven)
    assert progress.step == 7
    assert (tmp_path / LAST).is_dir()
    assert train(tiny_task(config, packed), config, tmp_path, CPU, resume=True, say=quiet).step == 12
    assert list(losses(tmp_path)) == list(range(1, 13))
    assert train(tiny_task(config, packed), config, tmp_path, CPU, resume=True, say=quiet).step == 12


def test_a_time_limit_stops_a_run_and_steps_can_be_fitted(packed: PackedSet, tmp_path: Path) -> None:
    config = tiny("lpq-rgb", steps=100000)
    begun = time.monotonic()
    progress = train(tiny_task(config, packed), config, tmp_path / "a", CPU, limits=Limits(minutes=0.01), say=quiet)
    assert 0 < progress.step < 100000
    assert time.monotonic() - begun > 0.6
    fitted = train(tiny_task(config, packed), config, tmp_path / "b", CPU, limits=Limits(fit_minutes=0.03), say=quiet)
    assert 20 < fitted.step == fitted.steps < 100000


def test_the_best_quantizer_is_the_one_that_rebuilds_best(packed: PackedSet, tmp_path: Path) -> None:
    config = replace(tiny("lpq-rgb", steps=12), run=replace(tiny("lpq-rgb").run, evaluate_every_steps=2))
    task = tiny_task(config, packed)
    forward, calls = task.loss.forward, []

    def praised(batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Of a loss that falls whatever becomes of the pictures."""
        calls.append(1)
        figures = forward(batch)
        rebuilt = figures["reconstruction"] + (0 if torch.is_grad_enabled() else len(calls))
        return {**figures, "loss": figures["loss"] - len(calls), "reconstruction": rebuilt}

    task.loss.forward = praised
    progress = train(task, config, tmp_path, CPU, say=quiet)
    judged = [record for record in read_log(tmp_path) if "held_out_loss" in record]
    assert judged[-1]["held_out_loss"] == min(record["held_out_loss"] for record in judged)
    assert progress.best == judged[0]["held_out_reconstruction"]


def test_a_finished_run_goes_on_with_more_steps(packed: PackedSet, tmp_path: Path) -> None:
    config = tiny("lpq-rgb", steps=3)
    assert train(tiny_task(config, packed), config, tmp_path, CPU, say=quiet).step == 3
    longer = tiny("lpq-rgb", steps=5)
    assert train(tiny_task(longer, packed), longer, tmp_path, CPU, resume=True, say=quiet).step == 5
    assert list(losses(tmp_path)) == [1, 2, 3, 4, 5]


def test_nothing_is_saved_of_a_loss_that_is_not_finite(packed: PackedSet, tmp_path: Path) -> None:
    config = tiny("lpq-rgb", steps=9)
    config = replace(config, run=replace(config.run, log_every_steps=9, checkpoint_every_steps=2))
    task = tiny_task(config, packed)
    forward, calls = task.loss.forward, []

    def spoilt(batch: torch.Tensor) -> dict[str, torch.Tensor]:
        calls.append(1)
        return {name: value / (len(calls) != 4) if name == "loss" else value for name, value in forward(batch).items()}

    task.loss.forward = spoilt
    with pytest.raises(EngineFailed, match="not finite at step 4"):
        train(task, config, tmp_path, CPU, say=quiet)
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    assert state["step"] == 2
    assert all(value.isfinite().all() for value in state["network"].values())


def test_what_cannot_go_on_is_refused(packed: PackedSet, tmp_path: Path) -> None:
    config = tiny("lpq-rgb", steps=1)
    train(tiny_task(config, packed), config, tmp_path, CPU, say=quiet)
    with pytest.raises(InvalidInput, match="use --resume"):
        train(tiny_task(config, packed), config, tmp_path, CPU, say=quiet)
    other = tiny("lpq-rgb", steps=1, learning_rate=1e-4)
    with pytest.raises(InvalidInput, match=r"other values of schedule\.learning_rate"):
        train(tiny_task(other, packed), other, tmp_path, CPU, resume=True, say=quiet)
    state = tmp_path / "last.pt"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(InvalidInput, match="truncated"):
        train(tiny_task(config, packed), config, tmp_path, CPU, resume=True, say=quiet)


def test_a_loss_that_is_not_finite_ends_the_run(packed: PackedSet, tmp_path: Path) -> None:
    config: TrainConfig = replace(tiny("lpq-rgb"), loss=replace(tiny("lpq-rgb").loss, squared_weight=math.inf))
    with pytest.raises(EngineFailed, match="not finite at step 1"):
        train(tiny_task(config, packed), config, tmp_path, CPU, say=quiet)


@pytest.mark.parametrize("name", ["lpq-rgb", "lras-rgb"])
def test_accumulated_batches_make_the_step_of_a_large_one(packed: PackedSet, tmp_path: Path, name: str) -> None:
    found = []
    for size, parts in ((4, 1), (2, 2)):
        config = tiny(name, steps=1, batch_size=size, accumulation=parts)
        config = replace(config, loss=replace(config.loss, entropy_weight=0.0, diversity_weight=0.0))
        task = tiny_task(config, packed)
        train(task, config, tmp_path / str(parts), CPU, say=quiet)
        (record,) = (record for record in read_log(tmp_path / str(parts)) if "loss" in record)
        found.append((record["loss"], record["gradient"]))
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_the_learning_rate_rises_and_falls() -> None:
    schedule = Schedule(steps=100, batch_size=1, warm_up_steps=10, learning_rate=1.0, final_learning_rate_share=0.1)
    rates = [learning_rate(schedule, step, 100) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == 1.0
    assert rates[55] == pytest.approx(0.55)
    assert rates[100] == pytest.approx(0.1)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_norms_and_embeddings_do_not_decay(packed: PackedSet) -> None:
    task = tiny_task(tiny("lras-rgb"), packed)
    decaying, free = adamw(task.network, tiny("lras-rgb").schedule).param_groups
    names = {id(parameter): name for name, parameter in task.network.named_parameters()}
    assert {names[id(p)] for p in free["params"]} == {
        name for name in names.values() if "embedding" in name or ".ln_" in name
    }
    assert free["weight_decay"] == 0 < decaying["weight_decay"]
    assert len(decaying["params"]) + len(free["params"]) == len(names)


def test_the_running_mean_lags_behind_and_is_applied_for_a_while() -> None:
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(layer.weight)
    means = RunningMean(layer, 0.5)
    for step in range(30):
        torch.nn.init.constant_(layer.weight, float(step >= 28))
        means.update(step)
    with means.applied():
        assert layer.weight.item() == pytest.approx(0.75)
    assert layer.weight.item() == 1


def test_the_log_forgets_what_was_not_saved(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for step in (1, 2, 3):
        journal.write({"step": step, "loss": 1.0 / step})
    with (tmp_path / "log.jsonl").open("ab") as stream:
        stream.write(b'{"step": 4, "lo')
    assert len(read_log(tmp_path)) == 3
    Journal(tmp_path, resumed_step=2)
    assert [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [1, 2]


def test_the_plot_shows_both_curves() -> None:
    records = [{"step": step, "loss": 4.0 / step} for step in range(1, 200)]
    records += [{"step": step, "held_out_loss": 5.0 / step} for step in range(20, 200, 20)]
    picture = plot(records)
    for colour in ((40, 90, 200), (220, 90, 30)):
        assert (np.abs(picture.astype(int) - colour).sum(axis=-1) < 30).sum() > 200


def test_bfloat16_trains_too(packed: PackedSet, tmp_path: Path) -> None:
    config = tiny("lras-rgb", steps=1)
    config = replace(config, run=replace(config.run, precision="bfloat16"))
    train(tiny_task(config, packed), config, tmp_path, CPU, say=quiet)
    assert losses(tmp_path)[1] == pytest.approx(math.log(64), rel=0.05)
    assert precision("float32", CPU.device) == torch.float32


def test_a_new_run_begins_with_what_it_is_given_and_a_resumed_one_does_not(packed: PackedSet, tmp_path: Path) -> None:
    config = tiny("lras-rgb", steps=1, learning_rate=1e-9)
    given = tiny_task(config, packed).network.state_dict()
    given = {name: torch.full_like(value, 0.01) for name, value in given.items()}
    begun = []

    def begin(network: torch.nn.Module) -> None:
        begun.append(network)
        network.load_state_dict(given)

    task = tiny_task(config, packed)
    train(task, config, tmp_path, CPU, say=quiet, begin=begin)
    assert begun == [task.network]
    for name, value in task.network.state_dict().items():
        torch.testing.assert_close(value, given[name], atol=1e-6, rtol=0, msg=name)
    longer = tiny("lras-rgb", steps=2, learning_rate=1e-9)
    again = tiny_task(longer, packed)
    noise = torch.ones_like(again.network.lm_head.weight)
    train(
        again,
        longer,
        tmp_path,
        CPU,
        resume=True,
        say=quiet,
        begin=lambda network: network.lm_head.weight.data.copy_(noise),
    )
    assert again.network.lm_head.weight.max() < 0.1
