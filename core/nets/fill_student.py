"""Two guesses at what a hole holds, one copied and one smooth, to a better one: which to believe where, what to add.

The copied guess has the photo's own texture but may be of the wrong thing; the smooth one is right in the mean. A
U-shaped network weighs them pixel by pixel and adds what both lack. Its convolutions run at half the size and below,
dilated at an eighth, with attention among all places at a sixteenth, so that any aspect ratio will do and a large
hole is seen whole.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from core.errors import InvalidInput
from core.nets.blocks import ContextBlock, doubled

STRIDE = 16
_INPUTS = 8
_FOLD = 2
_DILATIONS = 1, 2, 4
# Before training the copied guess is believed this much: sigmoid(3) = 0.95.
_FIRST_SCORE = 3.0
_CORRECTION_SCALE = 0.1


@dataclass(frozen=True)
class FillStudentConfig:
    """Channels at 1/2, 1/4, 1/8 and 1/16 of the size and blocks there. Raises InvalidInput."""

    widths: tuple[int, int, int, int] = (40, 72, 112, 160)
    blocks: tuple[int, int, int, int] = (1, 2, 3, 2)
    heads: int = 5

    def __post_init__(self) -> None:
        if min(*self.widths, self.heads) < 1 or min(self.blocks) < 0:
            raise InvalidInput("A fill student needs widths and heads of at least 1 and no negative number of blocks.")
        if self.widths[-1] % self.heads:
            raise InvalidInput(f"The deepest width {self.widths[-1]} must be a multiple of the {self.heads} heads.")


@dataclass(frozen=True, eq=False)
class FillInputs:
    """sRGB 0..1 of both guesses, equal to the photo where `usable`; of `unknown` pixels the network is asked.

    What is neither is something else's surface: its pixels must hold nothing but the smooth guess.
    """

    copied: Float[Tensor, "B 3 H W"]
    smooth: Float[Tensor, "B 3 H W"]
    unknown: Bool[Tensor, "B H W"]
    usable: Bool[Tensor, "B H W"]


@dataclass(frozen=True, eq=False)
class FillAnswer:
    """How far to believe the copied guess, 0..1, and what to add to the mixture."""

    share: Float[Tensor, "B 1 H W"]
    correction: Float[Tensor, "B 3 H W"]

    def applied(self, copied: Float[Tensor, "B 3 H W"], smooth: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
        """The mixture, not bounded."""
        return smooth + self.share * (copied - smooth) + self.correction


class PlainBlock(nn.Module):
    """Two 3x3 convolutions whose scaled result is added; no norm, as colours are to be kept."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.scale = nn.Parameter(torch.full((width, 1, 1), 0.3))

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        return x + self.scale * self.second(functional.relu(self.first(x), inplace=True))


class FillStudent(nn.Module):
    """Both guesses and the masks to a `FillAnswer` of their size; any sides."""

    def __init__(self, config: FillStudentConfig) -> None:
        super().__init__()
        self.config = config
        widths, blocks = config.widths, config.blocks
        self.stem = nn.Conv2d(_INPUTS * _FOLD**2, widths[0], 3, padding=1)
        self.shrink = nn.ModuleList(nn.Conv2d(into, out, 3, stride=2, padding=1) for into, out in pairwise(widths))
        self.stages = nn.ModuleList(
            nn.Sequential(*(PlainBlock(width, _dilation(level, place)) for place in range(count)))
            for level, (width, count) in enumerate(zip(widths[:-1], blocks[:-1], strict=True))
        )
        self.context = nn.Sequential(*(ContextBlock(widths[-1], config.heads) for _ in range(blocks[-1])))
        self.raised = nn.ModuleList(nn.Conv2d(deep, out, 1) for out, deep in pairwise(widths))
        self.mixed = nn.ModuleList(PlainBlock(width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], 4 * _FOLD**2, 3, padding=1)

    def forward(self, inputs: FillInputs) -> FillAnswer:
        height, width = inputs.unknown.shape[-2:]
        x = _stacked(inputs)
        x = functional.pad(x, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
        x = functional.relu(self.stem(functional.pixel_unshuffle(x, _FOLD)))
        skips = []
        for shrink, stage in zip(self.shrink, self.stages, strict=True):
            x = stage(x)
            skips.append(x)
            x = functional.relu(shrink(x))
        x = self.context(x)
        for level in reversed(range(len(skips))):
            x = self.mixed[level](doubled(self.raised[level](x)) + skips[level])
        fine = functional.pixel_shuffle(self.head(x).float(), _FOLD)[..., :height, :width]
        return FillAnswer(torch.sigmoid(fine[:, :1] + _FIRST_SCORE), _CORRECTION_SCALE * fine[:, 1:])


def _dilation(level: int, place: int) -> int:
    """Growing at the last level of convolutions alone: above it detail matters."""
    return _DILATIONS[place % len(_DILATIONS)] if level == 2 else 1


def _stacked(inputs: FillInputs) -> Float[Tensor, "B 8 H W"]:
    """Centred colours, and the copied guess as a difference to the smooth one."""
    masks = torch.stack([inputs.unknown, inputs.usable], dim=1).to(inputs.smooth.dtype)
    return torch.cat([inputs.smooth - 0.5, inputs.copied - inputs.smooth, masks], dim=1)
