"""From scores to tokens: the reference's filter, explicit generators, and exact acceptance of drafts."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from core.errors import InvalidInput


@dataclass(frozen=True)
class Sampling:
    """Temperature 0 takes the best token. `top_k` and `top_p` None keep every token. Raises InvalidInput."""

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise InvalidInput(f"The temperature must be 0 or more, got {self.temperature}.")
        if self.top_k is not None and self.top_k < 1:
            raise InvalidInput(f"top_k must be 1 or more, got {self.top_k}.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise InvalidInput(f"top_p must lie above 0 and up to 1, got {self.top_p}.")

    @property
    def greedy(self) -> bool:
        return self.temperature == 0


GREEDY = Sampling(temperature=0)
# A wrong draft ends the filtering, which costs more than scoring.
_FILTERED_AT_ONCE = 8


def probabilities(logits: Float[Tensor, "*N V"], sampling: Sampling) -> Float[Tensor, "*N V"]:
    """The filtered distribution, float32 or wider; greedy puts everything on the first maximum."""
    if sampling.greedy:
        best = logits.argmax(-1, keepdim=True)
        return torch.zeros_like(logits, dtype=_wide(logits)).scatter_(-1, best, 1.0)
    chances, tokens = _filtered(logits, sampling)
    return chances if tokens is None else torch.zeros_like(logits, dtype=chances.dtype).scatter_(-1, tokens, chances)


def _filtered(
    logits: Float[Tensor, "*N V"], sampling: Sampling
) -> tuple[Float[Tensor, "*N K"], Int64[Tensor, "*N K"] | None]:
    """Chances of the tokens that a filter leaves, with those tokens; None is all of them in order.

    Order as released: temperature, top-k (ties at the k-th value all stay), top-p on what is left.
    """
    scores = logits / sampling.temperature
    if sampling.top_k is None and sampling.top_p is None:
        return scores.to(_wide(logits)).softmax(-1), None
    ranked, tokens = _survivors(scores, sampling.top_k)
    ranked = ranked.to(_wide(logits))
    if sampling.top_p is not None:
        shares = ranked.softmax(-1)
        ranked = ranked.masked_fill(shares.cumsum(-1) - shares > sampling.top_p, float("-inf"))
    return ranked.softmax(-1), tokens


def _survivors(scores: Float[Tensor, "*N V"], top_k: int | None) -> tuple[Float[Tensor, "*N K"], Int64[Tensor, "*N K"]]:
    """Scores in falling order with their tokens: all, or the best `top_k` and what ties with the last of them."""
    if top_k is None or top_k >= scores.shape[-1]:
        return scores.sort(dim=-1, descending=True, stable=True)
    kth = torch.topk(scores, top_k).values[..., -1:]
    most = int((scores >= kth).sum(-1).max())
    # Equals come in the vocabulary's order, as when everything is sorted.
    tokens = torch.topk(scores, most).indices.sort(dim=-1).values
    ranked, places = scores.gather(-1, tokens).sort(dim=-1, descending=True, stable=True)
    return ranked.masked_fill(ranked < kth, float("-inf")), tokens.gather(-1, places)


def draw(logits: Float[Tensor, "*N V"], sampling: Sampling, generator: torch.Generator | None) -> Int64[Tensor, "*N"]:
    """One token for each row."""
    if sampling.greedy:
        return logits.argmax(-1)
    chances, tokens = _filtered(logits, sampling)
    places = _drawn(chances, generator)
    return places if tokens is None else tokens.gather(-1, places[..., None])[..., 0]


def _drawn(chances: Float[Tensor, "*N K"], generator: torch.Generator | None) -> Int64[Tensor, "*N"]:
    """One place for each row by its share of the row's sum: one random number a row, where multinomial takes K."""
    reached = chances.cumsum(-1)
    luck = torch.rand(chances.shape[:-1], generator=generator, dtype=chances.dtype, device=chances.device)
    whole = reached[..., -1:]
    places = torch.searchsorted(reached, luck[..., None] * whole, right=True)
    # Rounded up to the whole, luck would fall behind the last place that has a chance.
    return torch.minimum(places, (reached < whole).sum(-1, keepdim=True))[..., 0]


def accept(
    logits: Float[Tensor, "N V"],
    drafts: Int64[Tensor, "N"],
    sampling: Sampling,
    generator: torch.Generator | None,
) -> tuple[int, int | None]:
    """How many leading drafts hold, and the token in place of the first that does not (None when all hold).

    Speculative sampling with a draft that is certain of itself (Leviathan et al. 2023, algorithm 1): a draft x
    holds with the model's own p(x), else the token is drawn from p without x. The tokens so had are distributed
    as if the model had drawn them one by one.
    """
    if sampling.greedy:
        best = logits.argmax(-1)
        wrong = (best != drafts).nonzero()
        return (len(drafts), None) if len(wrong) == 0 else (int(wrong[0]), int(best[wrong[0, 0]]))
    luck = torch.rand(drafts.shape, generator=generator, dtype=_wide(logits), device=drafts.device)
    for start in range(0, len(drafts), _FILTERED_AT_ONCE):
        part = slice(start, start + _FILTERED_AT_ONCE)
        chances = probabilities(logits[part], sampling)
        wrong = (luck[part] >= chances.gather(-1, drafts[part, None])[:, 0]).nonzero()
        if len(wrong):
            first = int(wrong[0])
            rest = chances[first].index_fill(0, drafts[start + first], 0)
            return start + first, int(_drawn(rest, generator))
    return len(drafts), None


def entropy(logits: Float[Tensor, "*N V"]) -> Float[Tensor, "*N"]:
    """How unsure the network is of each token, in nats, before any filter; 0 when certain."""
    return torch.special.entr(logits.softmax(-1, dtype=_wide(logits))).sum(-1)


def _wide(logits: Tensor) -> torch.dtype:
    return torch.promote_types(logits.dtype, torch.float32)
