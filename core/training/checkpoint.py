"""Everything that a run needs to go on as if it had not been stopped, in one file that is written whole or not at all.

Samples, their order and the learning rate follow from the seed and the step, so that no generator's state is kept.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from core.errors import InvalidInput
from core.files.atomic import write_atomically
from core.training.config import TrainConfig, as_table, changed, config_from_table
from core.training.optimiser import RunningMean

STATE_NAME = "last.pt"
_ENTRIES = {"config", "step", "steps", "best", "network", "means", "optimiser"}


@dataclass(eq=False)
class Progress:
    """How far a run is: steps done of how many, and the least figure that held-out samples were judged by."""

    step: int
    steps: int
    best: float


@dataclass(frozen=True, eq=False)
class Learner:
    """What changes while learning."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    means: RunningMean


def save(folder: Path, config: TrainConfig, learner: Learner, progress: Progress) -> None:
    """Raises EditorError when the file cannot be written; the one before then stays."""
    state = {
        "config": as_table(config),
        "step": progress.step,
        "steps": progress.steps,
        "best": progress.best,
        "network": learner.network.state_dict(),
        "means": learner.means.state(),
        "optimiser": learner.optimiser.state_dict(),
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(folder / STATE_NAME, buffer.getvalue())


def load(folder: Path, config: TrainConfig, learner: Learner, device: torch.device) -> Progress:
    """Take up a saved state in place. Raises InvalidInput when it is damaged or of another configuration."""
    path = folder / STATE_NAME
    state = _read(path, device)
    stored = config_from_table(state["config"], path.name)
    names = changed(config, stored)
    if names:
        raise InvalidInput(f"{path} was trained with other values of {', '.join(names)}; use its configuration.")
    try:
        learner.network.load_state_dict(state["network"])
        learner.means.load(state["means"])
        learner.optimiser.load_state_dict(state["optimiser"])
    except (RuntimeError, ValueError, KeyError) as error:
        raise InvalidInput(f"{path} does not fit its own configuration; start again.") from error
    # The number may have been fitted to the time there was; one that the configuration gives anew comes before it.
    steps = state["steps"] if config.schedule.steps == stored.schedule.steps else config.schedule.steps
    return Progress(state["step"], steps, state["best"])


def exists(folder: Path) -> bool:
    """Whether there is something to resume."""
    return (folder / STATE_NAME).is_file()


def _read(path: Path, device: torch.device) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, OSError, UnpicklingError, ValueError, KeyError) as error:
        raise InvalidInput(f"{path} is missing, truncated or no checkpoint of a run; start again.") from error
    if not isinstance(state, dict) or set(state) != _ENTRIES:
        raise InvalidInput(f"{path} is no checkpoint of a run; start again.")
    return state
