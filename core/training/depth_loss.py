"""What makes depth right: differences up to scale and shift (Ranftl et al. 2020), their steps, and doubt.

Where depth is exact, inverse depth is also compared up to scale alone, so that its zero comes to mean infinity.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor, nn
from torch.nn import functional

from core.training.depth_config import DepthSettings

# Weak depth is about this many times coarser than the pictures; it is compared at its own detail.
_WEAK_STRIDE = 4
_SCALES = 4
_STRIDE_OF_MEDIANS = 3
# A flat picture's spread is taken as this share of its median inverse depth, lest its noise be blown up.
_LEAST_SPREAD = 0.03
_TINY = 1e-6
# A thing at the very camera must not outweigh the rest.
_LARGEST_SCALED = 3.0


@dataclass(frozen=True, eq=False)
class DepthBatch:
    """sRGB 0..1, inverse depth with NaN where unknown, and whose depth is a weak teacher's."""

    images: Float32[Tensor, "B 3 H W"]
    inverse: Float32[Tensor, "B H W"]
    weak: Bool[Tensor, "B"]


class DepthLoss(nn.Module):
    """Every figure is a mean over the pictures it applies to, 0 where there is none."""

    def __init__(self, network: nn.Module, settings: DepthSettings) -> None:
        super().__init__()
        self.network = network
        self.settings = settings

    def forward(self, batch: DepthBatch) -> dict[str, Tensor]:
        """`loss`; `exact` and `weak` differences in mean deviations, `gradient`, `scale`; `delta1` of exact ones."""
        settings = self.settings
        made, doubt = self.network(batch.images)
        made, doubt = made.float(), doubt.float()
        exact = torch.nonzero(~batch.weak)[:, 0]
        weak = torch.nonzero(batch.weak)[:, 0]
        wanted, made_exact = aligned(batch.inverse[exact]), made[exact]
        residual = _masked(aligned(made_exact, wanted), wanted)
        known = wanted.isfinite()
        absolute = _mean(residual.abs(), known)
        gradient = multi_scale_gradient(residual, known)
        scaled = _masked(unit_mean(made_exact, known), unit_mean(batch.inverse[exact], known)).abs()
        scale = _mean(scaled.clamp_max(_LARGEST_SCALED), known)
        coarse_wanted = aligned(coarse(batch.inverse[weak]))
        coarse_made = coarse(made[weak])
        coarse_residual = _masked(aligned(coarse_made, coarse_wanted), coarse_wanted).abs()
        taught = _mean(coarse_residual, coarse_wanted.isfinite())
        likelihood = _mean(laplace(residual, doubt[exact]), known)
        likelihood = likelihood + _mean(laplace(coarse_residual, coarse(doubt[weak])), coarse_wanted.isfinite())
        share = len(weak) / len(batch.weak)
        loss = (1 - share) * (absolute + settings.gradient_weight * gradient + settings.scale_weight * scale)
        loss = loss + share * settings.weak_weight * taught + settings.uncertainty_weight * likelihood
        with torch.no_grad():
            delta1 = affine_delta1(coarse(made_exact), coarse(batch.inverse[exact]))
        return {
            "loss": loss, "exact": absolute.detach(), "gradient": gradient.detach(), "scale": scale.detach(),
            "weak": taught.detach(), "likelihood": likelihood.detach(), "delta1": delta1,
        }  # fmt: skip


def aligned(values: Float32[Tensor, "B H W"], like: Float32[Tensor, "B H W"] | None = None) -> Float32[Tensor, "B H W"]:
    """Values with median 0 and mean absolute deviation 1 over the pixels finite in `like` (in themselves without).

    NaN stays NaN. The deviation is at least a share of the median where the values are inverse depth themselves.
    """
    seen = values if like is None else torch.where(like.isfinite(), values, torch.nan)
    rows = seen.flatten(1)
    middle = rows[:, ::_STRIDE_OF_MEDIANS].nanmedian(dim=1).values
    middle = torch.where(middle.isfinite(), middle, 0.0)
    spread = (rows - middle[:, None]).abs().nanmean(dim=1)
    least = _TINY if like is not None else _LEAST_SPREAD * middle.abs() + _TINY
    spread = torch.where(spread.isfinite(), spread, 0.0).clamp_min(least)
    return (values - middle[:, None, None]) / spread[:, None, None]


def unit_mean(values: Float32[Tensor, "B H W"], known: Bool[Tensor, "B H W"]) -> Float32[Tensor, "B H W"]:
    """Values over their mean where known."""
    count = known.sum((1, 2), keepdim=True).clamp_min(1)
    return values / (torch.where(known, values, 0.0).sum((1, 2), keepdim=True) / count).clamp_min(_TINY)


def coarse(values: Float32[Tensor, "B H W"]) -> Float32[Tensor, "B h w"]:
    """Means of blocks, NaN where any of a block's pixels is."""
    return functional.avg_pool2d(values[:, None], _WEAK_STRIDE)[:, 0]


def multi_scale_gradient(residual: Float32[Tensor, "B H W"], known: Bool[Tensor, "B H W"]) -> Float32[Tensor, ""]:
    """Mean change of the residual between neighbours, at strides 1, 2, 4 and 8, that do not skip unknown pixels."""
    total = residual.new_zeros(())
    for scale in range(_SCALES):
        r, k = residual[:, :: 1 << scale, :: 1 << scale], known[:, :: 1 << scale, :: 1 << scale]
        total = total + _mean((r[:, :, 1:] - r[:, :, :-1]).abs(), k[:, :, 1:] & k[:, :, :-1])
        total = total + _mean((r[:, 1:] - r[:, :-1]).abs(), k[:, 1:] & k[:, :-1])
    return total / _SCALES


def laplace(residual: Float32[Tensor, "B H W"], log_scale: Float32[Tensor, "B H W"]) -> Float32[Tensor, "B H W"]:
    """Minus log likelihood of a difference whose mean size is exp(log_scale); no gradient reaches the depth."""
    return residual.detach().abs() * (-log_scale).exp() + log_scale


def affine_delta1(made: Float32[Tensor, "B h w"], wanted: Float32[Tensor, "B h w"]) -> Float32[Tensor, ""]:
    """Share of pixels within 1.25 of the true depth after least squares in inverse depth; far things count out."""
    known = wanted.isfinite() & (wanted > _TINY)
    fitted = least_squares(made, torch.where(known, wanted, 0.0), known)
    ratio = fitted.clamp_min(_TINY) / wanted.clamp_min(_TINY)
    return _mean((torch.maximum(ratio, 1 / ratio) < 1.25).float(), known)


def least_squares(
    made: Float32[Tensor, "B H W"], wanted: Float32[Tensor, "B H W"], known: Bool[Tensor, "B H W"]
) -> Float32[Tensor, "B H W"]:
    """`made` scaled and shifted per picture to be nearest to `wanted` where known."""
    weight = known.float()
    count = weight.sum((1, 2), keepdim=True).clamp_min(1)
    x, y = (((v * weight).sum((1, 2), keepdim=True) / count) for v in (made, wanted))
    covariance = ((made - x) * (wanted - y) * weight).sum((1, 2), keepdim=True)
    variance = ((made - x).square() * weight).sum((1, 2), keepdim=True)
    return y + (made - x) * covariance / variance.clamp_min(_TINY)


def _masked(made: Float[Tensor, "B H W"], wanted: Float[Tensor, "B H W"]) -> Float[Tensor, "B H W"]:
    """Their difference, 0 where nothing is known: NaN would come back in the gradient."""
    known = wanted.isfinite()
    return torch.where(known, made - torch.where(known, wanted, 0.0), 0.0)


def _mean(values: Float[Tensor, "*S"], known: Bool[Tensor, "*S"]) -> Float32[Tensor, ""]:
    return torch.where(known, values, 0.0).sum() / known.sum().clamp_min(1)
