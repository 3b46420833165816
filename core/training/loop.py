"""One resumable loop: batches in, steps of the optimiser, figures, pictures and checkpoints out.

A run of several processes (`torchrun`) gives each its own samples and averages their gradients.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from core.errors import EngineFailed, InvalidInput
from core.files.atomic import write_atomically
from core.files.png import encode_png
from core.training import checkpoint
from core.training.checkpoint import Learner, Progress
from core.training.config import TrainConfig
from core.training.data_card import DATA_NAME, data_card
from core.training.distributed import Place
from core.training.journal import Journal
from core.training.loading import batches, held_out
from core.training.optimiser import RunningMean, adamw, initialise, learning_rate
from core.training.tasks import Task
from core.types.protocols import CancelToken

BEST, LAST = "best", "weights"
# Steps that a device's speed is measured over, after as many to warm up.
_TIMED_STEPS = 10


@dataclass(frozen=True)
class Limits:
    """When to stop before the last step: after `minutes`. `fit_minutes` sets the number of steps to what fits.

    The number of steps is set once, early in a run, and kept on resuming.
    """

    minutes: float | None = None
    fit_minutes: float | None = None


@dataclass(eq=False)
class _Clock:
    begun: float = field(default_factory=time.monotonic)
    pictured: float = field(default_factory=time.monotonic)
    timed: float = field(default_factory=time.monotonic)

    @property
    def minutes(self) -> float:
        return (time.monotonic() - self.begun) / 60


def train(
    task: Task,
    config: TrainConfig,
    folder: Path,
    place: Place,
    resume: bool = False,
    limits: Limits | None = None,
    cancel: CancelToken | None = None,
    say: Callable[[str], None] = print,
    begin: Callable[[nn.Module], object] | None = None,
) -> Progress:
    """Learn until the last step, the limit, or `cancel`; what was learned is in `folder` then, in every case.

    A new run starts from random weights, which `begin` may replace by others.
    Leaves the state to go on from, `log.jsonl`, `loss.png`, pictures, and the running mean of the weights as
    `weights` (as they are now) and `best` (of held-out samples), with the licences of their data beside them. Raises
    InvalidInput when `folder` holds a run and `resume` is not set, EngineFailed when the loss is no longer finite.
    """
    if checkpoint.exists(folder) and not resume:
        raise InvalidInput(f"{folder} holds a run already; use --resume to go on, or another folder.")
    said = say if place.is_first else _silent
    task.samples.check()
    folder.mkdir(parents=True, exist_ok=True)
    initialise(task.network, config.run.seed)
    if begin is not None:
        begin(task.network)
    learner = Learner(
        task.network, adamw(task.network, config.schedule), RunningMean(task.network, config.schedule.ema_decay)
    )
    progress = Progress(0, config.schedule.steps, math.inf)
    if checkpoint.exists(folder):
        progress = checkpoint.load(folder, config, learner, place.device)
        said(f"resumed at step {progress.step} of {progress.steps}")
    run = _Run(task, config, folder, place, learner, progress, limits or Limits(), cancel or CancelToken(), said)
    return run.go()


@dataclass(eq=False)
class _Run:
    task: Task
    config: TrainConfig
    folder: Path
    place: Place
    learner: Learner
    progress: Progress
    limits: Limits
    cancel: CancelToken
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        loss: Any = self.task.loss
        if self.config.run.compiled:
            loss = torch.compile(loss)
        if self.place.world > 1:
            ids = [self.place.device.index] if self.place.device.type == "cuda" else None
            loss = DistributedDataParallel(loss, device_ids=ids)
        self._loss: nn.Module = loss
        self._journal = Journal(self.folder, self.progress.step) if self.place.is_first else None
        self._judged_by: list[list] = []
        self._judged_at = self.progress.step
        self._precision = precision(self.config.run.precision, self.place.device)
        self._clock = _Clock()

    def go(self) -> Progress:
        """Steps until the end, then what is kept of them."""
        schedule, run = self.config.schedule, self.config.run
        first = self.progress.step * schedule.accumulation
        made = batches(self.task.samples, self.config, first, self.place.rank, self.place.world)
        begun_at, sums, counted, since = self.progress.step, {}, 0, time.monotonic()
        while self.progress.step < self.progress.steps and not self._should_stop():
            figures = self._step(made)
            sums = figures if not counted else {name: sums[name] + value for name, value in figures.items()}
            counted += 1
            done = self.progress.step
            self._fit_steps(done - begun_at)
            saves = done % run.checkpoint_every_steps == 0
            if saves or done % run.log_every_steps == 0 or done == self.progress.steps:
                seconds, since = time.monotonic() - since, time.monotonic()
                self._log(sums, counted, seconds)
                sums, counted = {}, 0
            if done % run.evaluate_every_steps == 0:
                self._judge()
            if saves:
                self._save()
            if time.monotonic() - self._clock.pictured >= 60 * run.pictures_every_minutes:
                self._show()
        if counted:
            self._log(sums, counted, time.monotonic() - since)
        if not self.cancel.cancelled and self._judged_at != self.progress.step:
            self._judge()
        self._save(final=True)
        self._show()
        return self.progress

    def _step(self, made: Iterator[list]) -> dict[str, Tensor]:
        """One step of the optimiser; figures are means over its batches, left on the device."""
        schedule, learner = self.config.schedule, self.learner
        rate = learning_rate(schedule, self.progress.step, self.progress.steps)
        for group in learner.optimiser.param_groups:
            group["lr"] = rate
        totals: dict[str, Tensor] = {}
        for part in range(schedule.accumulation):
            batch = self.task.batch(next(made))
            with self._without_exchange(part < schedule.accumulation - 1):
                with self._cast():
                    figures = self._loss(batch)
                (figures["loss"] / schedule.accumulation).backward()
            for name, value in figures.items():
                totals[name] = totals.get(name, 0) + value.detach() / schedule.accumulation
        length = nn.utils.clip_grad_norm_(learner.network.parameters(), schedule.longest_gradient)
        learner.optimiser.step()
        learner.optimiser.zero_grad(set_to_none=True)
        learner.means.update(self.progress.step)
        self.progress.step += 1
        return {**totals, "gradient": length.detach()}

    def _fit_steps(self, done_here: int) -> None:
        """Set the number of steps from the time that the first ones took."""
        if done_here == _TIMED_STEPS:
            self._clock.timed = time.monotonic()
        if self.limits.fit_minutes is None or done_here != 2 * _TIMED_STEPS or self.progress.step != done_here:
            return
        seconds = (time.monotonic() - self._clock.timed) / _TIMED_STEPS
        left = 60 * (self.limits.fit_minutes - self._clock.minutes)
        fitting = self.place.agreed(self.progress.step + max(1, int(left / seconds)))
        self.progress.steps = fitting
        self.say(f"{seconds:.3g} s a step: {fitting} steps fit into {self.limits.fit_minutes:g} minutes")

    def _should_stop(self) -> bool:
        late = self.limits.minutes is not None and self._clock.minutes >= self.limits.minutes
        return bool(self.place.agreed(int(self.cancel.cancelled or late)))

    def _log(self, sums: dict[str, Tensor], counted: int, seconds: float) -> None:
        """Before anything is saved, so that no weights are that a loss which is not finite has made."""
        means = {name: float(self.place.mean(value)) / counted for name, value in sums.items()}
        schedule = self.config.schedule
        samples = counted * schedule.batch_size * schedule.accumulation * self.place.world
        record = {
            "step": self.progress.step,
            **means,
            "learning_rate": self.learner.optimiser.param_groups[0]["lr"],
            "samples_per_second": round(samples / seconds, 3),
        }
        if self._journal is not None:
            self._journal.write(record)
            self.say(", ".join(f"{name} {_short(value)}" for name, value in record.items()))
        if not math.isfinite(means["loss"]):
            raise EngineFailed(
                f"The loss is not finite at step {self.progress.step}; lower schedule.learning_rate and start again."
            )

    def _judge(self) -> None:
        """Held-out samples under the running mean of the weights, which is kept if it is the best so far."""
        self._judged_at = self.progress.step
        if not self.place.is_first:
            return
        self._judged_by = self._judged_by or held_out(self.task.samples, self.config)
        totals: dict[str, float] = {}
        with self.learner.means.applied(), torch.no_grad(), self._cast():
            for samples in self._judged_by:
                for name, value in self.task.loss(self.task.batch(samples)).items():
                    totals[name] = totals.get(name, 0.0) + float(value) * len(samples)
            count = sum(map(len, self._judged_by))
            every = [sample for samples in self._judged_by for sample in samples]
            means = {name: value / count for name, value in totals.items()} | self.task.overall(every)
            record = {f"held_out_{name}": value for name, value in means.items()}
            judged = record[f"held_out_{self.task.judged_by}"]
            if judged < self.progress.best:
                self.progress.best = judged
                self._keep(BEST)
        assert self._journal is not None
        self._journal.write({"step": self.progress.step, **record})
        self.say(", ".join(f"{name} {_short(value)}" for name, value in record.items()))

    def _save(self, final: bool = False) -> None:
        if self.place.is_first:
            checkpoint.save(self.folder, self.config, self.learner, self.progress)
            if self._journal is not None:
                self._journal.plot()
            if final:
                with self.learner.means.applied():
                    self._keep(LAST)

    def _keep(self, name: str) -> None:
        """The weights as they are now, and beside them what they were learned from."""
        self.task.save(self.folder / name)
        write_atomically(self.folder / name / DATA_NAME, data_card(self.task.samples.packed, self.config))

    def _show(self) -> None:
        """A sheet of pictures by the running mean of the weights."""
        if self.place.is_first:
            with self.learner.means.applied():
                sheet = self.task.pictures(self.config.run.pictures)
            write_atomically(self.folder / f"pictures-{self.progress.step:07d}.png", encode_png(sheet))
        self._clock.pictured = time.monotonic()

    def _cast(self) -> Any:
        if self._precision == torch.float32:
            return nullcontext()
        return torch.autocast(self.place.device.type, dtype=self._precision)

    @contextmanager
    def _without_exchange(self, wanted: bool) -> Iterator[None]:
        with self._loss.no_sync() if wanted and isinstance(self._loss, DistributedDataParallel) else nullcontext():
            yield


def precision(name: str, device: torch.device) -> torch.dtype:
    """The type of matrix products. "auto": bfloat16 on devices with units for it."""
    if name != "auto":
        return torch.bfloat16 if name == "bfloat16" else torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()):
        return torch.bfloat16
    return torch.float32


def _silent(_line: str) -> None:
    """What the other processes say."""


def _short(value: float) -> str:
    return f"{value:d}" if isinstance(value, int) else f"{value:.4g}"
