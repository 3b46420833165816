"""What the small networks are made of: norms, blocks, the encoder that they share, and edge-keeping upsampling."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from core.errors import InvalidInput

STRIDE = 32
_MEAN, _DEVIATION = (0.46, 0.44, 0.40), 0.25
NEIGHBOURS = 9


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


class Pyramid(nn.Module):
    """The encoder: sRGB 0..1 [B, 3, H, W], sides multiples of 32, to features at 1/2, 1/4, 1/8, 1/16 and 1/32.

    A stem, then dense 3x3 convolutions, and at a 32nd attention with no places but a convolution's, so that any aspect
    ratio will do. Networks derive from it, so that encoders of one size can be exchanged between them by name.
    """

    def __init__(
        self, stem: int, widths: tuple[int, int, int, int], blocks: tuple[int, int, int, int], heads: int
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, stem, 3, stride=2, padding=1)
        before = (stem, *widths[:-1])
        self.shrink = nn.ModuleList(
            nn.Conv2d(into, out, 3, stride=2, padding=1) for into, out in zip(before, widths, strict=True)
        )
        self.stages = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(width) for _ in range(count)))
            for width, count in zip(widths[:-1], blocks[:-1], strict=True)
        )
        self.context = nn.Sequential(*(ContextBlock(widths[-1], heads) for _ in range(blocks[-1])))
        self.mean: Tensor
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)

    def pyramid(self, images: Float[Tensor, "B 3 H W"]) -> list[Tensor]:
        """Features, the finest first. Raises InvalidInput."""
        if images.shape[-1] % STRIDE or images.shape[-2] % STRIDE:
            raise InvalidInput(f"Sides must be multiples of {STRIDE}, got {images.shape[-1]}x{images.shape[-2]}.")
        x = functional.relu(self.stem((images - self.mean) / _DEVIATION))
        found = [x]
        for shrink, stage in zip(self.shrink, self.stages, strict=False):
            x = stage(shrink(x))
            found.append(x)
        return [*found, self.context(self.shrink[-1](x))]


def doubled(x: Float[Tensor, "B C h w"]) -> Float[Tensor, "B C 2*h 2*w"]:
    """Bilinear, twice as large."""
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def convex_upsampled(
    values: Float[Tensor, "B C h w"], scores: Float[Tensor, "B S h w"], factor: int = 2
) -> Float[Tensor, "B C H W"]:
    """Each fine pixel a weighted mean of the 3x3 coarse ones around, with 9 scores of its own (S = 9 factor^2).

    Keeps edges where the scores have them (Teed and Deng 2020, section 3.3).
    """
    batch, channels, rows, columns = values.shape
    padded = functional.pad(values, (1, 1, 1, 1), mode="replicate")
    around = torch.stack([padded[..., y : y + rows, x : x + columns] for y in range(3) for x in range(3)], dim=1)
    weights = scores.view(batch, NEIGHBOURS, 1, factor * factor, rows, columns).softmax(dim=1)
    fine = (weights * around[:, :, :, None]).sum(dim=1)
    return functional.pixel_shuffle(fine.view(batch, channels * factor * factor, rows, columns), factor)
