"""A photo to inverse depth up to scale and its uncertainty, in one convolutional network with wide context.

Dense 3x3 convolutions from a quarter to a sixteenth of the size, attention with no places but a convolution's at a 32nd
(so that any aspect ratio will do), a decoder with skips to half the size, and a learned convex upsampling to the
whole (Teed and Deng 2020, section 3.3), which keeps edges where the photo has them.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from core.errors import InvalidInput

STRIDE = 32
_MEAN, _DEVIATION = (0.46, 0.44, 0.40), 0.25
_NEIGHBOURS = 9


@dataclass(frozen=True)
class DepthStudentConfig:
    """Channels at 1/4, 1/8, 1/16 and 1/32 of the size and blocks there; the decoder's at 1/2, 1/4, 1/8 and 1/16.

    Blocks at 1/32 are attention with a depthwise convolution. Raises InvalidInput.
    """

    widths: tuple[int, int, int, int] = (64, 112, 176, 320)
    blocks: tuple[int, int, int, int] = (2, 2, 3, 4)
    decoder_widths: tuple[int, int, int, int] = (32, 64, 96, 128)
    heads: int = 5

    def __post_init__(self) -> None:
        if min(*self.widths, *self.decoder_widths, self.heads) < 1 or min(self.blocks) < 0:
            raise InvalidInput("A depth student needs widths and heads of at least 1 and no negative number of blocks.")
        if self.widths[-1] % self.heads:
            raise InvalidInput(f"The deepest width {self.widths[-1]} must be a multiple of the {self.heads} heads.")


class ChannelNorm(nn.Module):
    """Every pixel's channels to mean 0 and deviation 1, then scaled: the same for one picture and for many."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        rows = x.permute(0, 2, 3, 1)
        return functional.layer_norm(rows, self.weight.shape, self.weight, self.bias).permute(0, 3, 1, 2)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions whose scaled result is added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.scale = nn.Parameter(torch.full((width, 1, 1), 0.2))

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        inner = functional.relu(self.first(self.norm(x)), inplace=True)
        return x + self.scale * self.second(inner)


class ContextBlock(nn.Module):
    """Attention among all places, then a gated step at each; a depthwise convolution tells neighbours apart."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.place = nn.Conv2d(width, width, 5, padding=2, groups=width)
        self.norm = ChannelNorm(width)
        self.joint = nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        self.step_norm = ChannelNorm(width)
        self.up = nn.Conv2d(width, 3 * width, 1)
        self.down = nn.Conv2d(3 * width, width, 1)
        self.scales = nn.Parameter(torch.full((2, width, 1, 1), 0.2))

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        x = x + self.place(x)
        batch, width, rows, columns = x.shape
        split = self.joint(self.norm(x)).view(batch, 3, self.heads, width // self.heads, rows * columns)
        query, key, value = split.transpose(-1, -2).unbind(1)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        mixed = mixed.transpose(-1, -2).reshape(batch, width, rows, columns)
        x = x + self.scales[0] * self.out(mixed)
        return x + self.scales[1] * self.down(functional.gelu(self.up(self.step_norm(x))))


class DepthStudent(nn.Module):
    """sRGB 0..1 [B, 3, H, W], sides multiples of 32, to inverse depth and its log-uncertainty."""

    def __init__(self, config: DepthStudentConfig) -> None:
        super().__init__()
        self.config = config
        widths, outs = config.widths, config.decoder_widths
        self.stem = nn.Conv2d(3, outs[0], 3, stride=2, padding=1)
        before = (outs[0], *widths[:-1])
        self.shrink = nn.ModuleList(
            nn.Conv2d(into, out, 3, stride=2, padding=1) for into, out in zip(before, widths, strict=True)
        )
        self.stages = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(width) for _ in range(count)))
            for width, count in zip(widths[:-1], config.blocks[:-1], strict=True)
        )
        self.context = nn.Sequential(*(ContextBlock(widths[-1], config.heads) for _ in range(config.blocks[-1])))
        skips = (outs[0], *widths[:-1])
        deeper = (*outs[1:], widths[-1])
        self.lateral = nn.ModuleList(nn.Conv2d(skip, out, 1) for skip, out in zip(skips, outs, strict=True))
        self.raised = nn.ModuleList(nn.Conv2d(deep, out, 1) for deep, out in zip(deeper, outs, strict=True))
        self.mixed = nn.ModuleList(ResidualBlock(out) for out in outs)
        self.head = nn.Conv2d(outs[0], 2, 3, padding=1)
        self.upsampling = nn.Sequential(
            nn.Conv2d(outs[0], outs[0], 3, padding=1), nn.ReLU(), nn.Conv2d(outs[0], 4 * _NEIGHBOURS, 1)
        )
        self.mean: Tensor
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> tuple[Float[Tensor, "B H W"], Float[Tensor, "B H W"]]:
        """Inverse depth up to scale, at least 0 (infinitely far), and the log of its error in mean deviations."""
        if images.shape[-1] % STRIDE or images.shape[-2] % STRIDE:
            raise InvalidInput(f"Sides must be multiples of {STRIDE}, got {images.shape[-1]}x{images.shape[-2]}.")
        x = functional.relu(self.stem((images - self.mean) / _DEVIATION))
        skips = [x]
        for shrink, stage in zip(self.shrink, self.stages, strict=False):
            x = stage(shrink(x))
            skips.append(x)
        x = self.context(self.shrink[-1](x))
        for level in reversed(range(len(skips))):
            raised = self.raised[level](x)
            raised = functional.interpolate(raised, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = self.mixed[level](raised + self.lateral[level](skips[level]))
        halves = self.head(x).float()
        fine = convex_upsampled(functional.softplus(halves[:, :1]), self.upsampling(x).float())
        unsure = functional.interpolate(halves[:, 1:], scale_factor=2.0, mode="bilinear", align_corners=False)
        return fine[:, 0], unsure[:, 0].clamp(-6.0, 4.0)


def convex_upsampled(
    values: Float[Tensor, "B 1 h w"], scores: Float[Tensor, "B 36 h w"]
) -> Float[Tensor, "B 1 2*h 2*w"]:
    """Each fine pixel a weighted mean of the 3x3 coarse ones around, with weights of its own."""
    batch, _, rows, columns = values.shape
    padded = functional.pad(values, (1, 1, 1, 1), mode="replicate")
    around = torch.stack([padded[:, 0, y : y + rows, x : x + columns] for y in range(3) for x in range(3)], dim=1)
    weights = scores.view(batch, _NEIGHBOURS, 4, rows, columns).softmax(dim=1)
    return functional.pixel_shuffle((weights * around[:, :, None]).sum(dim=1), 2)
