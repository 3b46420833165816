"""Masks by click without a network: fitted evidence over superpixels, graph cuts, guided edges."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.errors import InvalidInput
from core.perception.segmentation import fitted
from core.perception.segmentation.evidence import (
    border_strength,
    click_evidence,
    context_evidence,
    likeness_kernels,
)
from core.perception.segmentation.hypotheses import propose, rank
from core.perception.segmentation.obey import obeying
from core.perception.segmentation.prompts import Seeds, check_prompt, outside_box, seeds_of
from core.perception.segmentation.refine import guide_picture, refine_edge
from core.perception.segmentation.regions import Regions, build_regions, work_picture
from core.types.mask import Mask, Prompt
from core.types.photo import Photo
from core.types.protocols import BackendInfo, Embedding

_CANDIDATES = 3
_DISTINCT = 0.85
_BELIEF_IN_PREVIOUS = 0.3


@dataclass(frozen=True)
class Prepared:
    """The payload of an embedding: everything about a photo that no prompt changes."""

    regions: Regions
    strength: Float32[np.ndarray, "E"]
    kernels: Float32[np.ndarray, "K R R"]
    guide: UInt8[np.ndarray, "g k 3"]
    width: int
    height: int


class GraphCut:
    """SegmentationBackend; classical, deterministic, two CPU cores, no download."""

    info = BackendInfo("graphcut", "Colour and edge cut (no network)", "MIT")

    def prepare(self, photo: Photo) -> Embedding:
        """Superpixels, border strengths and likeness of one photo; 0.1 to 0.5 s."""
        regions = build_regions(work_picture(photo.srgb))
        prepared = Prepared(
            regions=regions,
            strength=border_strength(regions, fitted.BORDER),
            kernels=likeness_kernels(regions),
            guide=guide_picture(photo.srgb),
            width=photo.width,
            height=photo.height,
        )
        return Embedding(self.info.name, photo.id, prepared, _size(prepared))

    def segment(self, embedding: Embedding, prompt: Prompt) -> list[Mask]:
        """Up to three masks, best first. Raises InvalidInput on an empty, contradictory or outside prompt."""
        prepared = embedding.payload
        if not isinstance(prepared, Prepared):
            raise InvalidInput(f"This photo was prepared by {embedding.backend!r}, not by {self.info.name!r}; redo it.")
        check_prompt(prompt, prepared.width, prepared.height)
        regions = prepared.regions
        seeds = seeds_of(prompt, regions, prepared.strength, prepared.width, prepared.height)
        cuts, scores = _answers(prepared, seeds)
        masks = []
        for index in _distinct(cuts, scores, regions.area):
            coverage = _coverage(prepared, cuts[index], prompt)
            masks.append(Mask(coverage, source=self.info.title, score=float(np.clip(scores[index], 0, 1))))
        return masks


def _answers(prepared: Prepared, seeds: Seeds) -> tuple[list[Bool[np.ndarray, "R"]], Float32[np.ndarray, "C"]]:
    """All proposed cuts with their scores."""
    regions, strength, kernels = prepared.regions, prepared.strength, prepared.kernels
    weights = fitted.FIRST if len(seeds.positive) + len(seeds.negative) == 1 else fitted.LATER
    first = click_evidence(regions, strength, seeds.positive, seeds.negative)
    belief = _sigmoid(first @ weights.click[:-1] + weights.click[-1])

    def second_look(before: np.ndarray) -> np.ndarray:
        context = context_evidence(regions, strength, kernels, before.astype(np.float32))
        logit = np.concatenate([first, context], 1) @ weights.context[:-1] + weights.context[-1]
        if seeds.previous is not None:
            logit = logit + _BELIEF_IN_PREVIOUS * (2 * seeds.previous - 1)
        if seeds.box is not None:
            logit = np.where(outside_box(seeds.box, regions), -9.0, logit)
        return logit.astype(np.float32)

    logit = second_look(belief)
    cuts = propose(regions, strength, logit, seeds.positive, seeds.negative, second_look)
    return cuts, rank(regions, strength, kernels, logit, seeds, cuts, weights.score)


def _distinct(cuts: list[Bool[np.ndarray, "R"]], scores: Float32[np.ndarray, "C"], area: np.ndarray) -> list[int]:
    """The best cuts that differ visibly from each other, best first."""
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable").tolist():
        overlaps = [area[cuts[index] & cuts[other]].sum() / area[cuts[index] | cuts[other]].sum() for other in kept]
        if all(overlap < _DISTINCT for overlap in overlaps):
            kept.append(index)
        if len(kept) == _CANDIDATES:
            break
    return kept


def _coverage(prepared: Prepared, chosen: Bool[np.ndarray, "R"], prompt: Prompt) -> UInt8[np.ndarray, "H W"]:
    """The cut at the photo's size, its edge refined, every click obeyed to the pixel and the box kept."""
    coarse = (chosen[prepared.regions.labels] * np.uint8(255)).astype(np.uint8)
    coverage = refine_edge(coarse, prepared.guide, prepared.width, prepared.height)
    return obeying(coverage, prompt)


def _sigmoid(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logit))


def _size(prepared: Prepared) -> int:
    return prepared.regions.size_bytes + sum(a.nbytes for a in (prepared.strength, prepared.kernels, prepared.guide))
