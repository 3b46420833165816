"""The local patch quantizer: 4x4 pixels to one code of 2^bits and back, by spherical lookup-free quantisation.

A code's bits are the signs of a projected vector (Yu et al. 2024, lookup-free quantisation); put on the unit
sphere they are +-1/sqrt(bits). Parameters are named as in the released checkpoints. The encoder sees one patch
at a time; the decoder sees its neighbours. Codes and pictures are always made in float32.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional

from core.errors import InvalidInput
from core.lras.config import QuantizerConfig, ResBlock, Upsample

Images = Float[Tensor, "B C H W"]
Codes = Int64[Tensor, "B h w"]

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
_FLOW_UNIT = 20.0


@dataclass(frozen=True)
class Reconstruction:
    """What training reads: bits before their signs were taken, the embedding that was decoded, the images."""

    bits: Float[Tensor, "B h w K"]
    embedding: Float[Tensor, "B D h w"]
    images: Images


class Residual(nn.Module):
    """LayerNorm over channels, two convolutions each with SiLU, and the block's own input added."""

    def __init__(self, block: ResBlock) -> None:
        super().__init__()
        padding = block.kernel // 2
        self.ln1 = nn.LayerNorm(block.width)
        self.conv1 = nn.Conv2d(block.width, block.hidden, block.kernel, padding=padding)
        self.conv2 = nn.Conv2d(block.hidden, block.width, block.kernel, padding=padding)

    def forward(self, x: Images) -> Images:
        normed = self.ln1(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return x + functional.silu(self.conv2(functional.silu(self.conv1(normed))))


class Doubling(nn.Module):
    """Each pixel twice along both axes, then a 3x3 convolution."""

    def __init__(self, block: Upsample) -> None:
        super().__init__()
        self.conv = nn.Conv2d(block.width_in, block.width_out, 3, padding=1)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D 2*H 2*W"]:
        return self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))


class SignQuantizer(nn.Module):
    """A vector's signs in `bits` projected directions, the first being the code's highest bit."""

    mask: Tensor

    def __init__(self, width: int, bits: int) -> None:
        super().__init__()
        self.register_buffer("mask", bit_values(bits))
        self.project_in = nn.Linear(width, bits) if width != bits else nn.Identity()
        self.project_out = nn.Linear(bits, width) if width != bits else nn.Identity()

    def bits(self, x: Float[Tensor, "B D h w"]) -> Float[Tensor, "B h w K"]:
        """The projected vectors on the unit sphere; their signs are the code."""
        return functional.normalize(self.project_in(x.permute(0, 2, 3, 1)), dim=-1)

    def codes(self, bits: Float[Tensor, "B h w K"]) -> Codes:
        """A bit is set where its value is above zero."""
        return ((bits > 0) * self.mask).sum(-1)

    def signs(self, codes: Codes) -> Float[Tensor, "B h w K"]:
        """The codes' places on the unit sphere."""
        return self._on_sphere((codes[..., None] & self.mask) != 0)

    def straight_through(self, bits: Float[Tensor, "B h w K"]) -> Float[Tensor, "B h w K"]:
        """The quantised bits, with the gradient of the unquantised ones."""
        return bits + (self._on_sphere(bits > 0) - bits).detach()

    def embedding(self, signs: Float[Tensor, "B h w K"]) -> Float[Tensor, "B D h w"]:
        return self.project_out(signs).permute(0, 3, 1, 2)

    def _on_sphere(self, positive: Tensor) -> Tensor:
        unit = len(self.mask) ** -0.5
        return torch.where(positive, unit, -unit)


class Quantizer(nn.Module):
    """Normalised images (3 channels) or flow (2 channels) to codes of 4x4 pixels and back."""

    def __init__(self, config: QuantizerConfig) -> None:
        super().__init__()
        self.config = config
        size, first, last = config.patch_size, config.encoder_blocks[0], config.decoder_blocks[-1]
        self.encoder = nn.Sequential(
            nn.Conv2d(config.channels, first.width, size, stride=size),
            nn.SiLU(),
            *(Residual(block) for block in config.encoder_blocks),
        )
        self.quantizer = SignQuantizer(config.width, config.bits)
        width = last.width_out if isinstance(last, Upsample) else last.width
        self.decoder = nn.Sequential(
            *(Residual(block) if isinstance(block, ResBlock) else Doubling(block) for block in config.decoder_blocks),
            nn.Conv2d(width, config.channels, 3, padding=1),
        )

    def encode(self, images: Images) -> Codes:
        """Codes of h = H / 4 rows and w = W / 4 columns. Raises InvalidInput for other sizes, channels, NaN."""
        self._check_images(images)
        with _exact_float32(images.device):
            return self.quantizer.codes(self.quantizer.bits(self.encoder(images.float())))

    def decode(self, codes: Codes, wrap: bool = False) -> Images:
        """Normalised images. `wrap` takes codes modulo 2^bits, as the released code does without being asked.

        Raises InvalidInput for codes outside 0..2^bits - 1 when they are not to be wrapped.
        """
        if wrap:
            codes = codes % self.config.vocab_size
        elif codes.numel() and not 0 <= int(codes.min()) <= int(codes.max()) < self.config.vocab_size:
            raise InvalidInput(
                f"Codes must lie in 0..{self.config.vocab_size - 1}, got {int(codes.min())}..{int(codes.max())}."
            )
        with _exact_float32(codes.device):
            return self.decoder(self.quantizer.embedding(self.quantizer.signs(codes)))

    @property
    def reach(self) -> int:
        """How many codes away from a pixel's own code the decoder looks."""
        pixels = 1
        for block in reversed(self.config.decoder_blocks):
            pixels = pixels + 2 * (block.kernel // 2) if isinstance(block, ResBlock) else -(-(pixels + 1) // 2)
        return pixels

    def decode_box(self, codes: Codes, rows: tuple[int, int], columns: tuple[int, int]) -> Images:
        """As `decode`, only the pixels of the codes in these rows and columns (first, stop)."""
        (top, bottom), (left, right) = rows, columns
        first = max(top - self.reach, 0), max(left - self.reach, 0)
        around = codes[:, first[0] : bottom + self.reach, first[1] : right + self.reach]
        size = self.config.patch_size
        y, x = size * (top - first[0]), size * (left - first[1])
        return self.decode(around)[..., y : y + size * (bottom - top), x : x + size * (right - left)]

    def forward(self, images: Images) -> Reconstruction:
        """Through the codes and back with gradients; the bits are in float32 whatever the rest runs in."""
        encoded = self.encoder(images)
        with torch.autocast(images.device.type, enabled=False):
            bits = self.quantizer.bits(encoded.float())
            embedding = self.quantizer.embedding(self.quantizer.straight_through(bits))
        return Reconstruction(bits, embedding, self.decoder(embedding))

    def _check_images(self, images: Images) -> None:
        channels, size = self.config.channels, self.config.patch_size
        if images.shape[1] != channels:
            raise InvalidInput(f"This quantizer takes {channels} channels, got {images.shape[1]}.")
        if any(side == 0 or side % size for side in images.shape[2:]):
            sides = "x".join(map(str, reversed(images.shape[2:])))
            raise InvalidInput(f"Width and height must be multiples of {size} pixels, got {sides}.")
        if not images.isfinite().all():
            raise InvalidInput("The picture or flow to encode holds values that are not finite; replace them.")


def bit_values(bits: int) -> Int64[Tensor, "K"]:
    """2^(bits-1) down to 1."""
    return 2 ** torch.arange(bits - 1, -1, -1)


def normalise_rgb(rgb: Float[Tensor, "B 3 H W"] | UInt8[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
    """ImageNet's mean and deviation; uint8 is 0..255, floats are 0..1."""
    values = rgb.float() / 255 if rgb.dtype == torch.uint8 else rgb
    return (values - _per_channel(_MEAN, values)) / _per_channel(_STD, values)


def denormalise_rgb(images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
    """Back to 0..1, clamped."""
    return (images * _per_channel(_STD, images) + _per_channel(_MEAN, images)).clamp(0, 1)


def to_uint8(rgb: Float[Tensor, "*shape"]) -> UInt8[Tensor, "*shape"]:
    """0..1 to 0..255, truncated as released."""
    return (rgb * 255).to(torch.uint8)


def normalise_flow(flow: Float[Tensor, "B 2 H W"]) -> Float[Tensor, "B 2 H W"]:
    """Pixels at 256x256, x then y, to the quantizer's unit."""
    return flow / _FLOW_UNIT


def denormalise_flow(images: Float[Tensor, "B 2 H W"]) -> Float[Tensor, "B 2 H W"]:
    """The quantizer's unit to pixels at 256x256."""
    return images * _FLOW_UNIT


def _per_channel(values: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None, None]


@contextmanager
def _exact_float32(device: torch.device) -> Iterator[None]:
    """No autocast and no TF32, which is cuDNN's default for convolutions and would flip bits near zero."""
    with torch.autocast(device.type, enabled=False), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield
