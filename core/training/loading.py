"""Batches of samples in order, made ahead of time by other processes where asked for."""

from collections.abc import Iterator
from itertools import islice

import cv2
from torch.utils.data import DataLoader, Dataset

from core.training.config import TrainConfig
from core.training.samples import SampleMaker, batch_indices

_AHEAD = 4


class _Samples(Dataset[object]):
    def __init__(self, maker: SampleMaker) -> None:
        self._maker = maker

    def __getitem__(self, index: int) -> object:
        return self._maker.make(index)


class _Batches:
    """A batch sampler without end; a worker process sees one of its own."""

    def __init__(self, batch_size: int, first: int, rank: int, world: int) -> None:
        self._arguments = batch_size, first, rank, world

    def __iter__(self) -> Iterator[list[int]]:
        return batch_indices(*self._arguments)


def batches(maker: SampleMaker, config: TrainConfig, first: int, rank: int = 0, world: int = 1) -> Iterator[list]:
    """Lists of samples from batch `first` on, the same whatever the number of workers."""
    one_thread(0)
    workers = config.run.workers
    loader = DataLoader(
        _Samples(maker),
        batch_sampler=_Batches(config.schedule.batch_size, first, rank, world),  # type: ignore[arg-type] - endless
        collate_fn=list,
        num_workers=workers,
        prefetch_factor=_AHEAD if workers else None,
        # A forked process would inherit the threads' locks without the threads.
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=one_thread if workers else None,
    )
    return iter(loader)


def held_out(maker: SampleMaker, config: TrainConfig) -> list[list]:
    """The batches that a run is judged by: the same at every step and in every run of one seed."""
    samples = (maker.make(index, held_out=True) for index in range(config.run.held_out_samples))
    size, found = config.schedule.batch_size, []
    while part := list(islice(samples, size)):
        found.append(part)
    return found


def one_thread(_worker: int) -> None:
    """Optical flow depends on the number of OpenCV's threads, and the cores are the network's."""
    cv2.setNumThreads(1)
