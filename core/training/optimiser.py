"""Initial weights, AdamW, the learning rate's course, and the running mean of the weights."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from core.lras.transformer import Transformer
from core.training.config import Schedule
from core.training.geometry_start import start_with_geometry

_WEIGHT_DEVIATION = 0.02


def initialise(network: nn.Module, seed: int) -> None:
    """Random weights of a transformer as GPT-2's, its tables by what they stand for; of others as their layers have."""
    torch.manual_seed(seed)
    if not isinstance(network, Transformer):
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.reset_parameters()
        return
    residual = _WEIGHT_DEVIATION / math.sqrt(2 * network.config.n_layer)
    for name, parameter in network.named_parameters():
        if parameter.dim() >= 2:
            nn.init.normal_(parameter, std=residual if name.endswith("c_proj.weight") else _WEIGHT_DEVIATION)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
    start_with_geometry(network)


def adamw(network: nn.Module, schedule: Schedule) -> torch.optim.AdamW:
    """Loshchilov and Hutter 2019; norms, biases and embeddings do not decay."""
    embeddings = {id(module.weight) for module in network.modules() if isinstance(module, nn.Embedding)}
    decaying, free = [], []
    for parameter in network.parameters():
        (decaying if parameter.dim() >= 2 and id(parameter) not in embeddings else free).append(parameter)
    groups = [{"params": decaying, "weight_decay": schedule.weight_decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=schedule.learning_rate, betas=schedule.betas, fused=True)


def learning_rate(schedule: Schedule, step: int, steps: int) -> float:
    """At `step` of `steps`, the first being 0: a linear rise, then half a cosine down to the final share."""
    if step < schedule.warm_up_steps:
        return schedule.learning_rate * (step + 1) / schedule.warm_up_steps
    done = min(1.0, (step - schedule.warm_up_steps) / max(1, steps - schedule.warm_up_steps))
    share = schedule.final_learning_rate_share
    return schedule.learning_rate * (share + (1 - share) * 0.5 * (1 + math.cos(math.pi * done)))


class RunningMean:
    """An exponential mean of the weights over the steps; early steps count less long (Tarvainen and Valpola 2017)."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._decay = decay
        self._means = [parameter.detach().clone() for parameter in self._parameters]

    def update(self, step: int) -> None:
        """After the optimiser's step `step`, the first being 0."""
        weight = 1 - min(self._decay, (1 + step) / (10 + step))
        for mean, parameter in zip(self._means, self._parameters, strict=True):
            mean.lerp_(parameter.detach(), weight)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network has the means as its weights within."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def state(self) -> list[Tensor]:
        return self._means

    def load(self, state: list[Tensor]) -> None:
        """Take over what `state` gave."""
        for mean, stored in zip(self._means, state, strict=True):
            mean.copy_(stored)

    def _exchange(self) -> None:
        for index, parameter in enumerate(self._parameters):
            mean = self._means[index]
            self._means[index], parameter.data = parameter.data, mean
