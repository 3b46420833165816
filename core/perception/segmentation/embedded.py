"""Masks by click from the small network that comes with the studio."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float32, Int32, UInt8
from torch import Tensor

from core.errors import InvalidInput
from core.nets.blocks import STRIDE
from core.nets.click_student import ClickStudent, Features, Prompts
from core.perception.segmentation.obey import obeying
from core.perception.segmentation.prompts import check_prompt
from core.perception.segmentation.refine import guide_picture, refine_edge
from core.types.mask import Mask, Prompt
from core.types.photo import Photo
from core.types.protocols import BackendInfo, Embedding

LONGEST = 320


@dataclass(frozen=True, eq=False)
class Prepared:
    """The payload of an embedding: the encoder's features, what guides edges, and the photo's size."""

    features: Features
    guide: UInt8[np.ndarray, "g k 3"]
    width: int
    height: int


class EmbeddedClicks:
    """SegmentationBackend over the click student; the same photo and prompt give the same masks."""

    info = BackendInfo("embedded", "Click network (built in)", "MIT")

    def __init__(self, network: ClickStudent, longest: int = LONGEST) -> None:
        self._network, self._longest = network, longest

    def prepare(self, photo: Photo) -> Embedding:
        """The encoder's features of a photo, which no prompt changes."""
        factor = self._longest / max(photo.width, photo.height)
        size = tuple(max(STRIDE, STRIDE * round(side * factor / STRIDE)) for side in (photo.width, photo.height))
        small = cv2.resize(photo.srgb, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
        images = torch.from_numpy(small[None]).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            features = self._network.encode(images.contiguous(memory_format=torch.channels_last))
        prepared = Prepared(features, guide_picture(photo.srgb), photo.width, photo.height)
        return Embedding(self.info.name, photo.id, prepared, features.size_bytes + prepared.guide.nbytes)

    def segment(self, embedding: Embedding, prompt: Prompt) -> list[Mask]:
        """Three masks, best first. Raises InvalidInput on an empty, contradictory or outside prompt."""
        prepared = embedding.payload
        if not isinstance(prepared, Prepared):
            raise InvalidInput(f"This photo was prepared by {embedding.backend!r}, not by {self.info.name!r}; redo it.")
        check_prompt(prompt, prepared.width, prepared.height)
        with torch.inference_mode():
            logits, rated = self._network.decode(prepared.features, network_prompts(prompt, prepared))
        masks = []
        for index in rated[0].argsort(descending=True, stable=True).tolist():
            coarse = (logits[0, index].sigmoid() * 255).round().to(torch.uint8).numpy()
            fine = refine_edge(meant(coarse, prompt, prepared), prepared.guide, prepared.width, prepared.height)
            masks.append(Mask(obeying(fine, prompt), source=self.info.title, score=float(rated[0, index])))
        return masks


def meant(coarse: UInt8[np.ndarray, "h w"], prompt: Prompt, prepared: Prepared) -> UInt8[np.ndarray, "h w"]:
    """The mask without parts that hold no click that adds and were not in the earlier mask; whole if that is all."""
    rows, columns = coarse.shape
    scale = np.array([columns / prepared.width, rows / prepared.height])
    _, parts = cv2.connectedComponents((coarse >= 128).astype(np.uint8))
    held = {_at(parts, *_scaled(click.x, click.y, scale)) for click in prompt.clicks if click.positive}
    if prompt.previous is not None:
        before = cv2.resize(prompt.previous.coverage, (columns, rows), interpolation=cv2.INTER_AREA) >= 128
        share = np.bincount(parts.ravel(), before.ravel()) / np.maximum(np.bincount(parts.ravel()), 1)
        held |= set(np.flatnonzero(share > 0.5).tolist())
    held.discard(0)
    return np.where(np.isin(parts, list(held)), coarse, np.uint8(0)) if held else coarse


def _at(parts: Int32[np.ndarray, "h w"], x: float, y: float) -> int:
    rows, columns = parts.shape
    return int(parts[min(rows - 1, max(0, round(y))), min(columns - 1, max(0, round(x)))])


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
