"""The cheapest cut between object and rest over superpixels, and which cuts are worth offering."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32

from core.perception.segmentation.regions import Regions

_UNITS = 1000.0
_HARD = 10_000_000


@dataclass(frozen=True)
class CutPrior:
    """How dear borders are: `smoothness` per mean border length, falling with strength by `sharpness`."""

    smoothness: float = 1.5
    sharpness: float = 2.0


def best_cut(
    regions: Regions,
    strength: Float32[np.ndarray, "E"],
    logit: Float32[np.ndarray, "R"],
    positive: Int32[np.ndarray, "P"],
    negative: Int32[np.ndarray, "N"],
    prior: CutPrior,
) -> Bool[np.ndarray, "R"]:
    """The labelling that trades belief (`logit`, times area) against cutting weak borders; seeds are kept."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    count = regions.count
    source, sink = count, count + 1
    unary = logit * regions.area * count
    unary = np.clip(unary * _UNITS, -_HARD, _HARD).astype(np.int64)
    unary[positive], unary[negative] = _HARD, -_HARD
    tie = prior.smoothness * regions.length / regions.length.mean() * (1 - strength) ** prior.sharpness
    tie = np.maximum(1, tie * _UNITS).astype(np.int64)
    a, b = regions.edges.T
    pro, contra = np.flatnonzero(unary > 0), np.flatnonzero(unary < 0)
    heads = np.concatenate([a, b, np.full(len(pro), source), contra])
    tails = np.concatenate([b, a, pro, np.full(len(contra), sink)])
    caps = np.concatenate([tie, tie, unary[pro], -unary[contra]]).astype(np.int32)
    graph = coo_matrix((caps, (heads, tails)), (count + 2, count + 2)).tocsr()
    residual = graph - maximum_flow(graph, source, sink).flow
    residual.eliminate_zeros()
    chosen = np.zeros(count + 2, bool)
    chosen[breadth_first_order(residual, source, return_predecessors=False)] = True
    return chosen[:count]


def touching_seeds(
    regions: Regions, chosen: Bool[np.ndarray, "R"], seeds: Int32[np.ndarray, "S"]
) -> Bool[np.ndarray, "R"]:
    """The connected parts of `chosen` that hold a seed, with their holes' parts left open."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    a, b = regions.edges.T
    both = chosen[a] & chosen[b]
    graph = coo_matrix((np.ones(int(both.sum()), np.int8), (a[both], b[both])), (regions.count, regions.count))
    _, part = connected_components(graph, directed=False)
    return chosen & np.isin(part, part[seeds])


def expected_overlap(
    chosen: Bool[np.ndarray, "R"], belief: Float32[np.ndarray, "R"], area: Float32[np.ndarray, "R"]
) -> float:
    """Intersection over union that the belief leads one to expect of a cut."""
    mass = belief * area
    return float(mass[chosen].sum() / (area[chosen].sum() + mass[~chosen].sum() + 1e-9))
