"""What a run of the depth network is made of, besides the schedule: its sizes, its samples and its loss."""

from dataclasses import dataclass

from core.errors import InvalidInput
from core.nets.blocks import STRIDE
from core.nets.depth_student import DepthStudentConfig


@dataclass(frozen=True)
class DepthShape:
    """Sizes of the network, as in core.nets.depth_student."""

    widths: tuple[int, int, int, int] = DepthStudentConfig.widths
    blocks: tuple[int, int, int, int] = DepthStudentConfig.blocks
    decoder_widths: tuple[int, int, int, int] = DepthStudentConfig.decoder_widths
    heads: int = DepthStudentConfig.heads

    def config(self) -> DepthStudentConfig:
        """The network's own configuration. Raises InvalidInput."""
        return DepthStudentConfig(self.widths, self.blocks, self.decoder_widths, self.heads)


@dataclass(frozen=True)
class DepthSettings:
    """Where samples come from (relative shares), their sizes, and the weights of the loss.

    `short_sides` and `long_sides` are pixels, taken in pairs; a batch has one pair, upright with the chance
    `upright_share`. `synthetic_places` are rendered once and kept in memory (0.3 MB each, in every process that makes
    samples); with 0 every one is new, which takes 20 times as long as a photo.
    `held_out_frames_share` of every RGB-D clip, its last frames, is for judging only.
    """

    synthetic_share: float = 0.4
    synthetic_places: int = 0
    measured_share: float = 0.2
    weak_share: float = 0.4
    short_sides: tuple[int, ...] = (192, 224, 160)
    long_sides: tuple[int, ...] = (256, 224, 288)
    side_shares: tuple[float, ...] = (0.7, 0.2, 0.1)
    upright_share: float = 0.25
    smallest_crop_share: float = 0.4
    largest_turn_deg: float = 5.0
    held_out_frames_share: float = 0.15
    weak_weight: float = 0.6
    gradient_weight: float = 0.5
    scale_weight: float = 0.3
    uncertainty_weight: float = 0.05

    def __post_init__(self) -> None:
        if not len(self.short_sides) == len(self.long_sides) == len(self.side_shares) > 0:
            raise InvalidInput("depth.short_sides, long_sides and side_shares must have one length.")
        for side in (*self.short_sides, *self.long_sides):
            if side < STRIDE or side % STRIDE:
                raise InvalidInput(
                    f"Sides of depth.short_sides and long_sides must be multiples of {STRIDE}, got {side}."
                )
        shares = self.synthetic_share, self.measured_share, self.weak_share
        if min(*shares, *self.side_shares) < 0 or sum(shares) == 0 or sum(self.side_shares) == 0:
            raise InvalidInput("The shares of [depth] must not be negative nor all zero.")
        for name in ("smallest_crop_share", "held_out_frames_share", "upright_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidInput(f"depth.{name} is {getattr(self, name):g}; use a value from 0 to 1.")
