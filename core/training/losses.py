"""What training makes small: cross-entropy of codes for transformers; reconstruction and code use for quantizers."""

import math

import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from core.lras.config import Span
from core.lras.quantizer import Quantizer, denormalise_rgb
from core.lras.transformer import Transformer
from core.nets.lpips import Lpips
from core.training.config import QuantizerLoss
from core.training.sequences import SequenceBatch

Figures = dict[str, Tensor]

# Scores in float32 that exist at once; more are computed part by part, and again for the gradient.
_SCORES_AT_ONCE = 1 << 26
# Bits whose joint use is counted exactly; longer codes are counted in groups of so many.
_JOINT_BITS = 10
_TOKENS_COUNTED = 4096
_TINY = 1e-9


class SequenceLoss(nn.Module):
    """Cross-entropy of a transformer's target codes, over their own range of the vocabulary only.

    Every sample counts the same, so that batches of a step, and processes, add up to one large batch.
    """

    def __init__(self, network: Transformer, codes: Span, revealed_weight: float) -> None:
        super().__init__()
        self.network = network
        self.codes = codes
        self.revealed_weight = revealed_weight

    def forward(self, batch: SequenceBatch) -> Figures:
        """`loss`, with less weight on what is revealed; of the rest alone, `decoded` (nats) and `accuracy`."""
        hidden = self.network(batch.tokens, batch.positions)
        wanted = hidden.gather(1, batch.rows[..., None].expand(-1, -1, hidden.shape[-1]))
        nats, hits = self._cross_entropy(wanted.flatten(0, 1), batch.labels.flatten())
        decoded = (batch.present & ~batch.revealed).float()
        weights = decoded + self.revealed_weight * (batch.present & batch.revealed)
        return {
            "loss": _mean(nats, weights),
            "decoded": _mean(nats, decoded).detach(),
            "accuracy": _mean(hits, decoded),
        }

    def _cross_entropy(
        self, hidden: Float[Tensor, "N C"], labels: Int64[Tensor, "N"]
    ) -> tuple[Float32[Tensor, "N"], Float32[Tensor, "N"]]:
        at_once = max(1, _SCORES_AT_ONCE // self.codes.size)
        if len(hidden) <= at_once:
            return self._scored(hidden, labels)
        parts = [
            checkpoint(self._scored, part, wanted, use_reentrant=False)
            for part, wanted in zip(hidden.split(at_once), labels.split(at_once), strict=True)
        ]
        nats, hits = zip(*parts, strict=True)  # type: ignore[arg-type] - checkpoint returns what it is given
        return torch.cat(nats), torch.cat(hits)

    def _scored(
        self, hidden: Float[Tensor, "N C"], labels: Int64[Tensor, "N"]
    ) -> tuple[Float32[Tensor, "N"], Float32[Tensor, "N"]]:
        scores = self.network.logits(hidden, self.codes).float()
        nats = functional.cross_entropy(scores, labels, reduction="none")
        return nats, (scores.detach().argmax(-1) == labels).float()


def _mean(values: Float32[Tensor, "M"], weights: Float32[Tensor, "B N"]) -> Float32[Tensor, ""]:
    """The samples' weighted means, averaged."""
    return ((values.view_as(weights) * weights).sum(-1) / weights.sum(-1)).mean()


class ReconstructionLoss(nn.Module):
    """An autoencoder's error, and terms that make it use all its codes and decide clearly (Yu et al. 2024)."""

    def __init__(self, network: Quantizer, settings: QuantizerLoss, judge: Lpips | None = None) -> None:
        super().__init__()
        self.network = network
        self.settings = settings
        self.judge = judge

    def forward(self, images: Float[Tensor, "B C H W"]) -> Figures:
        """`loss`; `reconstruction`, of the `absolute` and `squared` error of normalised images; `variety` in nats.

        With a judge, LPIPS (`perceptual`) is part of the reconstruction.
        """
        made = self.network(images)
        settings, bits = self.settings, made.bits.flatten(0, -2)
        rebuilt = made.images.float()
        absolute, squared = functional.l1_loss(rebuilt, images), functional.mse_loss(rebuilt, images)
        doubt, variety = code_entropies(bits, settings.sharpness)
        places = self.network.quantizer.straight_through(made.bits).detach()
        commitment = bits.shape[-1] * functional.mse_loss(made.bits, places)
        reconstruction = settings.absolute_weight * absolute + settings.squared_weight * squared
        figures = {"absolute": absolute, "squared": squared, "variety": variety}
        if self.judge is not None:
            seen = self.judge(denormalise_rgb(rebuilt), denormalise_rgb(images)).mean()
            reconstruction = reconstruction + settings.perceptual_weight * seen
            figures["perceptual"] = seen
        loss = reconstruction + settings.entropy_weight * doubt - settings.diversity_weight * variety
        loss = loss + settings.commitment_weight * commitment
        figures["reconstruction"] = reconstruction
        return {"loss": loss, **{name: value.detach() for name, value in figures.items()}}


def code_entropies(bits: Float[Tensor, "N K"], sharpness: float) -> tuple[Float32[Tensor, ""], Float32[Tensor, ""]]:
    """Mean doubt about a vector's own code, and the entropy of all vectors' mean distribution, in nats.

    A bit is set with the chance sigmoid(sharpness * value * sqrt(K)), independently of the others. Codes of more than
    ten bits are taken in groups of bits, whose entropies are added up.
    """
    scores = sharpness * math.sqrt(bits.shape[-1]) * bits.float()
    logs = torch.stack([functional.logsigmoid(-scores), functional.logsigmoid(scores)], dim=-1)
    doubt = -(logs.exp() * logs).sum(dim=(-1, -2)).mean()
    stride = max(1, len(bits) // _TOKENS_COUNTED)
    chances = logs[::stride].exp()
    variety = scores.new_zeros(())
    for group in chances.split(_JOINT_BITS, dim=1):
        joint = group[:, 0]
        for bit in range(1, group.shape[1]):
            joint = (joint[:, :, None] * group[:, bit, None, :]).flatten(1)
        mean = joint.mean(0)
        variety = variety - (mean * (mean + _TINY).log()).sum()
    return doubt, variety


def perplexity(codes: Int64[Tensor, "*N"], size: int) -> Float32[Tensor, ""]:
    """How many codes are in use, if all were used equally: the exponential of their entropy."""
    share = torch.bincount(codes.flatten(), minlength=size).float()
    share = share / share.sum()
    return (-(share * (share + _TINY).log()).sum()).exp()
