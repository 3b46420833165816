"""What makes a fill right: near the truth, and alike to the eye as LPIPS sees it (Zhang et al. 2018)."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor, nn
from torch.nn import functional

from core.nets.fill_student import FillInputs
from core.nets.lpips import Lpips
from core.training.fill_config import FillSettings

_TEXTURE_SCALES, _TEXTURE_PIXELS = 2, 5
_TINY = 1e-5


@dataclass(frozen=True, eq=False)
class FillBatch:
    """What the network is told, and the truth in sRGB 0..1."""

    inputs: FillInputs
    truth: Float32[Tensor, "B 3 H W"]


class FillLoss(nn.Module):
    """Every figure is a mean over the samples of means over each one's hole. Without `judge` nothing is perceptual."""

    def __init__(self, network: nn.Module, settings: FillSettings, judge: Lpips | None) -> None:
        super().__init__()
        self.network = network
        self.settings = settings
        self.judge = judge

    def forward(self, batch: FillBatch) -> dict[str, Tensor]:
        """`loss`; `absolute` difference, `perceptual` (LPIPS), `share` of the copied guess's colour, `strength` of its
        texture, `texture` that differs.

        Where nothing is learned also `copied_absolute` and `copied_perceptual`: the copied guess by the same measure.
        """
        settings, inputs, truth = self.settings, batch.inputs, batch.truth
        answer = self.network(inputs)
        made = answer.applied(inputs.copied, inputs.smooth).float()
        whole = inside(made, truth, inputs.unknown)
        absolute = hole_mean((made - truth).abs().mean(dim=1), inputs.unknown)
        figures = {
            "absolute": absolute.detach(),
            "share": hole_mean(answer.share[:, 0].detach(), inputs.unknown),
            "strength": hole_mean(answer.strength[:, 0].detach(), inputs.unknown),
        }
        loss = settings.absolute_weight * absolute
        if self.judge is not None:
            seen = hole_mean(self.judge(whole, truth), inputs.unknown)
            loss = loss + settings.perceptual_weight * seen
            figures["perceptual"] = seen.detach()
        if settings.texture_weight > 0:
            texture = hole_mean(texture_difference(whole, truth), inputs.unknown)
            loss = loss + settings.texture_weight * texture
            figures["texture"] = texture.detach()
        if not torch.is_grad_enabled():
            copied = inside(inputs.copied, truth, inputs.unknown)
            figures["copied_absolute"] = hole_mean((copied - truth).abs().mean(dim=1), inputs.unknown)
            if self.judge is not None:
                figures["copied_perceptual"] = hole_mean(self.judge(copied, truth), inputs.unknown)
        return {"loss": loss, **figures}


def inside(
    made: Float[Tensor, "B 3 H W"], truth: Float[Tensor, "B 3 H W"], unknown: Bool[Tensor, "B H W"]
) -> Float[Tensor, "B 3 H W"]:
    """The truth with its holes as they were made."""
    return torch.where(unknown[:, None], made.to(truth.dtype).clamp(0, 1), truth)


def texture_difference(made: Float[Tensor, "B 3 H W"], truth: Float[Tensor, "B 3 H W"]) -> Float32[Tensor, "B H W"]:
    """How far the strengths of detail around each pixel differ, wherever exactly it lies: blur has too little."""
    total = made.new_zeros((len(made), *made.shape[-2:]), dtype=torch.float32)
    for scale in range(_TEXTURE_SCALES):
        a, b = (functional.avg_pool2d(picture.float().mean(1, keepdim=True), 1 << scale) for picture in (made, truth))
        part = (_strength(a) - _strength(b)).abs()
        total = total + functional.interpolate(part, size=total.shape[-2:], mode="bilinear")[:, 0]
    return total / _TEXTURE_SCALES


def _strength(picture: Float32[Tensor, "B 1 h w"]) -> Float32[Tensor, "B 1 h w"]:
    """The root of the mean squared difference to the mean around, both over few pixels."""
    power = (picture - _around(picture)).square()
    return (_around(power) + _TINY).sqrt()


def _around(values: Float32[Tensor, "B 1 h w"]) -> Float32[Tensor, "B 1 h w"]:
    return functional.avg_pool2d(values, _TEXTURE_PIXELS, 1, _TEXTURE_PIXELS // 2, count_include_pad=False)


def hole_mean(values: Float[Tensor, "B H W"], unknown: Bool[Tensor, "B H W"]) -> Float32[Tensor, ""]:
    """The mean over the samples of each one's mean where unknown."""
    inner = torch.where(unknown, values.float(), 0.0).sum((1, 2)) / unknown.sum((1, 2)).clamp_min(1)
    return inner.mean()
