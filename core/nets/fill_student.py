"""Two guesses at what a hole holds, one copied and one smooth, to a better one: which to believe where, what to add.

The copied guess has the photo's own texture but may be of the wrong thing; the smooth one is right in the mean. A
U-shaped network says for every place which colour to believe, what to add to it, and how strong the copied texture
shall be. It answers at a quarter of the size, and its answer is interpolated: so all fine detail is the photo's own,
and none can be made up that pleases the loss but not the eye. Its convolutions run at half the size and below, dilated
at an eighth, with attention among all places at a sixteenth: any aspect ratio will do, a large hole is seen whole.
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
_ANSWER_STRIDE = 4
# Before training the copied guess is believed this much, sigmoid(3) = 0.95, and its texture kept as it is.
_FIRST_SCORE = 3.0
_CORRECTION_SCALE = 0.1
_LARGEST_STRENGTH = 1.25
_FIRST_STRENGTH_SCORE = 1.39
# Over so many pixels from the hole's border the correction sets in.
_RAMP_PIXELS = 4


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
    """Maps that change slowly from pixel to pixel, so that they may be enlarged."""

    maps: Float[Tensor, "B 8 H W"]

    @property
    def share(self) -> Float[Tensor, "B 1 H W"]:
        """How far to believe the copied guess's colour, 0..1."""
        return self.maps[:, :1]

    @property
    def strength(self) -> Float[Tensor, "B 1 H W"]:
        """How strong the copied guess's texture shall be, 0..1.25."""
        return self.maps[:, 1:2]

    @property
    def colour(self) -> Float[Tensor, "B 3 H W"]:
        """The copied guess without its texture."""
        return self.maps[:, 2:5]

    @property
    def correction(self) -> Float[Tensor, "B 3 H W"]:
        """What to add at the end."""
        return self.maps[:, 5:]

    def applied(self, copied: Float[Tensor, "B 3 H W"], smooth: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
        """The new guess, not bounded; the copied one where it is believed and nothing is to be added."""
        colour, texture = self.colour - smooth, copied - self.colour
        return copied + (self.share - 1) * colour + (self.strength - 1) * texture + self.correction


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
        answering = widths[1:]
        self.raised = nn.ModuleList(nn.Conv2d(deep, out, 1) for out, deep in pairwise(answering))
        self.mixed = nn.ModuleList(PlainBlock(width) for width in answering[:-1])
        self.head = nn.Conv2d(answering[0], 2, 3, padding=1)
        self.correcting = nn.Conv2d(answering[1], 3, 3, padding=1)

    def forward(self, inputs: FillInputs) -> FillAnswer:
        height, width = inputs.unknown.shape[-2:]
        padding = (0, -width % STRIDE, 0, -height % STRIDE)
        x = functional.pad(_stacked(inputs), padding, mode="replicate")
        x = functional.relu(self.stem(functional.pixel_unshuffle(x, _FOLD)))
        skips = []
        for shrink, stage in zip(self.shrink, self.stages, strict=True):
            x = stage(x)
            skips.append(x)
            x = functional.relu(shrink(x))
        middle = self.mixed[1](doubled(self.raised[1](self.context(x))) + skips[2])
        x = self.mixed[0](doubled(self.raised[0](middle)) + skips[1])
        scores = self.head(x).float()
        colour = functional.avg_pool2d(functional.pad(inputs.copied, padding, mode="replicate"), _ANSWER_STRIDE)
        correction = _CORRECTION_SCALE * self.correcting(middle).float()

        fine = [
            torch.sigmoid(scores[:, :1] + _FIRST_SCORE),
            _LARGEST_STRENGTH * torch.sigmoid(scores[:, 1:] + _FIRST_STRENGTH_SCORE),
            colour,
            doubled(correction),
        ]
        size = height + padding[3], width + padding[1]
        maps = functional.interpolate(torch.cat(fine, dim=1), size=size, mode="bilinear", align_corners=False)
        *others, added = maps[..., :height, :width].split((1, 1, 3, 3), dim=1)
        return FillAnswer(torch.cat([*others, _ramp(inputs.unknown) * added], dim=1))


def _ramp(unknown: Bool[Tensor, "B H W"]) -> Float[Tensor, "B 1 H W"]:
    """0 at a hole's border, 1 some pixels inside: no step may be made where the photo begins."""
    side = 2 * _RAMP_PIXELS + 1
    share = functional.avg_pool2d(unknown[:, None].float(), side, 1, _RAMP_PIXELS, count_include_pad=False)
    return (2 * share - 1).clamp_min(0)


def _dilation(level: int, place: int) -> int:
    """Growing at the last level of convolutions alone: above it detail matters."""
    return _DILATIONS[place % len(_DILATIONS)] if level == 2 else 1


def _stacked(inputs: FillInputs) -> Float[Tensor, "B 8 H W"]:
    """Centred colours, and the copied guess as a difference to the smooth one."""
    masks = torch.stack([inputs.unknown, inputs.usable], dim=1).to(inputs.smooth.dtype)
    return torch.cat([inputs.smooth - 0.5, inputs.copied - inputs.smooth, masks], dim=1)
