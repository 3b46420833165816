"""What SAM and SAM 2 share: a photo in a square of the network, prompts in its pixels, masks from its logits."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float32, Int32, UInt8
from torch import Tensor

from core.errors import InvalidInput
from core.perception.segmentation.obey import obeying
from core.perception.segmentation.prompts import check_prompt
from core.perception.segmentation.refine import guide_picture, refine_edge
from core.types.mask import Mask, Prompt
from core.types.photo import Photo
from core.types.protocols import BackendInfo, Embedding

# Coverage 0 and 255 as logits; the networks were trained on masks of their own, which are about as sure.
_SUREST = 0.999


@dataclass(frozen=True)
class Square:
    """A `width` x `height` photo shown in the first `across` x `down` pixels of a `side` x `side` input."""

    width: int
    height: int
    across: int
    down: int
    side: int

    def place(self, x: float, y: float) -> tuple[float, float]:
        """A pixel of the photo in the input, pixel centres at integers in both."""
        return (x + 0.5) * self.across / self.width - 0.5, (y + 0.5) * self.down / self.height - 0.5


@dataclass(frozen=True, eq=False)
class Prepared:
    """The payload of an embedding: the encoder's features, what guides edges, where the photo lies."""

    features: tuple[Tensor, ...]
    guide: UInt8[np.ndarray, "g k 3"]
    square: Square


@dataclass(frozen=True, eq=False)
class PlacedPrompt:
    """A prompt in the input's pixels. `labels` are 1 for clicks that add, 0 for those that take away.

    `previous` holds logits. A lone click may mean a part or the whole: only then is it `ambiguous`.
    """

    points: Float32[np.ndarray, "N 2"]
    labels: Int32[np.ndarray, "N"]
    box: Float32[np.ndarray, "4"] | None
    previous: Float32[np.ndarray, "m m"] | None

    @property
    def ambiguous(self) -> bool:
        return len(self.labels) == 1 and self.box is None and self.previous is None


def embedding_of(info: BackendInfo, photo: Photo, square: Square, features: Iterable[Tensor]) -> Embedding:
    """What a back-end returns from `prepare`."""
    prepared = Prepared(tuple(features), guide_picture(photo.srgb), square)
    size = sum(feature.numel() * feature.element_size() for feature in prepared.features)
    return Embedding(info.name, photo.id, prepared, size + prepared.guide.nbytes)


def prepared_by(info: BackendInfo, embedding: Embedding) -> Prepared:
    """The payload of that back-end's own embedding. Raises InvalidInput for another's."""
    payload: Any = embedding.payload
    if embedding.backend != info.name or not isinstance(payload, Prepared):
        raise InvalidInput(f"This photo was prepared by {embedding.backend!r}, not by {info.name!r}; redo it.")
    return payload


def placed(prompt: Prompt, square: Square, mask_side: int) -> PlacedPrompt:
    """The prompt for the network. Raises InvalidInput on an empty, contradictory or outside one."""
    check_prompt(prompt, square.width, square.height)
    points = np.array([square.place(click.x, click.y) for click in prompt.clicks], np.float32).reshape(-1, 2)
    labels = np.array([int(click.positive) for click in prompt.clicks], np.int32)
    box = None
    if prompt.box is not None:
        corners = (*square.place(prompt.box.x0, prompt.box.y0), *square.place(prompt.box.x1, prompt.box.y1))
        box = np.array(corners, np.float32)
    return PlacedPrompt(points, labels, box, None if prompt.previous is None else _logits(prompt, square, mask_side))


def masks_of(
    logits: Float32[np.ndarray, "C m m"],
    rated: Float32[np.ndarray, "C"],
    prepared: Prepared,
    prompt: Prompt,
    source: str,
) -> list[Mask]:
    """Candidates at the photo's size, best first, their edges refined by the photo; `logits` cover the whole input."""
    square, masks = prepared.square, []
    size = (prepared.guide.shape[1], prepared.guide.shape[0])
    for index in np.argsort(-rated, kind="stable").tolist():
        shown = cv2.resize(logits[index], (square.side, square.side), interpolation=cv2.INTER_LINEAR)
        shown = cv2.resize(shown[: square.down, : square.across], size, interpolation=cv2.INTER_LINEAR)
        coarse = np.round(255 / (1 + np.exp(-np.clip(shown, -20, 20)))).astype(np.uint8)
        coverage = obeying(refine_edge(coarse, prepared.guide, square.width, square.height), prompt)
        masks.append(Mask(coverage, source=source, score=float(np.clip(rated[index], 0, 1))))
    return masks


def _logits(prompt: Prompt, square: Square, side: int) -> Float32[np.ndarray, "m m"]:
    """The earlier mask as the network's own would look; nothing beyond the photo."""
    assert prompt.previous is not None
    across, down = (max(1, round(length * side / square.side)) for length in (square.across, square.down))
    share = np.zeros((side, side), np.float32)
    share[:down, :across] = cv2.resize(prompt.previous.coverage, (across, down), interpolation=cv2.INTER_AREA) / 255
    share = np.clip(share, 1 - _SUREST, _SUREST)
    return np.log(share / (1 - share))


def batched(values: np.ndarray | None, device: torch.device) -> Tensor | None:
    """With a batch of one in front, where the network is."""
    return None if values is None else torch.from_numpy(values)[None].to(device)
