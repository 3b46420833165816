"""The picture of a part of a frame of codes, kept while the codes change here and there."""

from copy import copy
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float32

from core.compute import computes
from core.lras.layout import Codes
from core.lras.quantizer import Quantizer, denormalise_rgb

# First and, not included, last.
Span = tuple[int, int]


@dataclass(eq=False)
class Rebuilt:
    """`picture` is what the quantizer decodes `codes` to: sRGB 0..1, four pixels a code along both axes.

    Only in these rows and columns of codes, zero elsewhere.
    """

    quantizer: Quantizer
    device: torch.device
    codes: Codes
    rows: Span
    columns: Span
    picture: Float32[np.ndarray, "S S 3"] = field(init=False)

    def __post_init__(self) -> None:
        size = self.quantizer.config.patch_size
        self.codes = self.codes.copy()
        self.picture = np.zeros((size * self.codes.shape[0], size * self.codes.shape[1], 3), np.float32)
        self._decode(self.rows, self.columns)

    def copy(self) -> "Rebuilt":
        """One that changes on its own."""
        twin = copy(self)
        twin.codes, twin.picture = self.codes.copy(), self.picture.copy()
        return twin

    def update(self, codes: Codes) -> None:
        """Decode anew only what codes that are not the same any more can change."""
        changed = np.argwhere(codes != self.codes)
        if not len(changed):
            return
        self.codes = codes.copy()
        reach = self.quantizer.reach
        first, last = changed.min(axis=0) - reach, changed.max(axis=0) + reach
        rows, columns = (
            (max(kept[0], int(low)), min(kept[1], int(high) + 1))
            for kept, low, high in zip((self.rows, self.columns), first, last, strict=True)
        )
        self._decode(rows, columns)

    @computes
    def _decode(self, rows: Span, columns: Span) -> None:
        if rows[0] >= rows[1] or columns[0] >= columns[1]:
            return
        size = self.quantizer.config.patch_size
        with torch.inference_mode():
            codes = torch.from_numpy(self.codes).to(self.device)[None]
            images = denormalise_rgb(self.quantizer.decode_box(codes, rows, columns))
        where = slice(size * rows[0], size * rows[1]), slice(size * columns[0], size * columns[1])
        self.picture[where] = images[0].permute(1, 2, 0).cpu().numpy()
