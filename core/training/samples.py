"""Samples as pure functions of the seed and their number: the same on every machine, in any order, in any process."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from core.errors import InvalidInput
from core.lras.config import TransformerConfig
from core.lras.flow_patches import flow_grid
from core.lras.layout import camera_codes, flow_to_bins
from core.maths.optical_flow import OpticalFlow, dense_inverse_search
from core.maths.rigid import compose, invert
from core.training.config import TrainConfig
from core.training.crops import Square, draw_cut, mirrored, square
from core.training.draws import Draw, draw_sequence
from core.training.packed import PackedClip, PackedSet
from core.training.pairs import Pair, draw_motion, frame_pair, moved_camera_flow, object_pair, warp_pair, without_gaps
from core.training.rendered_pairs import rendered_pair
from core.training.synthetic import Levels, place_textures

_MIRRORED_SHARE = 0.5
_TRIES = 16
_Frames = tuple[PackedClip, int, int]


@runtime_checkable
class SampleMaker(Protocol):
    """`make(i, held_out)` is sample i of the training or of the held-out stream, drawn from `packed`."""

    @property
    def packed(self) -> PackedSet: ...

    def make(self, index: int, held_out: bool = False) -> Any: ...

    def check(self) -> None:
        """Raises InvalidInput when the data cannot give such samples."""
        ...


@runtime_checkable
class DraftMaker(Protocol):
    """`make(i, held_out)` is a pair whose source is a draft of the target."""

    def make(self, index: int, held_out: bool) -> Pair: ...

    def check(self) -> None:
        """Raises InvalidInput when the data or the settings do not fit."""
        ...


@dataclass(frozen=True, eq=False)
class PairSample:
    """For a network with binned flow: pictures, bins (x, y) of every cell, and what is shown of them."""

    source: UInt8[np.ndarray, "S S 3"]
    target: UInt8[np.ndarray, "S S 3"]
    bins: Int64[np.ndarray, "2 s s"]
    draw: Draw


@dataclass(frozen=True, eq=False)
class FlowSample:
    """For a network with a camera: a picture, the flow (x, y) in its pixels, and the motion's codes if known."""

    source: UInt8[np.ndarray, "S S 3"]
    flow: Float32[np.ndarray, "2 S S"]
    camera: Int64[np.ndarray, "7"] | None
    draw: Draw


@dataclass(frozen=True)
class Drawer:
    """Cuts squares and pairs out of packed pictures. Clips are held out whole, chosen by their names."""

    packed: PackedSet
    config: TrainConfig
    optical_flow: OpticalFlow = dense_inverse_search

    def random(self, index: int, held_out: bool) -> np.random.Generator:
        return np.random.default_rng([self.config.run.seed, int(held_out), index])

    def clips(self, held_out: bool) -> tuple[PackedClip, ...]:
        """At least one clip on each side where there are two; a single clip is on both."""
        return self._split[int(held_out)]

    @cached_property
    def _split(self) -> tuple[tuple[PackedClip, ...], tuple[PackedClip, ...]]:
        return split_clips(self.packed.clips, self.config.pictures.held_out_share)

    @cached_property
    def _photos(self) -> dict[tuple[bool, bool], tuple[tuple[PackedClip, ...], np.ndarray]]:
        """The clips to take photos from, and how many views there are up to each one's end."""
        found = {}
        for held_out in (False, True):
            for with_depth in (False, True):
                clips = tuple(clip for clip in self.clips(held_out) if clip.has_depth or not with_depth)
                found[held_out, with_depth] = clips, np.cumsum([len(clip) for clip in clips])
        return found

    @cached_property
    def _textures(self) -> Levels:
        """Of rendered places: made ones and cuttings of training photos."""
        random = np.random.default_rng([self.config.run.seed, 6])
        numbers = [index for clip in self.clips(held_out=False) for index in range(clip.first, clip.stop)]
        return place_textures(random, (self.packed.view(int(i)).picture for i in random.permutation(numbers)))

    def photo(self, random: np.random.Generator, held_out: bool, with_depth: bool = False) -> Square | None:
        """A random cut of a random view, mirrored half the time; None when no view has depth."""
        clips, stops = self._photos[held_out, with_depth]
        if not clips:
            return None
        drawn = int(random.integers(stops[-1]))
        number = int(np.searchsorted(stops, drawn, side="right"))
        index = clips[number].first + drawn - (int(stops[number - 1]) if number else 0)
        view = self.packed.view(index)
        cut = draw_cut(view, self.config.pictures, self.config.pairs, random)
        objects = None if clips[number].regions else self.packed.mask(index)
        found = square(view, cut, self.config.image_size, objects)
        return mirrored(found) if random.random() < _MIRRORED_SHARE else found

    def frames(self, random: np.random.Generator, held_out: bool) -> Pair | None:
        """Two frames of one clip, cut alike; None when there is no clip or the two show different places."""
        clips = [clip for clip in self.clips(held_out) if len(clip) > 1]
        if not clips:
            return None
        clip = clips[int(random.integers(len(clips)))]
        gap = int(random.integers(1, min(self.config.pairs.largest_frame_gap, len(clip) - 1) + 1))
        start = int(random.integers(clip.first, clip.stop - gap))
        ends = (start, start + gap) if random.random() < 0.5 else (start + gap, start)
        first, second = (self.packed.view(index) for index in ends)
        if first.picture.shape != second.picture.shape:
            return None
        cut = draw_cut(first, self.config.pictures, self.config.pairs, random)
        before, after = (square(view, cut, self.config.image_size) for view in (first, second))
        motion = None
        if first.world_from_camera is not None and second.world_from_camera is not None:
            motion = compose(invert(second.world_from_camera), first.world_from_camera)
        return frame_pair(before, after, motion, self.optical_flow)

    def rgb_pair(self, random: np.random.Generator, held_out: bool) -> Pair:
        """By the shares of [pairs]; what the data lacks is replaced by a moved object."""
        settings = self.config.pairs
        kind = _choice(
            random, warp=settings.warp_share, object=settings.object_share, clip=settings.clip_share,
            scene=settings.scene_share,
        )  # fmt: skip
        if kind == "scene":
            return rendered_pair(random, settings, self._textures, self.config.image_size)
        if kind == "clip" and (pair := self.frames(random, held_out)) is not None:
            return pair
        real = self.photo(random, held_out, with_depth=kind == "warp")
        if kind == "warp" and real is not None:
            return warp_pair(real, draw_motion(settings, random))
        real = real or self.photo(random, held_out)
        assert real is not None
        return object_pair(real, random)

    def flow(
        self, random: np.random.Generator, held_out: bool
    ) -> tuple[Square | Pair, Float32[np.ndarray, "S S 2"], np.ndarray | None]:
        """What is seen, its flow without gaps, and camera_0_from_1. Raises InvalidInput when none is plausible."""
        settings = self.config.pairs
        for _ in range(_TRIES):
            kind = _choice(random, warp=settings.warp_share, clip=settings.clip_share)
            pair = self.frames(random, held_out) if kind == "clip" else None
            if pair is not None:
                return pair, without_gaps(pair.flow), pair.camera_0_from_1
            real = self.photo(random, held_out, with_depth=True)
            if real is not None:
                second_from_first = draw_motion(settings, random)
                flow = without_gaps(moved_camera_flow(real, second_from_first))
                return real, flow, invert(second_from_first).matrix.copy()
        raise InvalidInput("The data has no depth and no clip with plausible motion; give pictures with depth.")


@dataclass(frozen=True)
class _Drawn:
    drawer: Drawer

    @property
    def packed(self) -> PackedSet:
        return self.drawer.packed


@dataclass(frozen=True)
class PictureSquares(_Drawn):
    """Samples for the RGB quantizer: pictures uint8 [S, S, 3]."""

    def make(self, index: int, held_out: bool = False) -> UInt8[np.ndarray, "S S 3"]:
        found = self.drawer.photo(self.drawer.random(index, held_out), held_out)
        assert found is not None
        return found.picture

    def check(self) -> None:
        """Any picture will do."""
        self.make(0)


@dataclass(frozen=True)
class FlowSquares(_Drawn):
    """Samples for the flow quantizer: flow (x, y) in pixels, float32 [2, S, S]."""

    def make(self, index: int, held_out: bool = False) -> Float32[np.ndarray, "2 S S"]:
        return _channels_first(self.drawer.flow(self.drawer.random(index, held_out), held_out)[1])

    def check(self) -> None:
        """Raises InvalidInput without depth and without clips."""
        self.make(0)
        self.make(0, held_out=True)


@dataclass(frozen=True)
class RgbPairs(_Drawn):
    """Samples for a network with binned flow; `drafts` make those of the draft share."""

    network: TransformerConfig
    drafts: DraftMaker | None = None

    def make(self, index: int, held_out: bool = False) -> PairSample:
        random = self.drawer.random(index, held_out)
        if random.random() < self._draft_share:
            assert self.drafts is not None
            pair, moves = self.drafts.make(index, held_out), False
        else:
            pair, moves = self.drawer.rgb_pair(random, held_out), True
        cells = flow_grid(pair.flow.astype(np.float64), 2 * self.network.grid)
        bins = flow_to_bins(self.network, np.nan_to_num(cells))
        shown = cells if moves else None
        draw = draw_sequence(self.network, self.drawer.config.sequences, random, shown, pair.uncovered)
        return PairSample(pair.source, pair.target, bins, draw)

    def check(self) -> None:
        """Raises InvalidInput when drafts are asked for and nothing can make them."""
        if self._draft_share and self.drafts is None:
            raise InvalidInput("pairs.draft_share needs the network that fills holes; give it, or set the share to 0.")
        if self._draft_share and self.drafts is not None:
            self.drafts.check()
        self.make(0)

    @property
    def _draft_share(self) -> float:
        pairs = self.drawer.config.pairs
        others = pairs.warp_share + pairs.object_share + pairs.clip_share + pairs.scene_share
        return pairs.draft_share / (pairs.draft_share + others)


@dataclass(frozen=True)
class CameraFlows(_Drawn):
    """Samples for a network with a camera motion and quantised flow."""

    network: TransformerConfig

    def make(self, index: int, held_out: bool = False) -> FlowSample:
        random = self.drawer.random(index, held_out)
        seen, flow, camera_0_from_1 = self.drawer.flow(random, held_out)
        picture = seen.source if isinstance(seen, Pair) else seen.picture
        draw = draw_sequence(self.network, self.drawer.config.sequences, random)
        camera = None if camera_0_from_1 is None else camera_codes(camera_0_from_1)
        return FlowSample(picture, _channels_first(flow), camera, draw)

    def check(self) -> None:
        """Raises InvalidInput without depth and without clips."""
        self.make(0)
        self.make(0, held_out=True)


def split_clips(
    clips: tuple[PackedClip, ...], held_out_share: float
) -> tuple[tuple[PackedClip, ...], tuple[PackedClip, ...]]:
    """Clips to learn from and to judge by, chosen by their names; a single clip is both, else none is."""
    luck = {clip: zlib.crc32(clip.name.encode()) / 2**32 for clip in clips}
    ordered = sorted(luck, key=lambda clip: luck[clip])
    count = min(max(1, sum(luck[clip] < held_out_share for clip in ordered)), max(1, len(clips) - 1))
    held_out = set(ordered[:count])
    learned = tuple(clip for clip in clips if clip not in held_out) or clips
    return learned, tuple(clip for clip in clips if clip in held_out)


def batch_indices(batch_size: int, first: int, rank: int = 0, world: int = 1) -> Iterator[list[int]]:
    """Numbers of the samples of batch `first` and all later ones of one process of several."""
    batch = first
    while True:
        start = (batch * world + rank) * batch_size
        yield list(range(start, start + batch_size))
        batch += 1


def _choice(random: np.random.Generator, **shares: float) -> str:
    total = np.array(list(shares.values()), np.float64)
    return str(random.choice(list(shares), p=total / total.sum()))


def _channels_first(flow: Float32[np.ndarray, "S S 2"]) -> Float32[np.ndarray, "2 S S"]:
    return np.ascontiguousarray(flow.transpose(2, 0, 1))
