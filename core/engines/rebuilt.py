"""The picture of a frame of codes, kept while the codes change here and there."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32

from core.compute import computes
from core.lras.layout import Codes
from core.lras.quantizer import Quantizer, denormalise_rgb


@dataclass(eq=False)
class Rebuilt:
    """`picture` is what the quantizer decodes `codes` to: sRGB 0..1, four pixels a code along both axes."""

    quantizer: Quantizer
    device: torch.device
    codes: Codes
    picture: Float32[np.ndarray, "S S 3"]

    @staticmethod
    def of(quantizer: Quantizer, device: torch.device, codes: Codes) -> "Rebuilt":
        """The whole frame, decoded at once."""
        rebuilt = Rebuilt(quantizer, device, codes.copy(), np.empty((0, 0, 3), np.float32))
        rebuilt.picture = rebuilt._decoded(codes, (0, codes.shape[0]), (0, codes.shape[1]))
        return rebuilt

    def copy(self) -> "Rebuilt":
        """One that changes on its own."""
        return Rebuilt(self.quantizer, self.device, self.codes.copy(), self.picture.copy())

    def update(self, codes: Codes) -> None:
        """Decode anew only what codes that are not the same any more can change."""
        changed = np.argwhere(codes != self.codes)
        if not len(changed):
            return
        reach, size = self.quantizer.reach, self.quantizer.config.patch_size
        first, stop = changed.min(axis=0) - reach, changed.max(axis=0) + 1 + reach
        (top, left), (bottom, right) = np.maximum(first, 0), np.minimum(stop, codes.shape)
        self.codes = codes.copy()
        part = self._decoded(codes, (int(top), int(bottom)), (int(left), int(right)))
        self.picture[size * top : size * bottom, size * left : size * right] = part

    @computes
    def _decoded(self, codes: Codes, rows: tuple[int, int], columns: tuple[int, int]) -> Float32[np.ndarray, "T U 3"]:
        with torch.inference_mode():
            images = self.quantizer.decode_box(torch.from_numpy(codes).to(self.device)[None], rows, columns)
            return denormalise_rgb(images)[0].permute(1, 2, 0).cpu().numpy()
