"""What a run of the click network is made of, besides the schedule: its sizes, its samples and their prompts."""

from dataclasses import dataclass

from core.errors import InvalidInput
from core.nets.blocks import STRIDE
from core.nets.click_student import ClickStudentConfig


@dataclass(frozen=True)
class ClickShape:
    """Sizes of the network, as in core.nets.click_student."""

    stem: int = ClickStudentConfig.stem
    widths: tuple[int, int, int, int] = ClickStudentConfig.widths
    blocks: tuple[int, int, int, int] = ClickStudentConfig.blocks
    heads: int = ClickStudentConfig.heads
    decoder_widths: tuple[int, int, int, int] = ClickStudentConfig.decoder_widths
    decoder_blocks: int = ClickStudentConfig.decoder_blocks
    decoder_heads: int = ClickStudentConfig.decoder_heads

    def config(self) -> ClickStudentConfig:
        """The network's own configuration. Raises InvalidInput."""
        return ClickStudentConfig(
            self.stem, self.widths, self.blocks, self.heads,
            self.decoder_widths, self.decoder_blocks, self.decoder_heads,
        )  # fmt: skip


@dataclass(frozen=True)
class ClickSettings:
    """Where samples come from, how they are cut, what is wanted of them and how it is pointed at. Shares are 0..1.

    `short_sides` and `long_sides` are pixels, taken in pairs; a batch has one pair, upright with the chance
    `upright_share`. Photos are drawn by source, each as often as the number of its photos to the `source_power`, and
    `region_share` of them from sets of drawn regions, which weigh `region_weight`.
    Of each photo `prompts` things are wanted: whole objects, but for `union_share` two objects together and
    `component_share` one piece of an object that lies in several. A photo gets an object of another one with the
    chance `paste_share`.
    Prompts are clicks, by `box_share` a box and by `previous_share` a mask to mend. A batch has one number of
    corrections, drawn by `correction_shares` from 0 up.
    """

    prompts: int = 3
    source_power: float = 0.5
    region_share: float = 0.15
    region_weight: float = 0.4
    union_share: float = 0.08
    component_share: float = 0.15
    paste_share: float = 0.5
    box_share: float = 0.15
    previous_share: float = 0.15
    correction_shares: tuple[float, ...] = (0.45, 0.25, 0.15, 0.15)
    short_sides: tuple[int, ...] = (192, 224, 160)
    long_sides: tuple[int, ...] = (256, 224, 256)
    side_shares: tuple[float, ...] = (0.6, 0.2, 0.2)
    upright_share: float = 0.3
    smallest_crop_share: float = 0.3
    largest_turn_deg: float = 12.0
    smallest_object_share: float = 0.003

    def __post_init__(self) -> None:
        if not len(self.short_sides) == len(self.long_sides) == len(self.side_shares) > 0:
            raise InvalidInput("click.short_sides, long_sides and side_shares must have one length.")
        for side in (*self.short_sides, *self.long_sides):
            if side < STRIDE or side % STRIDE:
                raise InvalidInput(
                    f"Sides of click.short_sides and long_sides must be multiples of {STRIDE}, got {side}."
                )
        for name in ("side_shares", "correction_shares"):
            shares = getattr(self, name)
            if not shares or min(shares) < 0 or sum(shares) == 0:
                raise InvalidInput(f"click.{name} must not be negative nor all zero.")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidInput(f"click.{name} is {getattr(self, name):g}; use a value from 0 to 1.")
        for pair in (("union_share", "component_share"), ("box_share", "previous_share")):
            if sum(getattr(self, name) for name in pair) > 1:
                raise InvalidInput(f"click.{pair[0]} and {pair[1]} must not exceed 1 together.")
        if not 1 <= self.prompts <= 64:
            raise InvalidInput(f"click.prompts is {self.prompts}; use a value from 1 to 64.")


_SHARES = (
    "source_power", "region_share", "region_weight", "union_share", "component_share", "paste_share", "box_share",
    "previous_share", "upright_share", "smallest_crop_share", "smallest_object_share",
)  # fmt: skip
