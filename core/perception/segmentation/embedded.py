"""Masks by click from the small network that comes with the studio."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from core.compute import computes
from core.errors import InvalidInput
from core.nets.blocks import STRIDE
from core.nets.click_student import ClickStudent, Features, Prompts
from core.perception.segmentation import fitted
from core.perception.segmentation.cut import CutPrior, best_cut, touching_seeds
from core.perception.segmentation.evidence import border_strength
from core.perception.segmentation.obey import obeying
from core.perception.segmentation.prompts import Seeds, check_prompt, seeds_of
from core.perception.segmentation.refine import guide_picture, refine_edge
from core.perception.segmentation.regions import Regions, build_regions, work_picture
from core.types.mask import Mask, Prompt
from core.types.photo import Photo
from core.types.protocols import BackendInfo, Embedding

LONGEST = 320
_PRIOR = CutPrior(1.0)
_SUREST = 4.0  # logits are bounded by it, so that doubt at a border counts beside what lies deep inside


@dataclass(frozen=True, eq=False)
class Prepared:
    """The payload of an embedding: the encoder's features, the photo's own borders, what guides edges, its size."""

    features: Features
    regions: Regions
    strength: Float32[np.ndarray, "E"]
    guide: UInt8[np.ndarray, "g k 3"]
    width: int
    height: int


class EmbeddedClicks:
    """SegmentationBackend over the click student; the same photo and prompt give the same masks."""

    info = BackendInfo("embedded", "Click network (built in)", "MIT")

    def __init__(self, network: ClickStudent, longest: int = LONGEST) -> None:
        self._network, self._longest = network, longest

    def prepare(self, photo: Photo) -> Embedding:
        """The encoder's features of a photo and its superpixels, which no prompt changes."""
        factor = self._longest / max(photo.width, photo.height)
        size = tuple(max(STRIDE, STRIDE * round(side * factor / STRIDE)) for side in (photo.width, photo.height))
        small = cv2.resize(photo.srgb, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
        features = self._encoded(small)
        regions = build_regions(work_picture(photo.srgb))
        strength = border_strength(regions, fitted.BORDER)
        prepared = Prepared(features, regions, strength, guide_picture(photo.srgb), photo.width, photo.height)
        size_bytes = features.size_bytes + regions.size_bytes + strength.nbytes + prepared.guide.nbytes
        return Embedding(self.info.name, photo.id, prepared, size_bytes)

    def segment(self, embedding: Embedding, prompt: Prompt) -> list[Mask]:
        """Three masks, best first. Raises InvalidInput on an empty, contradictory or outside prompt."""
        prepared = embedding.payload
        if not isinstance(prepared, Prepared):
            raise InvalidInput(f"This photo was prepared by {embedding.backend!r}, not by {self.info.name!r}; redo it.")
        check_prompt(prompt, prepared.width, prepared.height)
        seeds = seeds_of(prompt, prepared.regions, prepared.strength, prepared.width, prepared.height)
        logits, rated = self._decoded(prepared, prompt)
        masks = []
        for index in rated[0].argsort(descending=True, stable=True).tolist():
            coarse = snapped(logits[0, index].numpy(), prepared, seeds)
            fine = refine_edge(coarse, prepared.guide, prepared.width, prepared.height)
            masks.append(Mask(obeying(fine, prompt), source=self.info.title, score=float(rated[0, index])))
        return masks

    @computes
    def _encoded(self, small: UInt8[np.ndarray, "h w 3"]) -> Features:
        images = torch.from_numpy(small[None]).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            return self._network.encode(images.contiguous(memory_format=torch.channels_last))

    @computes
    def _decoded(self, prepared: Prepared, prompt: Prompt) -> tuple[Tensor, Tensor]:
        """Logits [1, 3, h, w] and what the network thinks of them [1, 3]."""
        with torch.inference_mode():
            return self._network.decode(prepared.features, network_prompts(prompt, prepared))


def snapped(logits: Float32[np.ndarray, "h w"], prepared: Prepared, seeds: Seeds) -> UInt8[np.ndarray, "r c"]:
    """The mask cut along the photo's own borders, at their size: superpixels that the network believes in.

    Parts that hold nothing that was pointed at, and were not in the earlier mask, are left out.
    """
    regions = prepared.regions
    labels, size = regions.labels.ravel(), regions.labels.shape[::-1]
    known = cv2.resize(np.clip(logits, -_SUREST, _SUREST), size, interpolation=cv2.INTER_LINEAR)
    belief = (np.bincount(labels, known.ravel(), regions.count) / np.bincount(labels)).astype(np.float32)
    chosen = best_cut(regions, prepared.strength, belief, seeds.positive, seeds.negative, _PRIOR)
    kept = seeds.positive
    if seeds.previous is not None:
        kept = np.union1d(kept, np.flatnonzero(seeds.previous > 0.5)).astype(np.int32)
    return (touching_seeds(regions, chosen, kept)[regions.labels] * np.uint8(255)).astype(np.uint8)


def network_prompts(prompt: Prompt, prepared: Prepared) -> Prompts:
    """The prompt in the pixels that the encoder saw."""
    rows, columns = prepared.features.maps[0].shape[-2:]
    scale = np.array([4 * columns / prepared.width, 4 * rows / prepared.height])
    clicks = [(*_scaled(c.x, c.y, scale), 1.0 if c.positive else -1.0) for c in prompt.clicks] or [(0.0, 0.0, 0.0)]
    corners = [np.nan] * 4
    if prompt.box is not None:
        box = prompt.box
        corners = [*_scaled(box.x0, box.y0, scale), *_scaled(box.x1, box.y1, scale)]
    return Prompts(
        torch.tensor([clicks], dtype=torch.float32),
        torch.tensor([corners], dtype=torch.float32),
        _previous(prompt, rows, columns),
    )


def _previous(prompt: Prompt, rows: int, columns: int) -> Float32[Tensor, "1 h w"]:
    if prompt.previous is None:
        return torch.full((1, rows, columns), torch.nan)
    small = cv2.resize(prompt.previous.coverage, (columns, rows), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small[None].astype(np.float32) / np.float32(255))


def _scaled(x: float, y: float, scale: np.ndarray) -> tuple[float, float]:
    return float((x + 0.5) * scale[0] - 0.5), float((y + 0.5) * scale[1] - 0.5)
