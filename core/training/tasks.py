"""The things that are learned, each behind one small interface that the loop drives."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from core.errors import InvalidInput
from core.lras.layout import Codes, TargetName, patches, target
from core.lras.plan import Known, Plan, flow_plan, rgb_plan
from core.lras.quantizer import Quantizer, normalise_flow, normalise_rgb
from core.lras.recipe import INTENDED
from core.lras.saving import save_quantizer, save_transformer
from core.lras.transformer import Transformer
from core.nets.fill_student import FillStudent
from core.nets.lpips import Lpips
from core.training.click_task import ClickTask
from core.training.config import TrainConfig
from core.training.depth_task import DepthTask
from core.training.drafts import DraftPairs
from core.training.encoding import CodeGrids, encoded, encoded_flow, encoded_pictures
from core.training.fill_task import FillTask
from core.training.losses import ReconstructionLoss, SequenceLoss, perplexity
from core.training.samples import (
    CameraFlows,
    DraftMaker,
    Drawer,
    FlowSample,
    FlowSquares,
    PairSample,
    PictureSquares,
    RgbPairs,
    SampleMaker,
)
from core.training.sequences import SequenceBatch, batched, training_sequence
from core.training.sheets import flow_sheet, pair_sheet, quantizer_sheet

Picture = UInt8[np.ndarray, "H W 3"]
_AT_ONCE = 32


@runtime_checkable
class Task(Protocol):
    """`loss` holds the network that learns; its forward takes what `batch` gives and returns named figures.

    Of held-out samples the figure `judged_by` tells which weights are the best.
    """

    @property
    def judged_by(self) -> str: ...

    @property
    def network(self) -> nn.Module: ...

    @property
    def loss(self) -> nn.Module: ...

    @property
    def samples(self) -> SampleMaker: ...

    def batch(self, samples: Sequence[Any]) -> Any:
        """Tensors on the network's device."""
        ...

    def overall(self, samples: Sequence[Any]) -> dict[str, float]:
        """Figures of many samples taken together that are no means of theirs."""
        ...

    def pictures(self, count: int) -> Picture:
        """A sheet of held-out samples as the network as it is now makes them."""
        ...

    def save(self, folder: Path) -> None:
        """The network's weights as they are now, for use. Raises EditorError."""
        ...


class QuantizerTask:
    """An autoencoder of pictures or of flow."""

    # Not the loss: its other terms can fall while pictures get worse.
    judged_by = "reconstruction"

    def __init__(self, config: TrainConfig, drawer: Drawer, device: torch.device, judge: Lpips | None = None) -> None:
        assert config.quantizer is not None
        wants_judge = config.loss.perceptual_weight > 0
        if wants_judge and (judge is None or config.quantizer.channels != "rgb"):
            raise InvalidInput(
                "loss.perceptual_weight is for pictures and needs LPIPS; give --lpips TRUNK HEADS or set it to 0."
            )
        self.network = Quantizer(config.quantizer.config()).to(device)
        for parameter in self.network.parameters():
            if parameter.dim() == 4:  # the layout in which convolutions are fastest
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        trusted = judge.to(device) if wants_judge and judge is not None else None
        self.loss = ReconstructionLoss(self.network, config.loss, trusted)
        self._is_rgb = config.quantizer.channels == "rgb"
        self.samples: SampleMaker = PictureSquares(drawer) if self._is_rgb else FlowSquares(drawer)
        self._device = device

    def batch(self, samples: Sequence[Any]) -> Tensor:
        """Normalised images [B, C, S, S] of what `samples` makes."""
        stacked = torch.from_numpy(np.stack(samples)).to(self._device)
        return normalise_rgb(stacked.permute(0, 3, 1, 2)) if self._is_rgb else normalise_flow(stacked)

    def overall(self, samples: Sequence[Any]) -> dict[str, float]:
        """How many codes all samples use: at all, and if they were used evenly."""
        parts = (self.batch(samples[start : start + _AT_ONCE]) for start in range(0, len(samples), _AT_ONCE))
        codes = torch.cat([encoded(self.network, part).flatten() for part in parts])
        size = self.network.config.vocab_size
        return {"codes_used": float(perplexity(codes, size)), "codes_seen": float(len(codes.unique()))}

    def pictures(self, count: int) -> Picture:
        """Truth above, what comes back from the codes below."""
        samples = [self.samples.make(index, held_out=True) for index in range(count)]
        return quantizer_sheet(self.network, self.batch(samples))

    def save(self, folder: Path) -> None:
        save_quantizer(self.network, folder)


class _SequenceTask(ABC):
    """A transformer's target frame from what a plan shows of it. `encoded` and `plan` say which."""

    judged_by = "loss"

    def __init__(self, config: TrainConfig, network: Transformer, name: TargetName, samples: SampleMaker) -> None:
        self.network = network
        self.loss = SequenceLoss(network, target(network.config, name).codes, config.sequences.revealed_weight)
        self.samples = samples

    @abstractmethod
    def encoded(self, samples: Sequence[Any]) -> tuple[CodeGrids, CodeGrids]:
        """Codes of the sources and of the frames to decode."""

    @abstractmethod
    def plan(self, sample: Any, source: Codes, frame: Codes) -> Plan:
        """What the network is shown of a sample with these codes."""

    def batch(self, samples: Sequence[Any]) -> SequenceBatch:
        """Pictures and flow are encoded on the network's device."""
        rows = zip(samples, *self.encoded(samples), strict=True)
        sequences = [
            training_sequence(self.plan(sample, source, frame), patches(frame), sample.draw.groups)
            for sample, source, frame in rows
        ]
        return batched(sequences).to(self.network.device)

    def overall(self, samples: Sequence[Any]) -> dict[str, float]:  # noqa: ARG002 - as the interface has it
        """None."""
        return {}

    def save(self, folder: Path) -> None:
        save_transformer(self.network, folder, torch.bfloat16)


class RgbTask(_SequenceTask):
    """Frame 1 from frame 0 and binned flow."""

    def __init__(
        self,
        config: TrainConfig,
        drawer: Drawer,
        device: torch.device,
        rgb: Quantizer,
        drafts: DraftMaker | None = None,
    ) -> None:
        network = _transformer(config, device)
        super().__init__(config, network, "rgb", RgbPairs(drawer, network.config, drafts))
        self._rgb = _frozen(rgb, network.config.rgb_range.size, "RGB", device)

    def encoded(self, samples: Sequence[PairSample]) -> tuple[CodeGrids, CodeGrids]:
        pictures = np.concatenate([[sample.source for sample in samples], [sample.target for sample in samples]])
        sources, frames = np.split(encoded_pictures(self._rgb, pictures), 2)
        return sources, frames

    def plan(self, sample: PairSample, source: Codes, frame: Codes) -> Plan:
        draw = sample.draw
        shown = (sample.bins, draw.flow_ids) if len(draw.flow_ids) else None
        return rgb_plan(self.network.config, INTENDED, source, draw.orders, shown, Known(draw.known_ids, frame))

    def pictures(self, count: int) -> Picture:
        """Source, target, the hole that an edit leaves, the hole painted, and the whole frame painted."""
        samples = [self.samples.make(index, held_out=True) for index in range(count)]
        return pair_sheet(self.network, self._rgb, samples, self.plan)


class FlowTask(_SequenceTask):
    """Quantised flow from frame 0 and a camera motion."""

    def __init__(
        self, config: TrainConfig, drawer: Drawer, device: torch.device, rgb: Quantizer, flow: Quantizer
    ) -> None:
        network = _transformer(config, device)
        super().__init__(config, network, "flow", CameraFlows(drawer, network.config))
        self._rgb = _frozen(rgb, network.config.rgb_range.size, "RGB", device)
        self._flow = _frozen(flow, target(network.config, "flow").codes.size, "flow", device)

    def encoded(self, samples: Sequence[FlowSample]) -> tuple[CodeGrids, CodeGrids]:
        sources = encoded_pictures(self._rgb, np.stack([sample.source for sample in samples]))
        return sources, encoded_flow(self._flow, np.stack([sample.flow for sample in samples]))

    def plan(self, sample: FlowSample, source: Codes, frame: Codes) -> Plan:
        draw = sample.draw
        known = Known(draw.known_ids, frame)
        return flow_plan(self.network.config, INTENDED, source, draw.orders, sample.camera, known)

    def pictures(self, count: int) -> Picture:
        """Source, its true flow, and the flow that the network predicts for the camera's motion."""
        samples = [self.samples.make(index, held_out=True) for index in range(count)]
        return flow_sheet(self.network, self._rgb, self._flow, samples)


def make_task(
    config: TrainConfig,
    drawer: Drawer,
    device: torch.device,
    rgb: Quantizer | None = None,
    flow: Quantizer | None = None,
    judge: Lpips | None = None,
    fill: FillStudent | None = None,
) -> Task:
    """The task that the configuration names, with the networks that it needs besides its own.

    Raises InvalidInput when it lacks a quantizer that fits, or a judge.
    """
    if config.task == "lpq":
        return QuantizerTask(config, drawer, device, judge)
    if config.task == "depth":
        return DepthTask(config, drawer.packed, device)
    if config.task == "click":
        return ClickTask(config, drawer.packed, device)
    if config.task == "fill":
        return FillTask(config, drawer.packed, device, judge)
    if rgb is None:
        raise InvalidInput(f"{config.task} needs a trained RGB quantizer; give its folder.")
    if config.task == "lras-rgb":
        drafts = None if fill is None else DraftPairs(drawer.packed, config, fill)
        return RgbTask(config, drawer, device, rgb, drafts)
    if flow is None:
        raise InvalidInput("lras-flow needs a trained flow quantizer; give its folder.")
    return FlowTask(config, drawer, device, rgb, flow)


def _transformer(config: TrainConfig, device: torch.device) -> Transformer:
    assert config.network is not None
    return Transformer(config.network.config(config.task)).to(device)


def _frozen(quantizer: Quantizer, codes: int, name: str, device: torch.device) -> Quantizer:
    wanted = 3 if name == "RGB" else 2
    if quantizer.config.channels != wanted:
        raise InvalidInput(f"The {name} quantizer must have {wanted} channels, got {quantizer.config.channels}.")
    if quantizer.config.vocab_size != codes:
        raise InvalidInput(
            f"The {name} quantizer has {quantizer.config.vocab_size} codes and the network {codes}; let them agree."
        )
    return quantizer.to(device).eval().requires_grad_(False)
