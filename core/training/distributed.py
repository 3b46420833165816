"""Where a run computes: one device, or one of several processes that `torchrun` started."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

# Its functions' default arguments hold the process group there is when it is first imported (PyTorch 2.13), and with
# it gloo's threads, which abort a process that Python leaves while one of them still lets go of a tensor.
import torch.distributed.nn
from torch import Tensor, distributed

from core.errors import InvalidInput


@dataclass(frozen=True)
class Place:
    """The device of one process, its number and how many there are."""

    device: torch.device
    rank: int = 0
    world: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def agreed(self, number: int) -> int:
        """The largest of the processes' numbers, so that all do the same."""
        if self.world == 1:
            return number
        shared = torch.tensor(number, device=self.device)
        distributed.all_reduce(shared, distributed.ReduceOp.MAX)
        return int(shared)

    def mean(self, value: Tensor) -> Tensor:
        """The mean of the processes' values."""
        if self.world == 1:
            return value
        shared = value.detach().float().clone()
        distributed.all_reduce(shared, distributed.ReduceOp.SUM)
        return shared / self.world


@contextmanager
def placed(device: str = "auto") -> Iterator[Place]:
    """Where a process computes; joins the others when there are some. Raises InvalidInput for an absent device."""
    kind = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    if kind == "cuda" and not torch.cuda.is_available():
        raise InvalidInput("There is no CUDA device here; use --device cpu.")
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Place(torch.device(kind))
        return
    local = int(os.environ["LOCAL_RANK"])
    chosen = torch.device(kind, local) if kind == "cuda" else torch.device(kind)
    if kind == "cuda":
        torch.cuda.set_device(chosen)
    distributed.init_process_group("nccl" if kind == "cuda" else "gloo")
    try:
        yield Place(chosen, distributed.get_rank(), world)
        # The first process writes at the end; none may leave while another still talks to it.
        distributed.barrier()
    finally:
        distributed.destroy_process_group()
