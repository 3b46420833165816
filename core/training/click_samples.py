"""Samples for the click network: windows of photos, with objects of their own and of others, and prompts for them."""

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.errors import InvalidInput
from core.training.click_config import ClickSettings
from core.training.click_prompts import Pointed, draw_prompt, middle_click
from core.training.config import TrainConfig
from core.training.looks import other_look
from core.training.packed import PackedClip, PackedSet
from core.training.pasting import pasted
from core.training.samples import Drawer, split_clips
from core.training.windows import cut_numbers, cut_picture, window_from_area

UNKNOWN = 255
# The number of what was pasted.
_PASTED = 254
_TRIES = 32
_LEAST_PIXELS = 24
_CENTRED_SHARE = 0.5
_TURNED_SHARE = 0.4
# Processes of one run wait for each other: batches that are made side by side are of one kind.
_ALIKE = 2
_Area = Bool[np.ndarray, "H W"]
# Numbers of views, a group for each source.
_Sources = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class ClickSample:
    """sRGB; P wanted areas, the pixels that count, how each area is pointed at and how much it matters."""

    picture: UInt8[np.ndarray, "H W 3"]
    wanted: Bool[np.ndarray, "P H W"]
    counted: Bool[np.ndarray, "H W"]
    pointed: tuple[Pointed, ...]
    weights: Float32[np.ndarray, "P"]
    corrections: int


@dataclass(frozen=True, eq=False)
class _Scene:
    """A picture with the number of the object at every pixel; `regions`: but _PASTED they are no whole objects."""

    picture: UInt8[np.ndarray, "H W 3"]
    ids: UInt8[np.ndarray, "H W"]
    regions: bool


@dataclass(frozen=True)
class ClickViews:
    """SampleMaker of click samples. Held out are photos of whole objects, as they are, each clicked in its middle."""

    packed: PackedSet
    config: TrainConfig

    @property
    def settings(self) -> ClickSettings:
        return self.config.click

    def make(self, index: int, held_out: bool = False) -> ClickSample:
        """Raises InvalidInput when the photos show nothing large enough."""
        random = Drawer(self.packed, self.config).random(index, held_out)
        size, corrections = self._kind(index // self.config.schedule.batch_size, held_out)
        for _ in range(_TRIES):
            scene = self._held_out_scene(random, size) if held_out else self._scene(random, size)
            wholes = self._large_enough(scene.ids)
            if wholes:
                sample = self._sample(random, scene, wholes, held_out)
                return replace(sample, corrections=0 if held_out else corrections)
        least = 100 * self.settings.smallest_object_share
        raise InvalidInput(f"Hardly any object covers {least:g} % of its picture; lower click.smallest_object_share.")

    def check(self) -> None:
        """Raises InvalidInput when the pack lacks masks."""
        if not all(self._objects):
            raise InvalidInput("The data has no masks of whole objects; pack it with --for-clicks.")
        if self.settings.region_share > 0 and not self._regions:
            raise InvalidInput("The data has no masks of regions; set click.region_share to 0 or add some.")

    def _kind(self, batch: int, held_out: bool) -> tuple[tuple[int, int], int]:
        """Width, height and the number of corrections that all samples of a batch share."""
        settings = self.settings
        random = np.random.default_rng([self.config.run.seed, 2 + int(held_out), batch // _ALIKE])
        number, corrections = (_choice(random, np.array(s)) for s in (settings.side_shares, settings.correction_shares))
        width, height = settings.long_sides[number], settings.short_sides[number]
        return ((height, width) if random.random() < settings.upright_share else (width, height)), corrections

    @cached_property
    def _objects(self) -> tuple[_Sources, _Sources]:
        """Of photos with whole objects, those to learn from and those to judge by."""
        clips = self._masked(regions=False)
        split = split_clips(clips, self.config.pictures.held_out_share) if clips else ((), ())
        return self._by_source(split[0]), self._by_source(split[1])

    @cached_property
    def _regions(self) -> _Sources:
        return self._by_source(self._masked(regions=True))

    def _masked(self, regions: bool) -> tuple[PackedClip, ...]:
        return tuple(clip for clip in self.packed.clips if clip.regions == regions and self._views(clip))

    def _views(self, clip: PackedClip) -> tuple[int, ...]:
        return tuple(filter(self.packed.has_mask, range(clip.first, clip.stop)))

    def _by_source(self, clips: tuple[PackedClip, ...]) -> _Sources:
        groups: dict[str, tuple[int, ...]] = {}
        for clip in clips:
            groups[clip.source] = groups.get(clip.source, ()) + self._views(clip)
        return tuple(groups[source] for source in sorted(groups))

    def _view(self, random: np.random.Generator, sources: _Sources, regions: bool = False) -> _Scene:
        """A view as it is packed, its source drawn before it."""
        views = sources[_choice(random, np.array([len(group) for group in sources]) ** self.settings.source_power)]
        index = views[int(random.integers(len(views)))]
        ids = self.packed.mask(index)
        assert ids is not None
        return _Scene(self.packed.view(index).picture, ids, regions)

    def _held_out_scene(self, random: np.random.Generator, size: tuple[int, int]) -> _Scene:
        """The largest window in the middle of a photo."""
        view = self._view(random, self._objects[1])
        height, width = view.ids.shape
        across = min(width, height * size[0] / size[1])
        area = across, across * size[1] / size[0]
        return _cut(view, window_from_area(((width - 1) / 2, (height - 1) / 2), area, size), size)

    def _scene(self, random: np.random.Generator, size: tuple[int, int]) -> _Scene:
        """A window of a photo, with an object of another photo now and then, seen by any camera."""
        regions = bool(random.random() < self.settings.region_share)
        view = self._view(random, self._regions if regions else self._objects[0], regions)
        scene = _cut(view, self._window(random, view.ids, size), size)
        if random.random() < self.settings.paste_share:
            scene = self._with_another(random, scene)
        return replace(scene, picture=other_look(scene.picture, random))

    def _window(self, random: np.random.Generator, ids: UInt8[np.ndarray, "h w"], size: tuple[int, int]) -> np.ndarray:
        """Of any size that fits, around some object or anywhere, turned now and then, mirrored half the time."""
        settings = self.settings
        height, width = ids.shape
        aspect = size[0] / size[1] * np.exp(random.normal(0, 0.08))
        across = min(width, height * aspect) * np.sqrt(random.uniform(settings.smallest_crop_share, 1.0))
        area = np.array([across, across / aspect])
        low, high = area / 2 - 0.5, np.array([width, height]) - area / 2 - 0.5
        middle = random.uniform(low, np.maximum(high, low))
        known = np.unique(ids[(ids > 0) & (ids < UNKNOWN)])
        if len(known) and random.random() < _CENTRED_SHARE:
            rows, columns = np.nonzero(ids == random.choice(known))
            aimed = np.array([columns.mean(), rows.mean()]) + random.normal(0, 0.2, 2) * area
            middle = np.clip(aimed, low, np.maximum(high, low))
        turn = np.radians(settings.largest_turn_deg) * random.uniform(-1, 1) * (random.random() < _TURNED_SHARE)
        return window_from_area(
            (middle[0], middle[1]), (area[0], area[1]), size, float(turn), bool(random.random() < 0.5)
        )

    def _with_another(self, random: np.random.Generator, scene: _Scene) -> _Scene:
        """Unless the other photo shows nothing large enough."""
        other = self._view(random, self._objects[0])
        wholes = self._large_enough(other.ids)
        if not wholes:
            return scene
        cut_out = other.ids == wholes[int(random.integers(len(wholes)))]
        source = other_look(other.picture, random) if random.random() < 0.5 else other.picture
        picture, inside = pasted(random, scene.picture, source, cut_out)
        return replace(scene, picture=picture, ids=np.where(inside, np.uint8(_PASTED), scene.ids))

    def _large_enough(self, ids: UInt8[np.ndarray, "H W"]) -> list[int]:
        counts = np.bincount(ids.reshape(-1), minlength=256)
        counts[[0, UNKNOWN]] = 0
        return np.flatnonzero(counts >= self._least_pixels(ids.size)).tolist()

    def _least_pixels(self, pixels: int) -> float:
        return max(_LEAST_PIXELS, self.settings.smallest_object_share * pixels)

    def _sample(self, random: np.random.Generator, scene: _Scene, wholes: list[int], held_out: bool) -> ClickSample:
        counted, order = scene.ids != UNKNOWN, random.permutation(wholes)
        wanted, pointed, weights = [], [], []
        for number in range(self.settings.prompts):
            main = int(order[number % len(order)])
            if held_out:
                parts: tuple[_Area, ...] = (scene.ids == main,)
                pointed.append(middle_click(parts[0]))
            else:
                parts = self._parts(random, scene, wholes, main)
                pointed.append(draw_prompt(random, parts, counted, self.settings))
            wanted.append(np.logical_or.reduce(parts))
            weights.append(self.settings.region_weight if scene.regions and main != _PASTED else 1.0)
        return ClickSample(
            scene.picture, np.stack(wanted), counted, tuple(pointed), np.array(weights, np.float32), corrections=0
        )

    def _parts(self, random: np.random.Generator, scene: _Scene, wholes: list[int], main: int) -> tuple[_Area, ...]:
        """What is wanted, in parts that each have to be pointed at: mostly one object."""
        area, luck = scene.ids == main, random.random()
        if luck < self.settings.union_share and len(wholes) > 1:
            other = int(random.choice([number for number in wholes if number != main]))
            return area, scene.ids == other
        if luck < self.settings.union_share + self.settings.component_share:
            count, labels, stats, _ = cv2.connectedComponentsWithStats(area.astype(np.uint8), connectivity=8)
            large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= self._least_pixels(area.size))
            large = large[large > 0]
            if count > 2 and len(large):
                return (np.asarray(labels) == int(random.choice(large)),)
        return (area,)


def _cut(scene: _Scene, window_from_view: np.ndarray, size: tuple[int, int]) -> _Scene:
    picture = cut_picture(scene.picture, window_from_view, size)
    return _Scene(picture, cut_numbers(scene.ids, window_from_view, size, UNKNOWN), scene.regions)


def _choice(random: np.random.Generator, shares: np.ndarray) -> int:
    return int(random.choice(len(shares), p=shares / shares.sum()))
