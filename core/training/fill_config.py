"""What a run of the fill network is made of, besides the schedule: its sizes, its samples and its loss."""

from dataclasses import dataclass

from core.errors import InvalidInput
from core.nets.fill_student import STRIDE, FillStudentConfig


@dataclass(frozen=True)
class FillShape:
    """Sizes of the network, as in core.nets.fill_student."""

    widths: tuple[int, int, int, int] = FillStudentConfig.widths
    blocks: tuple[int, int, int, int] = FillStudentConfig.blocks
    heads: int = FillStudentConfig.heads

    def config(self) -> FillStudentConfig:
        """The network's own configuration. Raises InvalidInput."""
        return FillStudentConfig(self.widths, self.blocks, self.heads)


@dataclass(frozen=True)
class FillSettings:
    """Where holes come from (relative shares), the sizes of windows, and the weights of the loss.

    `places` windows of `place_pixels` a side get their holes and the copied guess once, kept beside the pack; a sample
    is a random part of one, `window_pixels` a side. A place shows at least `smallest_crop_share` of its photo's shorter
    side. `held_out_places` are of held-out photos, for judging only.
    """

    shape_share: float = 0.5
    disocclusion_share: float = 0.3
    rim_share: float = 0.2
    places: int = 8000
    held_out_places: int = 192
    place_pixels: int = 192
    window_pixels: int = 128
    smallest_crop_share: float = 0.55
    absolute_weight: float = 1.0
    perceptual_weight: float = 1.0
    texture_weight: float = 0.0

    def __post_init__(self) -> None:
        shares = self.shape_share, self.disocclusion_share, self.rim_share
        if min(shares) < 0 or sum(shares) == 0:
            raise InvalidInput("The shares of [fill] must not be negative nor all zero.")
        if not STRIDE <= self.window_pixels <= self.place_pixels:
            raise InvalidInput(
                f"fill.window_pixels is {self.window_pixels}; use a value from {STRIDE} to fill.place_pixels."
            )
        if min(self.places, self.held_out_places) < 1:
            raise InvalidInput("fill.places and fill.held_out_places must be at least 1.")
        if not 0.05 <= self.smallest_crop_share <= 1:
            raise InvalidInput(f"fill.smallest_crop_share is {self.smallest_crop_share:g}; use a value from 0.05 to 1.")
        if min(self.absolute_weight, self.perceptual_weight, self.texture_weight) < 0:
            raise InvalidInput("The weights of [fill] must not be negative.")
