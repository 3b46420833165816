"""What makes masks by click right: the best of three candidates, and each one's own opinion of its overlap.

Clicks beyond the first go where the network is wrong at the moment (Sofiiuk et al. 2022, section 3.3).
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor, nn
from torch.nn import functional

from core.maths.clicks import correcting_click
from core.nets.click_student import ClickStudent, Features, Prompts

_FOCUS = 2.0
# The normalised focal loss took 1.4 times as many steps to learn two batches by heart.
_FOCAL_WEIGHT = 10.0
_SHARE_OF_OTHERS = 0.1
_RATING_WEIGHT = 1.0
_TINY = 1e-6


@dataclass(frozen=True, eq=False)
class ClickBatch:
    """sRGB 0..1; P prompts with the photos' numbers they are of, wanted masks 0..1, and which pixels count.

    `corrections` further clicks are made by the loss. `weights` say how much each prompt matters.
    """

    images: Float32[Tensor, "B 3 H W"]
    photos: Int64[Tensor, "P"]
    prompts: Prompts
    wanted: Float32[Tensor, "P H W"]
    counted: Bool[Tensor, "P H W"]
    weights: Float32[Tensor, "P"]
    corrections: int = 0


class ClickLoss(nn.Module):
    """Means over prompts by their weights."""

    def __init__(self, network: ClickStudent) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: ClickBatch) -> dict[str, Tensor]:
        """`loss`; `mask` of the best candidate and `rating`; `overlap` of the one rated best, `best` of the best."""
        features = self.network.encode(batch.images).of(batch.photos)
        prompts = batch.prompts
        with torch.no_grad():
            for _ in range(batch.corrections):
                prompts, _ = self._corrected(features, batch, prompts)
        logits, rated = self.network.decode(features, prompts)
        each = mask_loss(logits, batch.wanted, batch.counted)
        mask = each.amin(dim=1) + _SHARE_OF_OTHERS * each.mean(dim=1)
        overlaps = overlap(logits.detach() > 0, batch.wanted, batch.counted)
        rating = (rated - overlaps).square().mean(dim=1)
        chosen = overlaps.gather(1, rated.detach().argmax(dim=1, keepdim=True))[:, 0]
        share = batch.weights / batch.weights.sum().clamp_min(_TINY)
        figures = {"mask": mask, "rating": rating, "overlap": chosen, "best": overlaps.amax(dim=1)}
        means = {name: (value * share).sum() for name, value in figures.items()}
        loss = means["mask"] + _RATING_WEIGHT * means["rating"]
        return {"loss": loss, **{name: value.detach() for name, value in means.items()}}

    def course(self, batch: ClickBatch, answers: int) -> list[Bool[Tensor, "P H W"]]:
        """The masks rated best after the prompts alone, after one correction, and so on."""
        with torch.no_grad():
            features = self.network.encode(batch.images).of(batch.photos)
            prompts, found = batch.prompts, []
            for _ in range(answers):
                prompts, chosen = self._corrected(features, batch, prompts)
                found.append(chosen > 0)
        return found

    def _corrected(
        self, features: Features, batch: ClickBatch, prompts: Prompts
    ) -> tuple[Prompts, Float32[Tensor, "P H W"]]:
        """The prompts with clicks on the errors of the masks rated best, and those masks as logits."""
        logits, rated = self.network.decode(features, prompts)
        chosen = logits[torch.arange(len(rated), device=rated.device), rated.argmax(dim=1)]
        rows = zip(
            (chosen > 0).cpu().numpy(), (batch.wanted > 0.5).cpu().numpy(), batch.counted.cpu().numpy(), strict=True
        )
        clicks = [_as_row(correcting_click(*row)) for row in rows]
        added = torch.tensor(clicks, device=prompts.clicks.device)[:, None]
        previous = functional.avg_pool2d(chosen.sigmoid()[:, None], 4)[:, 0]
        return replace(prompts, clicks=torch.cat([prompts.clicks, added], dim=1), previous=previous), chosen


def mask_loss(
    logits: Float32[Tensor, "P 3 H W"], wanted: Float32[Tensor, "P H W"], counted: Bool[Tensor, "P H W"]
) -> Float32[Tensor, "P 3"]:
    """Focal loss (Lin et al. 2017) in the mean of the pixels that count, and their soft Dice."""
    target, weight = wanted[:, None].expand_as(logits), counted[:, None].float()
    nats = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    focus = (1 - (-nats).exp()) ** _FOCUS * weight
    focal = (nats * focus).sum((2, 3)) / weight.sum((2, 3)).clamp_min(1)
    made = logits.sigmoid() * weight
    both = (made * target).sum((2, 3))
    dice = 1 - (2 * both + 1) / (made.sum((2, 3)) + (target * weight).sum((2, 3)) + 1)
    return _FOCAL_WEIGHT * focal + dice


def overlap(
    found: Bool[Tensor, "P C H W"], wanted: Float32[Tensor, "P H W"], counted: Bool[Tensor, "P H W"]
) -> Float32[Tensor, "P C"]:
    """Intersection over union over the pixels that count; 1 where both are empty."""
    truth, valid = (wanted > 0.5)[:, None], counted[:, None]
    both, either = (found & truth & valid).sum((2, 3)), ((found | truth) & valid).sum((2, 3))
    return torch.where(either > 0, both / either.clamp_min(1), 1.0)


def _as_row(click: tuple[int, int, bool] | None) -> tuple[float, float, float]:
    """As in `Prompts.clicks`; no click is a place with no sign."""
    return (0.0, 0.0, 0.0) if click is None else (float(click[0]), float(click[1]), 1.0 if click[2] else -1.0)
