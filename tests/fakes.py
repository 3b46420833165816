"""Small stand-ins for tests: an engine whose inventions are easy to recognise."""

from collections.abc import Iterator

import cv2
import numpy as np

from core.types.mask import Mask, Prompt
from core.types.photo import Photo
from core.types.protocols import BackendInfo, CancelToken, Embedding, EngineInfo, EngineRequest, EngineUpdate


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FlatEngine:
    """Paints every unknown pixel in one colour, in two steps, and puts it as far as the farthest known pixel."""

    info = EngineInfo("flat", "One flat colour", "MIT", streams=True)
    colour = (255, 0, 255)

    def __init__(self) -> None:
        self.requests: list[EngineRequest] = []

    def render(self, request: EngineRequest, cancel: CancelToken) -> Iterator[EngineUpdate]:
        self.requests.append(request)
        image = request.draft.copy()
        image[request.unknown] = np.array(self.colour) * (257 if image.dtype == np.uint16 else 1)
        depth = request.depth.copy()
        known = depth[depth > 0]
        depth[request.unknown] = known.max() if known.size else 1.0
        confidence = np.where(request.unknown, np.float32(0), np.float32(1))
        for done in (0.2, 1.0):
            cancel.check()
            yield EngineUpdate(image, depth, confidence, done, is_final=done == 1.0)


class SameColour:
    """SegmentationBackend for drawn scenes: what a click hits is the joined area of exactly its colour, or all
    that this area's outline holds.
    """

    info = BackendInfo("same-colour", "Areas of one colour", "MIT")

    def prepare(self, photo: Photo) -> Embedding:
        return Embedding(self.info.name, photo.id, photo.srgb, photo.srgb.nbytes)

    def segment(self, embedding: Embedding, prompt: Prompt) -> list[Mask]:
        pixels, click = embedding.payload, prompt.clicks[0]
        same = (pixels == pixels[round(click.y), round(click.x)]).all(2).astype(np.uint8)
        _, parts = cv2.connectedComponents(same)
        area = (parts == parts[round(click.y), round(click.x)]).astype(np.uint8)
        outer, _ = cv2.findContours(area, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        whole = cv2.drawContours(np.zeros_like(area), outer, -1, 1, cv2.FILLED)
        return [Mask(255 * shape, "same colour", score) for shape, score in ((whole, 0.9), (area, 0.8))]
