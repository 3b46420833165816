"""Small stand-ins for tests: an engine whose inventions are easy to recognise."""

from collections.abc import Iterator

import numpy as np

from core.types.protocols import CancelToken, EngineInfo, EngineRequest, EngineUpdate


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
