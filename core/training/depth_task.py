"""Learning depth from rendered places, measured depth and a weak teacher."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8

from core.files.atomic import write_atomically
from core.nets.depth_student import DepthStudent
from core.nets.files import depth_student_bytes
from core.training.config import TrainConfig
from core.training.depth_loss import DepthBatch, DepthLoss
from core.training.depth_samples import DepthSample, DepthViews
from core.training.packed import PackedSet
from core.training.samples import SampleMaker

WEIGHTS_NAME = "depth_student.safetensors"
_SHOWN_PIXELS = 192
Picture = UInt8[np.ndarray, "H W 3"]


class DepthTask:
    """A photo to inverse depth and its doubt."""

    judged_by = "loss"

    def __init__(self, config: TrainConfig, packed: PackedSet, device: torch.device) -> None:
        assert config.depth_network is not None
        self.network = DepthStudent(config.depth_network.config()).to(device)
        for parameter in self.network.parameters():
            if parameter.dim() == 4:  # the layout in which convolutions are fastest
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self.loss = DepthLoss(self.network, config.depth)
        self.samples: SampleMaker = DepthViews(packed, config)
        self._device = device

    def batch(self, samples: Sequence[DepthSample]) -> DepthBatch:
        """Pictures of one size."""
        pictures = torch.from_numpy(np.stack([sample.picture for sample in samples])).to(self._device)
        inverse = torch.from_numpy(np.stack([sample.inverse for sample in samples])).to(self._device)
        weak = torch.tensor([sample.weak for sample in samples], device=self._device)
        return DepthBatch(pictures.permute(0, 3, 1, 2).float() / 255, inverse, weak)

    def overall(self, samples: Sequence[Any]) -> dict[str, float]:  # noqa: ARG002 - as the interface has it
        """None."""
        return {}

    def pictures(self, count: int) -> Picture:
        """Columns of held-out samples: photo, wanted, made, doubt."""
        columns = []
        for index in range(count):
            sample = self.samples.make(index, held_out=True)
            assert isinstance(sample, DepthSample)
            with torch.no_grad():
                made, doubt = (value.float().cpu().numpy()[0] for value in self.network(self.batch([sample]).images))
            cells = (sample.picture, _coloured(sample.inverse), _coloured(made), _coloured(doubt))
            columns.append(np.vstack([_padded(cell) for cell in cells]))
        return np.hstack(columns)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / WEIGHTS_NAME, depth_student_bytes(self.network))


def _coloured(values: Float32[np.ndarray, "H W"]) -> Picture:
    """From the 2nd to the 98th percentile, dark to light; unknown pixels green."""
    known = np.isfinite(values)
    low, high = np.percentile(values[known], (2, 98)) if known.any() else (0.0, 1.0)
    shares = np.nan_to_num((values - low) / max(high - low, 1e-6)).clip(0, 1)
    colours = cv2.applyColorMap((255 * shares).astype(np.uint8), cv2.COLORMAP_MAGMA)[..., ::-1].copy()
    colours[~known] = (0, 120, 60)
    return colours


def _padded(picture: Picture) -> UInt8[np.ndarray, "S S 3"]:
    scale = _SHOWN_PIXELS / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rows, columns = (_SHOWN_PIXELS - side for side in small.shape[:2])
    return np.pad(small, ((0, rows), (0, columns), (0, 0)))
