"""Samples for the depth network: rendered places, measured depth, and photos with a weak teacher's opinion."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Float16, Float32, UInt8

from core.errors import InvalidInput
from core.maths.bands import reciprocal
from core.training.config import TrainConfig
from core.training.depth_config import DepthSettings
from core.training.looks import other_look
from core.training.packed import PackedSet
from core.training.samples import Drawer, split_clips
from core.training.synthetic import Levels, place_textures, synthetic
from core.training.windows import cut_picture, window_from_area

_MIRRORED_SHARE = 0.5
_RENDERED = 256, 192
_View = tuple[UInt8[np.ndarray, "h w 3"], Float32[np.ndarray, "_ _"], bool]


@dataclass(frozen=True, eq=False)
class DepthSample:
    """sRGB and inverse depth up to scale and (where `weak`) shift: NaN unknown, 0 infinitely far."""

    picture: UInt8[np.ndarray, "H W 3"]
    inverse: Float32[np.ndarray, "H W"]
    weak: bool


@dataclass(frozen=True)
class DepthViews:
    """SampleMaker of depth samples. Photos are held out as in `Drawer`; of RGB-D clips the last frames are."""

    packed: PackedSet
    config: TrainConfig

    @property
    def settings(self) -> DepthSettings:
        return self.config.depth

    def make(self, index: int, held_out: bool = False) -> DepthSample:
        drawer = Drawer(self.packed, self.config)
        random = drawer.random(index, held_out)
        width, height = self._size(index // self.config.schedule.batch_size, held_out)
        kind = self._kind(random)
        if kind == "synthetic":
            view = self._rendered(random, held_out)
        else:
            views = self._views[held_out, kind == "weak"]
            view = self._packed(views[int(random.integers(len(views)))])
        found = self._window_of(*view, (width, height), random)
        return found if held_out else DepthSample(other_look(found.picture, random), found.inverse, found.weak)

    def check(self) -> None:
        """Raises InvalidInput when the pack has none of the depth that the shares ask for."""
        shares = {"measured": self.settings.measured_share, "weak": self.settings.weak_share}
        for kind, share in shares.items():
            if share > 0 and not all(self._views[held_out, kind == "weak"] for held_out in (False, True)):
                raise InvalidInput(
                    f"The data has no {kind} depth as it was given; pack it with --for-depth, "
                    f"or set depth.{kind}_share to 0."
                )

    def _kind(self, random: np.random.Generator) -> str:
        settings = self.settings
        shares = np.array([settings.synthetic_share, settings.measured_share, settings.weak_share])
        return ("synthetic", "measured", "weak")[int(random.choice(3, p=shares / shares.sum()))]

    def _size(self, batch: int, held_out: bool) -> tuple[int, int]:
        """Width and height that all samples of a batch share."""
        settings = self.settings
        random = np.random.default_rng([self.config.run.seed, 2 + int(held_out), batch])
        shares = np.array(settings.side_shares)
        number = int(random.choice(len(shares), p=shares / shares.sum()))
        width, height = settings.long_sides[number], settings.short_sides[number]
        return (height, width) if random.random() < settings.upright_share else (width, height)

    @cached_property
    def _views(self) -> dict[tuple[bool, bool], list[int]]:
        """Numbers of the packed views by held out and weak."""
        bits = {
            clip: [self.packed.depth_bits(index) for index in range(clip.first, clip.stop)]
            for clip in self.packed.clips
        }
        found: dict[tuple[bool, bool], list[int]] = {(a, b): [] for a in (False, True) for b in (False, True)}
        weak = tuple(clip for clip, of_clip in bits.items() if 8 in of_clip)
        for held_out, clips in enumerate(split_clips(weak, self.config.pictures.held_out_share) if weak else ()):
            for clip in clips:
                found[bool(held_out), True] += [clip.first + i for i, count in enumerate(bits[clip]) if count == 8]
        for clip, of_clip in bits.items():
            measured = [clip.first + i for i, count in enumerate(of_clip) if count == 16]
            kept = round(len(measured) * (1 - self.settings.held_out_frames_share))
            found[False, False] += measured[:kept]
            found[True, False] += measured[kept:]
        return found

    @cached_property
    def _textures(self) -> Levels:
        """Made ones and cuttings of training photos, the same for all samples."""
        random = np.random.default_rng([self.config.run.seed, 4])
        numbers = random.permutation(self._views[False, True])
        return place_textures(random, (self.packed.view(int(number)).picture for number in numbers))

    def _packed(self, index: int) -> _View:
        stored = self.packed.stored_depth(index)
        assert stored is not None
        weak = stored.dtype == np.uint8
        inverse = stored.astype(np.float32)
        if not weak:
            inverse[stored == 0] = np.nan
        return self.packed.view(index).picture, inverse, weak

    def _rendered(self, random: np.random.Generator, held_out: bool) -> _View:
        """A place of this run's own; when their number is set, each is rendered once and kept."""
        places = self.settings.synthetic_places
        if held_out or not places:
            return self._render(random)
        number = int(random.integers(places))
        if number not in self._kept:
            picture, inverse, _ = self._render(np.random.default_rng([self.config.run.seed, 5, number]))
            self._kept[number] = picture, inverse.astype(np.float16)
        picture, inverse = self._kept[number]
        return picture, inverse.astype(np.float32), False

    def _render(self, random: np.random.Generator) -> _View:
        width, height = _RENDERED
        if random.random() < self.settings.upright_share:
            width, height = height, width
        made = synthetic(random, self._textures, width, height)
        return made.picture, reciprocal(made.depth), False

    @cached_property
    def _kept(self) -> dict[int, tuple[UInt8[np.ndarray, "h w 3"], Float16[np.ndarray, "h w"]]]:
        return {}

    def _window_of(
        self,
        picture: UInt8[np.ndarray, "h w 3"],
        inverse: Float32[np.ndarray, "_ _"],
        weak: bool,
        size: tuple[int, int],
        random: np.random.Generator,
    ) -> DepthSample:
        """A window of a view, turned a little, of the wanted size."""
        window_from_view = self._window(picture.shape[1], picture.shape[0], size, random)
        scale = np.diag([picture.shape[1] / inverse.shape[1], picture.shape[0] / inverse.shape[0], 1.0])
        window_from_depth = window_from_view @ _between_centres(scale)
        return DepthSample(
            cut_picture(picture, window_from_view, size),
            _cut(inverse, window_from_depth, size, cv2.INTER_LINEAR if weak else cv2.INTER_NEAREST),
            weak,
        )

    def _window(self, width: int, height: int, size: tuple[int, int], random: np.random.Generator) -> np.ndarray:
        """Affine map from the view's pixels to the window's, whose corners lie in the view when it is not turned."""
        settings = self.settings
        aspect = size[0] / size[1] * np.exp(random.normal(0, 0.06))
        across = min(width, height * aspect) * np.sqrt(random.uniform(settings.smallest_crop_share, 1.0))
        down = across / aspect
        x, y = random.uniform(0, width - across), random.uniform(0, height - down)
        angle = np.radians(settings.largest_turn_deg) * random.uniform(-1, 1) * (random.random() < 0.5)
        mirrored = bool(random.random() < _MIRRORED_SHARE)
        middle = x + across / 2 - 0.5, y + down / 2 - 0.5
        return window_from_area(middle, (across, down), size, angle, mirrored)


def _between_centres(scale: np.ndarray) -> np.ndarray:
    """Scaling of pixel areas as a map between pixel centres, which lie at integers."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return np.linalg.inv(half) @ scale @ half


def _cut(field: np.ndarray, window_from_field: np.ndarray, size: tuple[int, int], how: int) -> np.ndarray:
    return cv2.warpAffine(field, window_from_field[:2], size, flags=how, borderMode=cv2.BORDER_REFLECT_101)
