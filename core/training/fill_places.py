"""Windows of real photos with holes, and what is guessed to be in them: dear to make, so made once and kept."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from core.files.atomic import write_atomically
from core.maths.fill import smooth
from core.maths.fill_guess import guesses
from core.training.config import TrainConfig
from core.training.crops import Cut, Square, mirrored, square
from core.training.fill_holes import (
    Holes,
    Silhouette,
    disocclusion_holes,
    made_silhouette,
    object_holes,
    rim_holes,
    trimmed,
)
from core.training.packed import PackedClip, PackedSet
from core.training.pairs import draw_motion
from core.training.samples import Drawer

KEPT_FOLDER = "fills"
# Raised when holes or guesses come out otherwise than before, so that nothing older is taken from the disk.
_KEPT_VERSION = 1
_HIDDEN, _USABLE, _UNKNOWN = 0, 128, 255
_MOTION = "longest_translation", "largest_rotation_deg", "in_plane_share", "field_of_view_deg"
_KINDS = "shape", "disocclusion", "rim"
_NOT_TOLD = 255
_TRIES = 8
_LEAST_OBJECT_PIXELS = 64
_LARGEST_SEED = 2**31


@dataclass(frozen=True, eq=False)
class FillSample:
    """A true picture and both guesses, which equal it where `usable`; `unknown` pixels are to be filled."""

    truth: UInt8[np.ndarray, "S S 3"]
    copied: UInt8[np.ndarray, "S S 3"]
    smooth: UInt8[np.ndarray, "S S 3"]
    unknown: Bool[np.ndarray, "S S"]
    usable: Bool[np.ndarray, "S S"]


@dataclass(frozen=True)
class FillPlaces:
    """Place i of the photos to learn from, or of those to judge by: whether it was kept or is made now, the same."""

    packed: PackedSet
    config: TrainConfig

    def place(self, number: int, held_out: bool) -> FillSample:
        random = np.random.default_rng([self.config.run.seed, 6 + int(held_out), number])
        shares = np.array([getattr(self.config.fill, f"{kind}_share") for kind in _KINDS])
        kind = _KINDS[int(random.choice(len(_KINDS), p=shares / shares.sum()))]
        real, objects = self._window(held_out, kind == "disocclusion", random)
        path = self._kept / f"{'judged' if held_out else 'learned'}-{number:06d}.png"
        kept = _read(path)
        if kept is None:
            kept = self._guessed(kind, real, objects, random)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, cv2.imencode(".png", kept)[1].tobytes())
        unknown, usable = kept[..., 3] == _UNKNOWN, kept[..., 3] == _USABLE
        plain = smooth(real.picture, ~usable, usable)
        return FillSample(real.picture, np.where(unknown[..., None], kept[..., :3], plain), plain, unknown, usable)

    def has_depth(self, held_out: bool) -> bool:
        return bool(self._with_depth[held_out])

    @cached_property
    def _drawer(self) -> Drawer:
        return Drawer(self.packed, self.config)

    @cached_property
    def _kept(self) -> Path:
        """A folder named after all that a place depends on."""
        fill = asdict(self.config.fill)
        names = [*(f"{kind}_share" for kind in _KINDS), "place_pixels", "smallest_crop_share"]
        told = {name: fill[name] for name in names}
        clips = [clip.name for clip in self.packed.clips]
        pairs = asdict(self.config.pairs)
        motion = {name: pairs[name] for name in _MOTION}
        share = self.config.pictures.held_out_share
        every = (_KEPT_VERSION, self.config.run.seed, share, told, motion, clips)
        return self.packed.folder / KEPT_FOLDER / hashlib.sha256(json.dumps(every).encode()).hexdigest()[:12]

    @cached_property
    def _with_depth(self) -> dict[bool, tuple[PackedClip, ...]]:
        return {
            held_out: tuple(clip for clip in self._drawer.clips(held_out) if clip.has_depth)
            for held_out in (False, True)
        }

    @cached_property
    def _with_objects(self) -> list[int]:
        """Views to learn from that tell whole objects."""
        clips = (clip for clip in self._drawer.clips(False) if not clip.regions)
        return [index for clip in clips for index in range(clip.first, clip.stop) if self.packed.has_mask(index)]

    def _window(
        self, held_out: bool, with_depth: bool, random: np.random.Generator
    ) -> tuple[Square, Bool[np.ndarray, "S S"]]:
        """A square of a view, and where in it a whole object is told to be; long clips count less than their length."""
        clips = self._with_depth[held_out] if with_depth else self._drawer.clips(held_out)
        weights = np.sqrt([len(clip) for clip in clips])
        clip = clips[int(random.choice(len(clips), p=weights / weights.sum()))]
        index = int(random.integers(clip.first, clip.stop))
        view, ids = self.packed.view(index), self.packed.mask(index)
        height, width = view.picture.shape[:2]
        across = round(min(height, width) * random.uniform(self.config.fill.smallest_crop_share, 1.0))
        x, y = (int(random.integers(0, room + 1)) for room in (width - across, height - across))
        fov = float(random.uniform(*self.config.pairs.field_of_view_deg))
        side = self.config.fill.place_pixels
        real = square(view, Cut(x, y, across, across, fov), side, None if clip.regions else ids)
        if random.random() < 0.5:
            real = mirrored(real)
        return real, np.zeros((side, side), bool) if real.objects is None else real.objects != 0

    def _guessed(
        self, kind: str, real: Square, objects: Bool[np.ndarray, "S S"], random: np.random.Generator
    ) -> UInt8[np.ndarray, "S S 4"]:
        """The copied guess where unknown, and what every pixel is."""
        holes = self._holes(kind, real, objects, random)
        seed = int(random.integers(_LARGEST_SEED))
        found = guesses(real.picture, holes.unknown, holes.usable, depth=holes.depth, seed=seed)
        kinds = np.where(holes.unknown, _UNKNOWN, np.where(holes.usable, _USABLE, _HIDDEN)).astype(np.uint8)
        return np.dstack([np.where(holes.unknown[..., None], found.copied, np.uint8(0)), kinds])

    def _holes(self, kind: str, real: Square, objects: Bool[np.ndarray, "S S"], random: np.random.Generator) -> Holes:
        """Holes of the wanted kind, else such as any picture can have."""
        if kind == "disocclusion":
            for _ in range(_TRIES):
                holes = disocclusion_holes(real, draw_motion(self.config.pairs, random))
                if holes is not None:
                    return holes
        if kind == "shape":
            holes = object_holes(objects, lambda: self._silhouette(random), random)
            if holes is not None:
                return holes
        return rim_holes(len(real.picture), random)

    def _silhouette(self, random: np.random.Generator) -> Silhouette:
        """Of a real object, whole or cut by its photo's frame; a made one where no view tells any."""
        if not self._with_objects:
            return made_silhouette(random)
        ids = self.packed.mask(self._with_objects[int(random.integers(len(self._with_objects)))])
        assert ids is not None
        counts = np.bincount(ids.ravel(), minlength=_NOT_TOLD + 1)[1:_NOT_TOLD]
        large = np.flatnonzero(counts >= _LEAST_OBJECT_PIXELS)
        return trimmed(ids == 1 + int(random.choice(large))) if large.size else made_silhouette(random)


def _read(path: Path) -> UInt8[np.ndarray, "S S 4"] | None:
    """What was kept; None where there is nothing, or what another process has only begun to write."""
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
