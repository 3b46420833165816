"""What clicks say about every region: distances through the picture, in colour and in space."""

import numpy as np
from jaxtyping import Float32, Int32

from core.perception.segmentation.regions import Regions

_FAR = 30.0


def border_strength(regions: Regions, weights: Float32[np.ndarray, "D"]) -> Float32[np.ndarray, "E"]:
    """Probability that an object ends between two neighbours; `weights` end with the bias."""
    logit = regions.contrast @ weights[:-1] + weights[-1]
    return (1 / (1 + np.exp(-logit))).astype(np.float32)


def geodesic(
    regions: Regions, cost: Float32[np.ndarray, "E"], seeds: Int32[np.ndarray, "S"]
) -> Float32[np.ndarray, "R"]:
    """Cheapest sum of border costs from any seed; capped."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    if len(seeds) == 0:
        return np.full(regions.count, _FAR, np.float32)
    a, b = regions.edges.T
    graph = coo_matrix((cost.astype(np.float64) + 1e-4, (a, b)), (regions.count, regions.count)).tocsr()
    distance = dijkstra(graph, directed=False, indices=seeds, min_only=True)
    return np.minimum(distance, _FAR).astype(np.float32)


def highest_pass(
    regions: Regions, strength: Float32[np.ndarray, "E"], seeds: Int32[np.ndarray, "S"]
) -> Float32[np.ndarray, "R"]:
    """The weakest border that every way from a seed must cross (minimax path), in cost units."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

    a, b = regions.edges.T
    graph = coo_matrix((strength.astype(np.float64) + 1e-6, (a, b)), (regions.count, regions.count)).tocsr()
    tree = minimum_spanning_tree(graph)
    tree = (tree + tree.T).tocsr()
    best = np.full(regions.count, _FAR, np.float64)
    for seed in seeds:
        order, parent = breadth_first_order(tree, int(seed), directed=False)
        height = np.zeros(regions.count)
        steps = np.asarray(tree[order[1:], parent[order[1:]]]).ravel()
        for node, up, step in zip(order[1:].tolist(), parent[order[1:]].tolist(), steps.tolist(), strict=True):
            height[node] = max(height[up], step)
        best = np.minimum(best, height)
    return best.astype(np.float32)


def rank_by_area(values: Float32[np.ndarray, "R"], area: Float32[np.ndarray, "R"]) -> Float32[np.ndarray, "R"]:
    """Share of the picture that has a smaller value."""
    order = np.argsort(values, kind="stable")
    rank = np.empty_like(values)
    rank[order] = np.cumsum(area[order]) - area[order]
    return rank


def appearance_distance(
    regions: Regions, seeds: Int32[np.ndarray, "S"]
) -> tuple[Float32[np.ndarray, "R 3"], Float32[np.ndarray, "R"]]:
    """Smallest Lab distance to a seed at the three scales, and texture distance at the middle one."""
    if len(seeds) == 0:
        return np.full((regions.count, 3), 1.0, np.float32), np.full(regions.count, 1.0, np.float32)
    colour = np.linalg.norm(regions.colour[:, None] - regions.colour[None, seeds], axis=3).min(1)
    root = np.sqrt(regions.texture[:, 1])
    texture = np.linalg.norm(root[:, None] - root[None, seeds], axis=2).min(1)
    return colour.astype(np.float32), texture.astype(np.float32)


def frame_likeness(regions: Regions) -> Float32[np.ndarray, "R"]:
    """How much each region looks like the outline of the picture (0..1), by colour at two scales."""
    likeness = np.zeros(regions.count, np.float32)
    on_frame = np.flatnonzero(regions.frame > 0)
    for scale, width in ((0, 0.06), (1, 0.06)):
        gap = regions.colour[:, None, scale] - regions.colour[None, on_frame, scale]
        near = np.exp(-(gap * gap).sum(2) / (2 * width * width))
        likeness += 0.5 * (near * regions.frame[on_frame]).sum(1)
    return likeness


def click_evidence(
    regions: Regions,
    strength: Float32[np.ndarray, "E"],
    positive: Int32[np.ndarray, "P"],
    negative: Int32[np.ndarray, "N"],
) -> Float32[np.ndarray, "R F"]:
    """All evidence per region, every column about 0..1 or a few units wide."""
    cost = -np.log1p(-np.minimum(strength, 0.98))
    on_frame = np.flatnonzero(regions.frame > 0).astype(np.int32)
    likeness = frame_likeness(regions)
    way, out = geodesic(regions, cost, positive), geodesic(regions, cost, on_frame)
    barrier = highest_pass(regions, cost, positive)
    barred = geodesic(regions, cost, negative)
    colour, texture = appearance_distance(regions, positive)
    colour_away, texture_away = appearance_distance(regions, negative)
    first = positive[:1]
    place = regions.centre - regions.centre[first].mean(0)
    nearest = np.linalg.norm(regions.centre[:, None] - regions.centre[None, positive], axis=2).min(1)
    here_out, here_like = out[first].mean(), likeness[first].mean()
    ones = np.ones(regions.count, np.float32)
    columns = [
        np.exp(-way),
        np.exp(-way / 3),
        np.sqrt(way),
        rank_by_area(way, regions.area),
        np.exp(-out),
        np.sqrt(out),
        way / (way + out + 0.1),
        np.exp(-3 * barrier),
        np.sqrt(barrier),
        rank_by_area(barrier, regions.area),
        np.exp(-barred),
        np.exp(-barred / 3),
        barred / (way + barred + 0.1),
        *np.sqrt(colour).T,
        np.sqrt(texture),
        *(np.exp(-4 * colour_away)).T,
        np.exp(-4 * texture_away),
        np.sqrt(nearest),
        nearest,
        np.abs(place[:, 0]),
        place[:, 1],
        likeness,
        np.sqrt(likeness),
        here_like * ones,
        np.exp(-here_out) * ones,
        np.abs(likeness - here_like),
        (regions.frame > 0).astype(np.float32),
        np.sqrt(regions.frame[first].sum()) * ones,
        np.abs(out - here_out) / (out + here_out + 0.1),
    ]
    return np.stack(columns, 1).astype(np.float32)


def likeness_kernels(regions: Regions) -> Float32[np.ndarray, "K R R"]:
    """How alike two regions look (0..1): narrow in own colour, wider in surroundings with texture."""
    kernels = []
    for scale, width in ((0, 0.04), (1, 0.05)):
        look = np.concatenate([regions.colour[:, scale] / width, np.sqrt(regions.texture[:, 1]) / 0.06], 1)
        square = (look * look).sum(1)
        gap = np.maximum(square[:, None] + square[None] - 2 * look @ look.T, 0)
        kernels.append(np.exp(-0.5 * gap))
    return np.stack(kernels).astype(np.float32)


def context_evidence(
    regions: Regions,
    strength: Float32[np.ndarray, "E"],
    kernels: Float32[np.ndarray, "K R R"],
    belief: Float32[np.ndarray, "R"],
) -> Float32[np.ndarray, "R F"]:
    """A second look, given a first belief: colour models of object and rest, neighbours, way to sure regions."""
    from scipy.sparse import coo_matrix

    cost = -np.log1p(-np.minimum(strength, 0.98))
    object_mass, rest_mass = belief * regions.area, (1 - belief) * regions.area
    masses = np.stack([object_mass, rest_mass], 1).astype(np.float32)
    columns = [np.log(belief + 0.01) - np.log(1.01 - belief), belief]
    for kernel in kernels:
        ours, theirs = (kernel @ masses).T
        balance = (ours / object_mass.sum() + 0.01) / (theirs / rest_mass.sum() + 0.01)
        columns += [np.log(balance), ours / (ours + theirs + 1e-6)]
    a, b = regions.edges.T
    tie = regions.length * (1 - strength) ** 2
    ties = coo_matrix((tie, (a, b)), (regions.count, regions.count)).tocsr()
    ties = ties + ties.T
    total = np.asarray(ties.sum(1)).ravel() + 1e-6
    smooth = belief
    for _ in range(2):
        smooth = (ties @ smooth) / total
        columns.append(smooth)
    order = np.argsort(-belief, kind="stable")
    sure = order[: max(1, int((belief > 0.85).sum()))].astype(np.int32)
    surely_not = order[-max(1, int((belief < 0.15).sum())) :].astype(np.int32)
    way, out = geodesic(regions, cost, sure), geodesic(regions, cost, surely_not)
    columns += [np.exp(-way), np.exp(-out), way / (way + out + 0.1)]
    ones = np.ones(regions.count, np.float32)
    columns += [np.sqrt(object_mass.sum()) * ones]
    return np.stack(columns, 1).astype(np.float32)
