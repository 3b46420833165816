"""What the user has pointed at for the selected object, and the mask it makes."""

from dataclasses import dataclass, replace

import numpy as np

from app.services import Services
from core.errors import InvalidInput
from core.maths import mask as masks
from core.types.mask import Box, Click, Mask, Prompt
from core.types.photo import Photo


@dataclass(frozen=True)
class Pick:
    """The prompt behind an object's mask, the candidates it gave and which one is taken."""

    prompt: Prompt
    candidates: tuple[Mask, ...]
    index: int = 0

    @property
    def mask(self) -> Mask:
        return self.candidates[self.index]

    def next_candidate(self) -> "Pick":
        return replace(self, index=(self.index + 1) % len(self.candidates))


def pick(services: Services, photo: Photo, prompt: Prompt, backend: str | None = None) -> Pick:
    """Masks for a prompt, by the named mask back-end. Raises InvalidInput when nothing can be told apart there."""
    segmentation = services.segmentation(backend)
    candidates = segmentation.segment(services.embedding(photo, segmentation), prompt)
    if not candidates:
        raise InvalidInput("Nothing stands out there; click another spot, draw a box or paint the object.")
    return Pick(prompt, tuple(candidates))


def add_click(
    services: Services, photo: Photo, before: Pick | None, mask: Mask | None, click: Click, backend: str | None = None
) -> Pick:
    """Refine a selection by one click; a hand-made mask is refined as the previous mask."""
    if before is not None and before.mask == mask:
        prompt = replace(before.prompt, clicks=(*before.prompt.clicks, click), previous=before.mask)
    else:
        prompt = Prompt(clicks=(click,), previous=mask)
    return pick(services, photo, prompt, backend)


def add_box(services: Services, photo: Photo, box: Box, backend: str | None = None) -> Pick:
    """A selection from a box."""
    return pick(services, photo, Prompt(box=box), backend)


def painted(photo: Photo, mask: Mask | None, points: list[tuple[float, float]], radius: float, add: bool) -> Mask:
    """The mask with a brush stroke added or erased."""
    stroke = masks.stroke(np.array(points, np.float64), radius, 0.8, photo.width, photo.height)
    return _combined(photo, mask, stroke, add)


def lassoed(photo: Photo, mask: Mask | None, points: list[tuple[float, float]], add: bool) -> Mask:
    """The mask with a polygon added or cut away."""
    polygon = masks.polygon_mask(np.array(points, np.float64), photo.width, photo.height)
    return _combined(photo, mask, polygon, add)


def grown(mask: Mask, pixels: float) -> Mask:
    """The mask grown (or shrunk, when negative) by `pixels`."""
    change = masks.grow(mask.coverage, pixels) if pixels >= 0 else masks.shrink(mask.coverage, -pixels)
    return Mask(change, "edited")


def feathered(mask: Mask, pixels: float) -> Mask:
    """The mask with its edge softened over `pixels`."""
    return Mask(masks.feather(mask.coverage, pixels), "edited")


def _combined(photo: Photo, mask: Mask | None, change: np.ndarray, add: bool) -> Mask:
    base = np.zeros((photo.height, photo.width), np.uint8) if mask is None else mask.coverage
    result = masks.combine(base, change, "add" if add else "subtract")
    if not (result >= 128).any():
        raise InvalidInput("That would leave nothing of the mask; undo, or remove the object from the list instead.")
    return Mask(result, "painted")
