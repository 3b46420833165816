"""A photo and clicks to three masks with predicted overlap: an encoder once per photo, a small decoder per click.

What a click says reaches the decoder as maps around it, and as likeness: how much every place's features resemble
those under the clicks and within the previous mask. A quarter of the size is decoded; how to enlarge that is a matter
of the photo alone and told once, by the encoder. Three candidates as in Kirillov et al. 2023, section 3.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn import functional

from core.errors import InvalidInput
from core.nets.blocks import NEIGHBOURS, ContextBlock, Pyramid, ResidualBlock, convex_upsampled, doubled

CANDIDATES = 3
_FACTOR = 4
# A click's disc in pixels of the whole, and its wide halos as shares of the picture's diagonal.
_DISC = 6.0
_HALOS = 0.08, 0.3
_PLACE_MAPS = 2 * (1 + len(_HALOS)) + 4
# Of features at a quarter and an eighth: heads of likeness and their channels.
_KEYS = (4, 8), (8, 16)
_TINY = 1e-6


@dataclass(frozen=True)
class ClickStudentConfig:
    """Channels at 1/4, 1/8, 1/16 and 1/32 of the size and blocks there; the decoder's likewise.

    Blocks at 1/32 are attention. Raises InvalidInput.
    """

    stem: int = 32
    widths: tuple[int, int, int, int] = (64, 112, 176, 320)
    blocks: tuple[int, int, int, int] = (2, 2, 2, 1)
    heads: int = 5
    decoder_widths: tuple[int, int, int, int] = (32, 64, 96, 160)
    decoder_blocks: int = 2
    decoder_heads: int = 5

    def __post_init__(self) -> None:
        sizes = (self.stem, *self.widths, *self.decoder_widths, self.heads, self.decoder_heads)
        if min(sizes) < 1 or min(*self.blocks, self.decoder_blocks) < 0:
            raise InvalidInput("A click student needs widths and heads of at least 1 and no negative number of blocks.")
        for width, heads in ((self.widths[-1], self.heads), (self.decoder_widths[-1], self.decoder_heads)):
            if width % heads:
                raise InvalidInput(f"The deepest width {width} must be a multiple of the {heads} heads.")


@dataclass(frozen=True, eq=False)
class Features:
    """What one photo gives, or several: maps at 1/4, 1/8, 1/16, 1/32; keys at 1/4 and 1/8; scores of upsampling."""

    maps: tuple[Tensor, ...]
    keys: tuple[Tensor, ...]
    scores: Tensor

    def of(self, photos: Tensor) -> "Features":
        """Those of the photos of these numbers [P], which may repeat."""
        return Features(
            tuple(field[photos] for field in self.maps), tuple(field[photos] for field in self.keys),
            self.scores[photos],
        )  # fmt: skip

    @property
    def size_bytes(self) -> int:
        return sum(field.numel() * field.element_size() for field in (*self.maps, *self.keys, self.scores))


@dataclass(frozen=True, eq=False)
class Prompts:
    """P prompts. `clicks` are x, y in pixels of the encoder's picture and 1 (adds), -1 (takes away) or 0 (none).

    `boxes` are x0, y0, x1, y1, NaN for none. `previous` is a mask 0..1 at a quarter of the size, NaN for none.
    """

    clicks: Float32[Tensor, "P N 3"]
    boxes: Float32[Tensor, "P 4"]
    previous: Float32[Tensor, "P h w"]


class ClickStudent(Pyramid):
    """sRGB 0..1, sides multiples of 32, and prompts to three masks as logits and their overlaps with what is meant."""

    def __init__(self, config: ClickStudentConfig) -> None:
        widths, outs = config.widths, config.decoder_widths
        super().__init__(config.stem, widths, config.blocks, config.heads)
        self.config = config
        self.lateral = nn.ModuleList(nn.Conv2d(wide, out, 1) for wide, out in zip(widths, outs, strict=True))
        self.raised = nn.ModuleList(nn.Conv2d(deep, out, 1) for deep, out in zip(outs[1:], outs[:-1], strict=True))
        self.keys = nn.ModuleList(
            nn.Conv2d(out, heads * channels, 1) for out, (heads, channels) in zip(outs, _KEYS, strict=False)
        )
        self.detail = nn.Conv2d(4 * config.stem + widths[0], outs[1], 1)
        self.scores = nn.Conv2d(outs[1], NEIGHBOURS * _FACTOR**2, 1)
        fine, coarse = (2 * heads + heads for heads, _ in _KEYS)
        self.placed = nn.Conv2d(_PLACE_MAPS + fine, outs[0], 3, padding=1)
        self.likened = nn.Conv2d(outs[0] + coarse, outs[1], 1)
        self.shrunk = nn.ModuleList(nn.Conv2d(into, out, 3, stride=2, padding=1) for into, out in pairwise(outs[1:]))
        self.down = nn.ModuleList(ResidualBlock(width) for width in outs[1:-1])
        self.around = nn.Sequential(
            *(ContextBlock(outs[-1], config.decoder_heads) for _ in range(config.decoder_blocks))
        )
        self.back = nn.ModuleList(nn.Conv2d(deep, out, 1) for deep, out in zip(outs[1:], outs[:-1], strict=True))
        self.up = nn.ModuleList(ResidualBlock(width) for width in outs[:-1])
        self.head = nn.Conv2d(outs[0], CANDIDATES, 3, padding=1)
        self.rating = nn.Sequential(
            nn.Linear(outs[-1] + outs[1] + 2, 2 * outs[1]), nn.ReLU(), nn.Linear(2 * outs[1], CANDIDATES)
        )

    def forward(
        self, images: Float[Tensor, "B 3 H W"], prompts: Prompts
    ) -> tuple[Float32[Tensor, "P 3 H W"], Float32[Tensor, "P 3"]]:
        """One prompt a photo: `encode`, then `decode`."""
        return self.decode(self.encode(images), prompts)

    def encode(self, images: Float[Tensor, "B 3 H W"]) -> Features:
        """Once per photo. Raises InvalidInput when the sides are no multiples of 32."""
        halves, *wide = self.pyramid(images)
        x = self.lateral[-1](wide[-1])
        maps = [x]
        for level in reversed(range(len(wide) - 1)):
            x = doubled(self.raised[level](x)) + self.lateral[level](wide[level])
            maps.insert(0, x)
        keys = tuple(
            functional.normalize(key(field).unflatten(1, sizes).float(), dim=2)
            for key, field, sizes in zip(self.keys, maps, _KEYS, strict=False)
        )
        detail = torch.cat([functional.pixel_unshuffle(halves, 2), wide[0]], dim=1)
        scores = self.scores(functional.relu(self.detail(detail)))
        return Features(tuple(maps), keys, scores.float())

    def decode(self, features: Features, prompts: Prompts) -> tuple[Float32[Tensor, "P 3 H W"], Float32[Tensor, "P 3"]]:
        """Prompt i is of photo i. Logits of masks, best not first, and each one's predicted overlap 0..1."""
        quarter, eighth, sixteenth, deepest = features.maps
        coarse_previous = functional.avg_pool2d(prompts.previous[:, None], 2)[:, 0]
        near = [
            likeness(keys, prompts.clicks, previous, factor)
            for keys, previous, factor in zip(
                features.keys, (prompts.previous, coarse_previous), (_FACTOR, 2 * _FACTOR), strict=True
            )
        ]
        places = place_maps(prompts, quarter.shape[-2], quarter.shape[-1])
        placed = functional.relu(self.placed(torch.cat([places, near[0]], dim=1).to(quarter.dtype)))
        shown = torch.cat([functional.avg_pool2d(placed, 2), near[1].to(placed.dtype)], dim=1)
        eighth = self.down[0](eighth + self.likened(shown))
        sixteenth = self.down[1](sixteenth + self.shrunk[0](eighth))
        deepest = self.around(deepest + self.shrunk[1](sixteenth))
        x = deepest
        levels = (quarter + placed, eighth, sixteenth)
        for level in reversed(range(len(levels))):
            x = self.up[level](levels[level] + doubled(self.back[level](x)))
            if level == 1:
                eighth = x
        coarse = self.head(x).float()
        rated = self._rated(deepest.float(), eighth.float(), coarse)
        return convex_upsampled(coarse, features.scores, _FACTOR), rated

    def _rated(
        self, deepest: Float[Tensor, "P C i j"], eighth: Float[Tensor, "P D k l"], coarse: Float[Tensor, "P 3 h w"]
    ) -> Float32[Tensor, "P 3"]:
        """From what lies in each candidate, how large and how sure it is, and the whole; masks get no gradient."""
        inside = functional.avg_pool2d(coarse.detach(), 2).sigmoid()
        area = inside.mean((2, 3))
        within = torch.einsum("pchw,pmhw->pmc", eighth, inside) / (inside.sum((2, 3))[..., None] + 1)
        sure = (inside - 0.5).abs().mean((2, 3))
        whole = deepest.mean((2, 3))[:, None].expand(-1, CANDIDATES, -1)
        told = torch.cat([whole, within, area[..., None], sure[..., None]], dim=-1)
        # Candidate m is rated by output m.
        return self.rating(told).float().diagonal(dim1=1, dim2=2).sigmoid()


def place_maps(prompts: Prompts, rows: int, columns: int) -> Float32[Tensor, "P M h w"]:
    """Discs and halos around clicks of either sign, the box, the previous mask, and whether there is one of each."""
    clicks, boxes = prompts.clicks, prompts.boxes
    x = (torch.arange(columns, device=clicks.device) + 0.5) * _FACTOR - 0.5
    y = (torch.arange(rows, device=clicks.device) + 0.5) * _FACTOR - 0.5
    square = (x - clicks[..., 0, None])[:, :, None] ** 2 + (y - clicks[..., 1, None])[..., None] ** 2
    diagonal = _FACTOR * float(rows**2 + columns**2) ** 0.5
    maps = []
    for sign in (1, -1):
        absent = (clicks[..., 2] != sign)[..., None, None]
        nearest = square.masked_fill(absent, torch.inf).amin(dim=1)
        maps.append((-nearest / (2 * _DISC**2)).exp())
        maps += [(-nearest.sqrt() / (share * diagonal)).exp() for share in _HALOS]
    has_box = boxes.isfinite().all(dim=1)[:, None, None]
    across = (x >= boxes[:, :1] - 0.5) & (x <= boxes[:, 2:3] + 0.5)
    along = (y >= boxes[:, 1:2] - 0.5) & (y <= boxes[:, 3:] + 0.5)
    maps.append((along[:, :, None] & across[:, None]).float())
    maps.append(has_box.float().expand(-1, rows, columns))
    has_previous = prompts.previous.isfinite()
    maps.append(torch.where(has_previous, prompts.previous, 0.0))
    maps.append(has_previous.float())
    return torch.stack(maps, dim=1)


def likeness(
    keys: Float32[Tensor, "P K C h w"],
    clicks: Float32[Tensor, "P N 3"],
    previous: Float32[Tensor, "P h w"],
    factor: int,
) -> Float32[Tensor, "P M h w"]:
    """How alike every place is to the clicks that add, to those that take away (-1..1, -1 without any), and how
    much more to the previous mask's inside than to its outside (0 without one). M = 3 K; keys have length 1.
    """
    prompts, heads, channels, rows, columns = keys.shape
    size = torch.tensor([columns, rows], device=keys.device) * factor
    grid = (2 * (clicks[..., :2] + 0.5) / size - 1)[:, :, None]
    sampled = functional.grid_sample(
        keys.flatten(1, 2), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    sampled = sampled[..., 0].view(prompts, heads, channels, -1)
    flat = keys.flatten(3)
    alike = sampled.transpose(2, 3) @ flat
    maps = []
    for sign in (1, -1):
        absent = (clicks[..., 2] != sign)[:, None, :, None]
        maps.append(alike.masked_fill(absent, -1.0).amax(dim=2))
    inside = torch.where(previous.isfinite(), previous, 0.0).flatten(1)[:, None, :, None]
    outside = torch.where(previous.isfinite(), 1 - previous, 0.0).flatten(1)[:, None, :, None]
    means = [functional.normalize(flat @ part, dim=2, eps=_TINY) for part in (inside, outside)]
    maps.append((((means[0] - means[1]).transpose(2, 3)) @ flat)[:, :, 0])
    return torch.cat(maps, dim=1).view(prompts, 3 * heads, rows, columns)
