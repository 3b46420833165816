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
# Of so many scores temporary copies fit into a CPU's cache; fewer at once would make threads wait for each other more
# often. A GPU takes all.
_SCORES_AT_ONCE = {"cpu": 1 << 21}
# Blocks of the vocabulary for each token that top-k keeps: more leave fewer candidates and cost more to rank.
_BLOCKS_A_TOKEN = 4
# The exponential of anything below is nothing beside 1.
_NEGLIGIBLE = -104.0


def probabilities(logits: Float[Tensor, "*N V"], sampling: Sampling) -> Float[Tensor, "*N V"]:
    """The filtered distribution, float32 or wider; greedy puts everything on the first maximum."""
    if sampling.greedy:
        best = best_token(logits)[..., None]
        return torch.zeros_like(logits, dtype=_wide(logits)).scatter_(-1, best, 1.0)
    rows = logits.reshape(-1, logits.shape[-1])
    chances, tokens = _filtered(rows, sampling)
    if tokens is not None:
        # Added, as what fills up a row repeats its first token with no chance at all.
        chances = torch.zeros_like(rows, dtype=chances.dtype).scatter_add_(-1, tokens, chances)
    return chances.view(logits.shape)


def _filtered(
    logits: Float[Tensor, "N V"], sampling: Sampling
) -> tuple[Float[Tensor, "N K"], Int64[Tensor, "N K"] | None]:
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


def _survivors(scores: Float[Tensor, "N V"], top_k: int | None) -> tuple[Float[Tensor, "N K"], Int64[Tensor, "N K"]]:
    """Scores in falling order with their tokens: all, or the best `top_k` and what ties with the last of them.

    Equals come in the vocabulary's order.
    """
    if top_k is None or top_k >= scores.shape[-1]:
        return scores.sort(dim=-1, descending=True, stable=True)
    found, tokens = _candidates(scores, _below_kth(scores, top_k))
    ranked, places = found.sort(dim=-1, descending=True, stable=True)
    kth = ranked[:, top_k - 1 : top_k]
    most = int((ranked >= kth).sum(-1).max())
    ranked, places = ranked[:, :most].contiguous(), places[:, :most]
    return ranked.masked_fill(ranked < kth, float("-inf")), tokens.gather(-1, places)


def _below_kth(scores: Float[Tensor, "N V"], top_k: int) -> Float[Tensor, "N 1"]:
    """At most each row's k-th largest score, and not far from it: the k-th largest of the maxima of many blocks.

    k blocks have maxima of at least that much, and a maximum is one of the scores.
    """
    size = scores.shape[-1] // (_BLOCKS_A_TOKEN * top_k)
    if size < 2:
        return scores.topk(top_k).values[:, -1:]
    count = scores.shape[-1] // size
    # A block is every count-th score: as a reduction over rows of memory that takes a tenth of the time.
    maxima = scores[:, : size * count].view(-1, size, count).amax(1)
    return maxima.topk(top_k).values[:, -1:]


def _candidates(
    scores: Float[Tensor, "N V"], least: Float[Tensor, "N 1"]
) -> tuple[Float[Tensor, "N M"], Int64[Tensor, "N M"]]:
    """Scores that are not below `least` with their tokens, in the vocabulary's order.

    Rows with fewer than others are filled up with token 0 at minus infinity.
    """
    rows, tokens = (scores >= least).nonzero(as_tuple=True)
    counts = rows.bincount(minlength=len(scores))
    places = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[rows]
    shape = len(scores), int(counts.max())
    found = scores.new_full(shape, float("-inf")).index_put_((rows, places), scores[rows, tokens])
    return found, tokens.new_zeros(shape).index_put_((rows, places), tokens)


def best_token(logits: Float[Tensor, "*N V"]) -> Int64[Tensor, "*N"]:
    """The first of the best. On a CPU `argmax` would take three times as long, seven times in bfloat16."""
    return logits.to(_wide(logits)).max(-1).indices


def draw(logits: Float[Tensor, "*N V"], sampling: Sampling, generator: torch.Generator | None) -> Int64[Tensor, "*N"]:
    """One token for each row."""
    if sampling.greedy:
        return best_token(logits)
    rows = logits.reshape(-1, logits.shape[-1])
    luck = torch.rand(len(rows), generator=generator, dtype=_wide(logits), device=logits.device)
    at_once = _rows_at_once(rows)
    parts = zip(rows.split(at_once), luck.split(at_once), strict=True)
    return torch.cat([_drawn_token(*part, sampling) for part in parts]).view(logits.shape[:-1])


def _drawn_token(logits: Float[Tensor, "N V"], luck: Float[Tensor, "N"], sampling: Sampling) -> Int64[Tensor, "N"]:
    chances, tokens = _filtered(logits, sampling)
    places = _drawn(chances, luck)
    return places if tokens is None else tokens.gather(-1, places[..., None])[..., 0]


def _drawn(chances: Float[Tensor, "*N K"], luck: Float[Tensor, "*N"]) -> Int64[Tensor, "*N"]:
    """One place for each row by its share of the row's sum: one random number a row, where multinomial takes K."""
    reached = chances.cumsum(-1)
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
        best = best_token(logits)
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
            again = torch.rand((), generator=generator, dtype=rest.dtype, device=rest.device)
            return start + first, int(_drawn(rest, again))
    return len(drafts), None


def entropy(logits: Float[Tensor, "*N V"]) -> Float[Tensor, "*N"]:
    """How unsure the network is of each token, in nats, before any filter; 0 when certain."""
    rows = logits.reshape(-1, logits.shape[-1])
    return torch.cat([_entropy(part) for part in rows.split(_rows_at_once(rows))]).view(logits.shape[:-1])


def _entropy(logits: Float[Tensor, "N V"]) -> Float[Tensor, "N"]:
    """Log Z - E[score], of scores whose largest is 0."""
    wide = logits.to(_wide(logits))
    scores = (wide - wide.amax(-1, keepdim=True)).clamp_min_(_NEGLIGIBLE)
    shares = scores.exp()
    whole = shares.sum(-1)
    return (whole.log() - scores.mul_(shares).sum(-1) / whole).clamp_min_(0)


def _rows_at_once(rows: Float[Tensor, "N V"]) -> int:
    return max(1, _SCORES_AT_ONCE.get(rows.device.type, rows.numel()) // rows.shape[-1])


def _wide(logits: Tensor) -> torch.dtype:
    return torch.promote_types(logits.dtype, torch.float32)
