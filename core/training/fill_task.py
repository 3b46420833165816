"""Learning what a hole holds from real photos whose pixels are hidden."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from core.errors import InvalidInput
from core.files.atomic import write_atomically
from core.nets.files import fill_student_bytes
from core.nets.fill_student import FillInputs, FillStudent
from core.nets.lpips import Lpips
from core.training.config import TrainConfig
from core.training.fill_loss import FillBatch, FillLoss, inside
from core.training.fill_places import FillSample
from core.training.fill_samples import FillWindows
from core.training.packed import PackedSet
from core.training.samples import SampleMaker

WEIGHTS_NAME = "fill_student.safetensors"
_UNKNOWN_COLOUR, _HIDDEN_COLOUR = (255, 0, 255), (0, 120, 60)
Picture = UInt8[np.ndarray, "H W 3"]


class FillTask:
    """Two guesses to a better one. Raises InvalidInput without the judge that the settings ask for."""

    judged_by = "loss"

    def __init__(
        self, config: TrainConfig, packed: PackedSet, device: torch.device, judge: Lpips | None = None
    ) -> None:
        assert config.fill_network is not None
        if config.fill.perceptual_weight > 0 and judge is None:
            raise InvalidInput(
                "Learning to fill needs LPIPS; give --lpips TRUNK HEADS or set fill.perceptual_weight to 0."
            )
        self.network = FillStudent(config.fill_network.config()).to(device)
        for parameter in self.network.parameters():
            if parameter.dim() == 4:  # the layout in which convolutions are fastest
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self.loss = FillLoss(self.network, config.fill, None if judge is None else judge.to(device))
        self.samples: SampleMaker = FillWindows(packed, config)
        self._device = device

    def batch(self, samples: Sequence[FillSample]) -> FillBatch:
        """Windows of one size."""
        truth, copied, smooth = (
            self._pictures([getattr(sample, name) for sample in samples]) for name in ("truth", "copied", "smooth")
        )
        unknown, usable = (
            torch.from_numpy(np.stack([getattr(sample, name) for sample in samples])).to(self._device)
            for name in ("unknown", "usable")
        )
        return FillBatch(FillInputs(copied, smooth, unknown, usable), truth)

    def overall(self, samples: Sequence[Any]) -> dict[str, float]:  # noqa: ARG002 - as the interface has it
        """None."""
        return {}

    def pictures(self, count: int) -> Picture:
        """Columns of held-out samples: what is told, the copied guess, made, truth."""
        columns = []
        for index in range(count):
            sample = self.samples.make(index, held_out=True)
            assert isinstance(sample, FillSample)
            batch = self.batch([sample])
            with torch.no_grad():
                answer = self.network(batch.inputs)
            made = inside(answer.applied(batch.inputs.copied, batch.inputs.smooth), batch.truth, batch.inputs.unknown)
            made = (255 * made[0].permute(1, 2, 0).float().cpu().numpy() + 0.5).astype(np.uint8)
            told = sample.truth.copy()
            told[~sample.usable] = _HIDDEN_COLOUR
            told[sample.unknown] = _UNKNOWN_COLOUR
            copied = np.where(sample.unknown[..., None], sample.copied, sample.truth)
            columns.append(np.vstack([told, copied, made, sample.truth]))
        return np.hstack(columns)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / WEIGHTS_NAME, fill_student_bytes(self.network))

    def _pictures(self, stacked: list[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(stacked)).to(self._device).permute(0, 3, 1, 2).float() / 255
