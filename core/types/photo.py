"""The photo as opened: oriented, with its own pixel values and an sRGB rendition."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8, UInt16

from core.errors import InvalidInput
from core.types.ids import NOT_SAVED, ContentAddressed, content_id, read_only
from core.types.metadata import NO_METADATA, Metadata
from core.types.names import shown

Pixels = UInt8[np.ndarray, "H W 3"] | UInt16[np.ndarray, "H W 3"]
Coverage = UInt8[np.ndarray, "H W"] | UInt16[np.ndarray, "H W"]


@dataclass(frozen=True, eq=False)
class Photo(ContentAddressed):
    """One opened picture.

    `pixels` keep the values of the file (its bit depth, its colour profile), so that
    an export can return untouched pixels bit for bit; EXIF orientation is already applied.
    `srgb` is the same picture as 8-bit sRGB, for eyes and estimators.
    `alpha` is straight (not premultiplied) and of the same bit depth as `pixels`. `metadata` is already true of the
    upright picture. `gray`: the file had no colours, so that a result without colours is written as gray.
    `notices` are sentences for whoever opens the file, about what the photo is not; they are not saved with it.
    """

    name: str
    pixels: Pixels
    srgb: UInt8[np.ndarray, "H W 3"]
    alpha: Coverage | None = None
    file_format: str = "PNG"
    icc_profile: bytes | None = None
    metadata: Metadata = NO_METADATA
    focal_35mm: float | None = None
    gray: bool = False
    notices: tuple[str, ...] = field(default=(), compare=False, metadata=NOT_SAVED)
    id: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", shown(self.name))
        if self.pixels.shape != self.srgb.shape:
            raise InvalidInput(f"The sRGB rendition {self.srgb.shape} must have the photo's size {self.pixels.shape}.")
        object.__setattr__(self, "pixels", read_only(self.pixels))
        object.__setattr__(self, "srgb", read_only(self.srgb))
        if self.alpha is not None:
            object.__setattr__(self, "alpha", read_only(self.alpha))
        if not self.id:
            object.__setattr__(self, "id", content_id(self.pixels, self.alpha, self.icc_profile))

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def bit_depth(self) -> int:
        return 8 * self.pixels.dtype.itemsize
