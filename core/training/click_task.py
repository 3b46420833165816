"""Learning masks by click from photos with masks of their objects."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool, UInt8

from core.files.atomic import write_atomically
from core.nets.click_student import ClickStudent, Prompts
from core.nets.files import click_student_bytes
from core.training.click_loss import ClickBatch, ClickLoss, overlap
from core.training.click_samples import ClickSample, ClickViews
from core.training.config import TrainConfig
from core.training.packed import PackedSet
from core.training.samples import SampleMaker

WEIGHTS_NAME = "click_student.safetensors"
# The answers that held-out samples are judged by: after one click and after three.
_JUDGED_ANSWERS = 1, 3
_AT_ONCE = 8
_SHOWN_PIXELS = 192
Picture = UInt8[np.ndarray, "H W 3"]


class ClickTask:
    """A photo and clicks to masks."""

    judged_by = "missed"

    def __init__(self, config: TrainConfig, packed: PackedSet, device: torch.device) -> None:
        assert config.click_network is not None
        self.network = ClickStudent(config.click_network.config()).to(device)
        for parameter in self.network.parameters():
            if parameter.dim() == 4:  # the layout in which convolutions are fastest
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self.loss = ClickLoss(self.network)
        self.samples: SampleMaker = ClickViews(packed, config)
        self._device = device

    def batch(self, samples: Sequence[ClickSample]) -> ClickBatch:
        """Pictures of one size; what is short of clicks gets some without a sign."""
        device = self._device
        pictures = torch.from_numpy(np.stack([sample.picture for sample in samples])).to(device)
        said = [pointed for sample in samples for pointed in sample.pointed]
        clicks = np.zeros((len(said), max(1, *(len(pointed.clicks) for pointed in said)), 3), np.float32)
        for row, pointed in zip(clicks, said, strict=True):
            row[: len(pointed.clicks)] = pointed.clicks
        prompts = Prompts(
            torch.from_numpy(clicks).to(device),
            torch.from_numpy(np.stack([pointed.box for pointed in said])).to(device),
            torch.from_numpy(np.stack([pointed.previous for pointed in said])).to(device),
        )
        photos = torch.tensor([number for number, sample in enumerate(samples) for _ in sample.pointed], device=device)
        counted = torch.from_numpy(np.stack([sample.counted for sample in samples])).to(device)
        return ClickBatch(
            (pictures.permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=torch.channels_last),
            photos,
            prompts,
            torch.from_numpy(np.concatenate([sample.wanted for sample in samples])).to(device).float(),
            counted[photos],
            torch.from_numpy(np.concatenate([sample.weights for sample in samples])).to(device),
            samples[0].corrections,
        )

    def overall(self, samples: Sequence[ClickSample]) -> dict[str, float]:
        """Mean overlap after one click and after three, and by how much the two miss 1."""
        sums = np.zeros(len(_JUDGED_ANSWERS))
        count = 0
        by_size: dict[tuple[int, ...], list[ClickSample]] = {}
        for sample in samples:
            by_size.setdefault(sample.picture.shape, []).append(sample)
        for alike in by_size.values():
            for start in range(0, len(alike), _AT_ONCE):
                batch = self.batch(alike[start : start + _AT_ONCE])
                course = self.loss.course(batch, max(_JUDGED_ANSWERS))
                found = torch.stack([course[answer - 1] for answer in _JUDGED_ANSWERS], dim=1)
                overlaps = overlap(found, batch.wanted, batch.counted)
                sums += overlaps.sum(0).cpu().numpy()
                count += len(overlaps)
        means = sums / count
        named = {f"overlap_{answer}": float(mean) for answer, mean in zip(_JUDGED_ANSWERS, means, strict=True)}
        return {**named, "missed": float(1 - means.mean())}

    def pictures(self, count: int) -> Picture:
        """Columns of held-out samples: the photo, what is wanted, and the masks after each click judged."""
        columns = []
        for index in range(count):
            sample = self.samples.make(index, held_out=True)
            assert isinstance(sample, ClickSample)
            course = self.loss.course(self.batch([sample]), max(_JUDGED_ANSWERS))
            masks = [sample.wanted[0], *(course[answer - 1][0].cpu().numpy() for answer in _JUDGED_ANSWERS)]
            cells = [sample.picture, *(_lit(sample.picture, mask) for mask in masks)]
            cv2.circle(cells[1], _place(sample), 3, (255, 255, 255), -1)
            columns.append(np.vstack([_padded(cell) for cell in cells]))
        return np.hstack(columns)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / WEIGHTS_NAME, click_student_bytes(self.network))


def _place(sample: ClickSample) -> tuple[int, int]:
    x, y, _ = sample.pointed[0].clicks[0]
    return int(x), int(y)


def _lit(picture: Picture, mask: Bool[np.ndarray, "H W"]) -> Picture:
    return np.where(mask[..., None], picture, picture // 4)


def _padded(picture: Picture) -> UInt8[np.ndarray, "S S 3"]:
    scale = _SHOWN_PIXELS / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rows, columns = (_SHOWN_PIXELS - side for side in small.shape[:2])
    return np.pad(small, ((0, rows), (0, columns), (0, 0)))
