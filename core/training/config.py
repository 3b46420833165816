"""What a training run is made of, read from TOML. Every value has its unit in its name.

Lengths of motions are in scene units of which the nearest things are about one away.
"""

import dataclasses
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from core.errors import InvalidInput
from core.files.blobs import BlobReader
from core.files.records import record_from_json
from core.files.source import read_source
from core.lras.config import (
    PATCH_PIXELS,
    QuantizerConfig,
    ResBlock,
    TransformerConfig,
    Upsample,
    camera_flow_config,
    rgb_flow_config,
)
from core.training.click_config import ClickSettings, ClickShape
from core.training.depth_config import DepthSettings, DepthShape
from core.training.fill_config import FillSettings, FillShape

Task = Literal["lpq", "lras-rgb", "lras-flow", "depth", "click", "fill"]
_MAX_BYTES = 1_000_000
# The table that says how large each task's network is.
_SHAPE_TABLES = {
    "lpq": "quantizer",
    "lras-rgb": "network",
    "lras-flow": "network",
    "depth": "depth_network",
    "click": "click_network",
    "fill": "fill_network",
}


def _in_range(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise InvalidInput(f"{name} is {value:g}; use a value from {least:g} to {most:g}.")


@dataclass(frozen=True)
class QuantizerShape:
    """Sizes of a quantizer. The hidden layers of residual blocks are twice as wide as the blocks.

    `decoder_widths` are those at a quarter, half and the whole of the picture's size.
    """

    channels: Literal["rgb", "flow"]
    codes: int
    width: int = 512
    encoder_blocks: int = 1
    decoder_widths: tuple[int, int, int] = (512, 256, 128)
    decoder_blocks: int = 3

    def config(self) -> QuantizerConfig:
        """The network's own configuration. Raises InvalidInput."""
        _in_range("quantizer.width", self.width, 1, 1 << 14)
        _in_range("quantizer.decoder_widths", min(self.decoder_widths), 1, 1 << 14)
        _in_range("quantizer.decoder_blocks", self.decoder_blocks, 1, 64)
        if self.decoder_widths[0] != self.width:
            raise InvalidInput(
                f"quantizer.decoder_widths begins with {self.decoder_widths[0]}; it must begin with width {self.width}."
            )
        decoder: list[ResBlock | Upsample] = []
        for index, width in enumerate(self.decoder_widths):
            if index:
                decoder.append(Upsample(self.decoder_widths[index - 1], width))
            decoder += [ResBlock(width, 2 * width, 3)] * self.decoder_blocks
        encoder = (ResBlock(self.width, 2 * self.width, 1),) * self.encoder_blocks
        return QuantizerConfig(self.codes, 3 if self.channels == "rgb" else 2, encoder, tuple(decoder))


@dataclass(frozen=True)
class NetworkShape:
    """Sizes of a transformer. `flow_codes` are bins per axis for lras-rgb, the quantizer's codes for lras-flow.

    A network of lras-rgb is shown up to `flow_patches` patches of flow, in training as in use; of frame 0, the known
    and the decoded part of frame 1 at most so many, those nearest to the decoded ones (0: all). So it learns places of
    a large frame from short sequences. With `sees_draft` it is to be used with a draft of frame 1 in place of frame 0.
    """

    layers: int
    heads: int
    width: int
    patches_per_side: int = 32
    rgb_codes: int = 65536
    flow_codes: int = 512
    flow_patches: int = 200
    frame_0_patches: int = 0
    known_patches: int = 0
    decoded_patches: int = 0
    sees_draft: bool = False

    def config(self, task: Task) -> TransformerConfig:
        """The network's own configuration. Raises InvalidInput."""
        sizes = self.layers, self.heads, self.width, self.patches_per_side, self.rgb_codes, self.flow_codes
        if task == "lras-flow":
            return camera_flow_config(*sizes)
        return replace(
            rgb_flow_config(*sizes, self.flow_patches),
            frame_0_patches=self.frame_0_patches,
            known_patches=self.known_patches,
            decoded_patches=self.decoded_patches,
            sees_draft=self.sees_draft,
        )


@dataclass(frozen=True)
class PictureSettings:
    """How pictures are cut. `side_pixels` is for quantizers; transformers take their own size.

    Half the crops are squares of at least `smallest_crop_share` of the largest square's area; the others have at least
    that share of the picture's own area and its shape, and are squashed to the square.
    Every clip or photo is held out with the chance `held_out_share`.
    """

    side_pixels: int = 128
    smallest_crop_share: float = 0.35
    held_out_share: float = 0.02


@dataclass(frozen=True)
class PairSettings:
    """Where source and target come from, and how far the camera or an object moves between them.

    The shares are relative. A warp or object pair is made from one photo, which is the target; a scene pair is a
    rendered place in which a thing or the camera moves. Of a draft pair the source is the target with a hole that
    [fill] makes, filled by the fill network, and nothing moves. Cameras move mostly in their own plane, as they do
    when depth is asked for.
    """

    warp_share: float = 0.6
    object_share: float = 0.25
    clip_share: float = 0.15
    scene_share: float = 0.0
    draft_share: float = 0.0
    longest_translation: float = 0.4
    largest_rotation_deg: float = 12.0
    in_plane_share: float = 0.5
    field_of_view_deg: tuple[float, float] = (40.0, 75.0)
    largest_frame_gap: int = 8


@dataclass(frozen=True)
class SequenceSettings:
    """What is shown and how the rest is grouped, drawn anew for every sample.

    `hole_share` of the samples know all but what was uncovered (as an edit does), `scattered_share` know a random
    part, the others nothing. `revealed_weight` is the loss's weight on patches that are known.
    `group_sizes` are the numbers of patches decoded together; 0 stands for all.
    """

    hole_share: float = 0.5
    scattered_share: float = 0.25
    revealed_weight: float = 0.3
    group_sizes: tuple[int, ...] = (1, 1, 8, 16, 32, 64, 0)
    far_apart_share: float = 0.7


@dataclass(frozen=True)
class QuantizerLoss:
    """Weights of the quantizer's terms (Yu et al. 2024, section 3.1).

    `sharpness` scales a bit's distance from zero before it is read as a chance; a bit at its code's place has 1.
    `perceptual_weight` is that of LPIPS (Zhang et al. 2018), for pictures only.
    """

    absolute_weight: float = 1.0
    squared_weight: float = 1.0
    perceptual_weight: float = 0.0
    entropy_weight: float = 0.02
    diversity_weight: float = 0.06
    commitment_weight: float = 0.1
    sharpness: float = 4.0


@dataclass(frozen=True)
class Schedule:
    """The optimiser's steps (AdamW, warm-up, then half a cosine). A step takes `accumulation` batches a process."""

    steps: int
    batch_size: int
    accumulation: int = 1
    warm_up_steps: int = 200
    learning_rate: float = 1e-3
    final_learning_rate_share: float = 0.05
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.95)
    longest_gradient: float = 1.0
    ema_decay: float = 0.999

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "accumulation"):
            _in_range(f"schedule.{name}", getattr(self, name), 1, 1 << 30)
        _in_range("schedule.warm_up_steps", self.warm_up_steps, 0, 1 << 30)
        _in_range("schedule.learning_rate", self.learning_rate, 1e-9, 1.0)
        _in_range("schedule.longest_gradient", self.longest_gradient, 1e-6, 1e6)
        for name in ("final_learning_rate_share", "weight_decay", "ema_decay"):
            _in_range(f"schedule.{name}", getattr(self, name), 0.0, 1.0)


@dataclass(frozen=True)
class Run:
    """What does not change what is learned, but how often it is looked at and how it is computed.

    `precision` "auto" is bfloat16 where the device multiplies it faster. `workers` are processes that make samples.
    """

    seed: int = 0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    workers: int = 0
    compiled: bool = False
    log_every_steps: int = 10
    checkpoint_every_steps: int = 500
    evaluate_every_steps: int = 500
    held_out_samples: int = 32
    pictures_every_minutes: float = 5.0
    pictures: int = 4

    def __post_init__(self) -> None:
        for name in ("log_every_steps", "checkpoint_every_steps", "evaluate_every_steps", "held_out_samples"):
            _in_range(f"run.{name}", getattr(self, name), 1, 1 << 30)
        _in_range("run.pictures", self.pictures, 1, 64)
        _in_range("run.workers", self.workers, 0, 256)


@dataclass(frozen=True)
class TrainConfig:
    """One training run. A quantizer run has `quantizer`, a transformer run `network`, and so on.

    Raises InvalidInput.
    """

    task: Task
    schedule: Schedule
    quantizer: QuantizerShape | None = None
    network: NetworkShape | None = None
    depth_network: DepthShape | None = None
    click_network: ClickShape | None = None
    fill_network: FillShape | None = None
    pictures: PictureSettings = PictureSettings()
    pairs: PairSettings = PairSettings()
    sequences: SequenceSettings = SequenceSettings()
    loss: QuantizerLoss = QuantizerLoss()
    depth: DepthSettings = DepthSettings()  # noqa: RUF009 - frozen
    click: ClickSettings = ClickSettings()  # noqa: RUF009 - frozen
    fill: FillSettings = FillSettings()  # noqa: RUF009 - frozen
    run: Run = Run()

    def __post_init__(self) -> None:
        wanted = _SHAPE_TABLES[self.task]
        others = set(_SHAPE_TABLES.values()) - {wanted}
        if getattr(self, wanted) is None:
            raise InvalidInput(f"A {self.task} run needs the table [{wanted}].")
        for other in sorted(others):
            if getattr(self, other) is not None:
                raise InvalidInput(f"A {self.task} run needs the table [{wanted}] and no table [{other}].")
        if self.quantizer is not None:
            self.quantizer.config()
        if self.network is not None:
            self.network.config(self.task)
        if self.depth_network is not None:
            self.depth_network.config()
        if self.click_network is not None:
            self.click_network.config()
        if self.fill_network is not None:
            self.fill_network.config()
        self._check_ranges()

    def _check_ranges(self) -> None:
        side = self.pictures.side_pixels
        if side < PATCH_PIXELS or side % PATCH_PIXELS:
            raise InvalidInput(f"pictures.side_pixels is {side}; use a multiple of {PATCH_PIXELS}.")
        _in_range("pictures.smallest_crop_share", self.pictures.smallest_crop_share, 0.01, 1.0)
        _in_range("pictures.held_out_share", self.pictures.held_out_share, 0.0, 0.5)
        pairs = self.pairs
        shares = pairs.warp_share, pairs.object_share, pairs.clip_share, pairs.scene_share, pairs.draft_share
        if min(shares) < 0 or sum(shares) == 0:
            raise InvalidInput("The shares of [pairs] must not be negative nor all zero.")
        if self.task == "lras-rgb" and pairs.draft_share and self.fill.window_pixels != self.image_size:
            raise InvalidInput(
                f"fill.window_pixels is {self.fill.window_pixels} and the network sees {self.image_size} pixels; "
                "let them agree, or set pairs.draft_share to 0."
            )
        if self.task != "lras-rgb" and self.pairs.warp_share + self.pairs.clip_share == 0:
            raise InvalidInput("Flow needs pairs.warp_share or pairs.clip_share above zero.")
        _in_range("pairs.largest_frame_gap", self.pairs.largest_frame_gap, 1, 1000)
        _in_range("sequences.hole_share", self.sequences.hole_share, 0.0, 1.0)
        _in_range("sequences.scattered_share", self.sequences.scattered_share, 0.0, 1.0 - self.sequences.hole_share)
        _in_range("sequences.revealed_weight", self.sequences.revealed_weight, 0.0, 1.0)
        _in_range("sequences.far_apart_share", self.sequences.far_apart_share, 0.0, 1.0)
        if not self.sequences.group_sizes or min(self.sequences.group_sizes) < 0:
            raise InvalidInput("sequences.group_sizes must name at least one size, 0 for all patches at once.")

    @property
    def image_size(self) -> int:
        """Pixels along one side of the pictures that the network sees."""
        return self.pictures.side_pixels if self.network is None else PATCH_PIXELS * self.network.patches_per_side


def read_config(path: Path) -> TrainConfig:
    """The run described by a TOML file. Raises InvalidInput, naming unknown keys and wrong values."""
    data = read_source(path, path.name, _MAX_BYTES)
    try:
        table = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is no TOML: {error}.") from error
    return config_from_table(table, path.name)


def config_from_table(table: dict[str, object], where: str) -> TrainConfig:
    """The run that nested dicts describe. Raises InvalidInput."""
    return record_from_json(TrainConfig, table, where, BlobReader({}))


def as_table(config: TrainConfig) -> dict[str, object]:
    """Nested dicts and lists that `config_from_table` reads back."""
    return {name: value for name, value in _plain(dataclasses.asdict(config)).items() if value is not None}


def changed(config: TrainConfig, other: TrainConfig) -> list[str]:
    """Names of the values that differ, apart from [run] and the number of steps: those may differ on resuming."""
    mine, theirs = (_flat({**as_table(value), "run": {}}) for value in (config, other))
    names = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
    seeds = ["run.seed"] if config.run.seed != other.run.seed else []
    return [name for name in names if name != "schedule.steps"] + seeds


def _plain(value: object) -> dict[str, object]:
    def listed(item: object) -> object:
        if isinstance(item, dict):
            return {name: listed(member) for name, member in item.items() if member is not None}
        return list(item) if isinstance(item, tuple) else item

    result = listed(value)
    assert isinstance(result, dict)
    return result


def _flat(table: dict[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in table.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat
