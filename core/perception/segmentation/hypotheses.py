"""Several answers to one prompt, and what speaks for each of them."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float32, Int32

from core.perception.segmentation.cut import CutPrior, best_cut, expected_overlap, touching_seeds
from core.perception.segmentation.prompts import Seeds
from core.perception.segmentation.regions import Regions

_BIASES = (-3.5, -2.5, -1.75, -1.0, -0.5, 0.0, 0.75)
_PRIORS = (CutPrior(3.0), CutPrior(12.0))
_AGAIN = CutPrior(6.0)
_RETRIED = 6
_AGREEMENT_WITH_PREVIOUS = 0.1
_FIT_TO_BOX = 0.6


def propose(
    regions: Regions,
    strength: Float32[np.ndarray, "E"],
    logit: Float32[np.ndarray, "R"],
    positive: Int32[np.ndarray, "P"],
    negative: Int32[np.ndarray, "N"],
    second_look: Callable[[np.ndarray], np.ndarray],
) -> list[Bool[np.ndarray, "R"]]:
    """Distinct cuts from cautious to generous, each connected to a positive seed.

    The last few (the smoother, more generous ones) are also tried as their own belief: `second_look`
    turns such a cut into a new logit with its own colours, which is cut again.
    """
    found: dict[bytes, np.ndarray] = {}

    def keep(values: np.ndarray, prior: CutPrior) -> None:
        chosen = touching_seeds(regions, best_cut(regions, strength, values, positive, negative, prior), positive)
        found.setdefault(chosen.tobytes(), chosen)

    for prior in _PRIORS:
        for bias in _BIASES:
            keep(logit + np.float32(bias), prior)
    belief = 1 / (1 + np.exp(-logit))
    for chosen in list(found.values())[-_RETRIED:]:
        keep(second_look(0.7 * np.where(chosen, 0.9, 0.1) + 0.3 * belief) - np.float32(0.5), _AGAIN)
    return list(found.values())


def rank(
    regions: Regions,
    strength: Float32[np.ndarray, "E"],
    kernels: Float32[np.ndarray, "K R R"],
    logit: Float32[np.ndarray, "R"],
    seeds: Seeds,
    cuts: list[Bool[np.ndarray, "R"]],
    weights: Float32[np.ndarray, "D"],
) -> Float32[np.ndarray, "C"]:
    """Predicted overlap with what the user means, about 0..1."""
    score = describe(regions, strength, kernels, logit, seeds.positive, cuts) @ weights[:-1] + weights[-1]
    if seeds.previous is not None:
        before = seeds.previous * regions.area
        shared = np.array([before[cut].sum() / (regions.area[cut].sum() + before[~cut].sum()) for cut in cuts])
        score = (score + _AGREEMENT_WITH_PREVIOUS * shared) / (1 + _AGREEMENT_WITH_PREVIOUS)
    if seeds.box is not None:
        fit = np.array([_box_overlap(regions, cut, seeds.box) for cut in cuts])
        score = (score + _FIT_TO_BOX * fit) / (1 + _FIT_TO_BOX)
    return score.astype(np.float32)


def _box_overlap(regions: Regions, cut: Bool[np.ndarray, "R"], box: tuple[float, float, float, float]) -> float:
    """Intersection over union of the cut's own box with the user's."""
    chosen = cut[regions.labels]
    columns, rows = np.flatnonzero(chosen.any(0)), np.flatnonzero(chosen.any(1))
    own = (columns[0], rows[0], columns[-1], rows[-1])
    wide = max(0.0, min(own[2], box[2]) - max(own[0], box[0]) + 1)
    tall = max(0.0, min(own[3], box[3]) - max(own[1], box[1]) + 1)
    areas = [(b[2] - b[0] + 1) * (b[3] - b[1] + 1) for b in (own, box)]
    return float(wide * tall / (sum(areas) - wide * tall))


def _mean_overlap(masses: Float32[np.ndarray, "C R"]) -> Float32[np.ndarray, "C"]:
    """How much each cut agrees with all of them, by intersection over union."""
    common = np.minimum(masses[:, None], masses[None]).sum(2)
    union = masses.sum(1)[:, None] + masses.sum(1)[None] - common
    return (common / union).mean(1)


def describe(
    regions: Regions,
    strength: Float32[np.ndarray, "E"],
    kernels: Float32[np.ndarray, "K R R"],
    logit: Float32[np.ndarray, "R"],
    positive: Int32[np.ndarray, "P"],
    cuts: list[Bool[np.ndarray, "R"]],
) -> Float32[np.ndarray, "C F"]:
    """What the score is made of: fit to the belief, edge along the border, colour separation, shape, agreement."""
    belief = 1 / (1 + np.exp(-logit))
    area = regions.area
    masses = np.stack([cut * area for cut in cuts]).astype(np.float32)
    agreement = _mean_overlap(masses)
    a, b = regions.edges.T
    likeness = kernels[0] @ np.concatenate([masses, area - masses]).T
    rows = []
    for index, cut in enumerate(cuts):
        border = cut[a] != cut[b]
        within = cut[a] & cut[b]
        length = regions.length[border].sum() + 1e-6
        edge = (strength * regions.length)[border].sum() / length
        calm = (strength * regions.length)[within].sum() / (regions.length[within].sum() + 1e-6)
        weak = (regions.length[border] * (strength[border] < 0.3)).sum() / length
        size = area[cut].sum()
        sizes = size * regions.labels.size
        framed = regions.frame[cut].sum()
        ours, theirs = likeness[cut, index], likeness[cut, len(cuts) + index]
        separate = (area[cut] * (ours / (ours + theirs + 1e-6))).sum() / (size + 1e-6)
        middle = (regions.centre[cut] * area[cut, None]).sum(0) / (size + 1e-6)
        off = np.linalg.norm(regions.centre[positive].mean(0) - middle)
        scale = np.sqrt(sizes) / max(regions.labels.shape)
        rim = np.unique(np.concatenate([a[border], b[border]]))
        depth = (
            np.linalg.norm(regions.centre[rim][:, None] - regions.centre[positive][None], axis=2).min(0)
            if len(rim)
            else np.ones(1)
        )
        rows.append(
            [
                expected_overlap(cut, belief, area),
                (belief * area)[cut].sum() / (size + 1e-6),
                (belief * area)[~cut].sum() / (area[~cut].sum() + 1e-6),
                edge,
                calm,
                edge - calm,
                weak,
                separate,
                np.sqrt(size),
                size,
                np.log(size + 1e-4),
                framed,
                np.sqrt(framed),
                length / np.sqrt(sizes + 1) / 4,
                off / (scale + 0.02),
                depth.min() / (scale + 0.02),
                agreement[index],
            ]
        )
    return np.array(rows, np.float32)
