"""A photo to inverse depth up to scale and its uncertainty, in one convolutional network with wide context.

Dense 3x3 convolutions from a quarter to a sixteenth of the size, attention with no places but a convolution's at a 32nd
(so that any aspect ratio will do), a decoder with skips to half the size, and a learned convex upsampling to the
whole (Teed and Deng 2020, section 3.3), which keeps edges where the photo has them.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from core.errors import InvalidInput
from core.nets.blocks import NEIGHBOURS, ChannelNorm, Pyramid, ResidualBlock, convex_upsampled, doubled


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


class DepthStudent(Pyramid):
    """sRGB 0..1 [B, 3, H, W], sides multiples of 32, to inverse depth and its log-uncertainty."""

    def __init__(self, config: DepthStudentConfig) -> None:
        widths, outs = config.widths, config.decoder_widths
        super().__init__(outs[0], widths, config.blocks, config.heads)
        self.config = config
        skips = (outs[0], *widths[:-1])
        deeper = (*outs[1:], widths[-1])
        self.lateral = nn.ModuleList(nn.Conv2d(skip, out, 1) for skip, out in zip(skips, outs, strict=True))
        self.raised = nn.ModuleList(nn.Conv2d(deep, out, 1) for deep, out in zip(deeper, outs, strict=True))
        self.mixed = nn.ModuleList(ResidualBlock(out) for out in outs)
        self.last_norm = ChannelNorm(outs[0])
        self.head = nn.Conv2d(outs[0], 2, 3, padding=1)
        self.upsampling = nn.Sequential(
            nn.Conv2d(outs[0], outs[0], 3, padding=1), nn.ReLU(), nn.Conv2d(outs[0], 4 * NEIGHBOURS, 1)
        )

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> tuple[Float[Tensor, "B H W"], Float[Tensor, "B H W"]]:
        """Inverse depth up to scale, at least 0 (infinitely far), and the log of its error in mean deviations."""
        *skips, x = self.pyramid(images)
        for level in reversed(range(len(skips))):
            x = self.mixed[level](doubled(self.raised[level](x)) + self.lateral[level](skips[level]))
        x = self.last_norm(x)
        halves = self.head(x).float()
        fine = convex_upsampled(functional.softplus(halves[:, :1]), self.upsampling(x).float())
        return fine[:, 0], doubled(halves[:, 1:])[:, 0].clamp(-6.0, 4.0)
