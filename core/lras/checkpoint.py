"""Checkpoint files without their weights in memory: what is inside, and its tensors one after another.

Two forms: the released `.pt` (a dict with `cfg` and `model`), and our folder of `model.safetensors` and
`config.json`. Nothing in a file is ever run or imported.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from core.errors import InvalidInput
from core.lras.config import (
    CAMERA_FLOW_1B,
    RGB_FLOW_7B,
    QuantizerConfig,
    TransformerConfig,
    quantizer_config,
    transformer_config,
)
from core.lras.official import read_official

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"

Kind = Literal["transformer", "quantizer"]
# Where a transformer's token ranges come from: the file's own `cfg`, or the released layout of its table sizes.
RangesFrom = Literal["cfg", "shapes"]

TOKENS = "transformer.token_embedding.weight"
_POSITIONS = "transformer.positional_embedding.weight"
_MASK = "quantizer.mask"
_LARGEST_DESCRIPTION = 1_000_000  # bytes

# Mapped pages count as used memory until the file is closed: it is reopened after so many bytes or this share
# of the file, whichever is more. A larger tensor is mapped alone.
_MAPPED_BYTES = 4 << 20
_MAPPED_SHARE = 64

# Head counts cannot be read off shapes; the released networks have 128-wide heads at 4096, 64-wide at 1280.
_HEADS = {4096: 32, 1280: 20}
_RGB_ONLY = {name: value for name, value in RGB_FLOW_7B.as_cfg().items() if "flow" not in name} | {
    "vocab_size": 67584,
    "block_size": 10240,
}
_LAYOUTS = {
    (layout["vocab_size"], layout["block_size"]): {name: layout[name] for name in layout if name.endswith("_range")}
    for layout in (RGB_FLOW_7B.as_cfg(), CAMERA_FLOW_1B.as_cfg(), _RGB_ONLY)
}

_SAFETENSORS_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I8": torch.int8,
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A stored tensor's size and type."""

    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def size_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds. `int8`: the Linears are stored as `Int8Linear`. `ranges_from` is None for quantizers."""

    path: Path
    config: TransformerConfig | QuantizerConfig
    int8: bool
    ranges_from: RangesFrom | None
    entries: Mapping[str, Entry]
    _read: Callable[[Sequence[str]], dict[str, Tensor]]

    @property
    def kind(self) -> Kind:
        return "transformer" if isinstance(self.config, TransformerConfig) else "quantizer"

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Every tensor, mapped from the file; copy it before asking for the next.

        The largest come first, when little else is in memory yet.
        """
        most = max(_MAPPED_BYTES, sum(entry.size_bytes for entry in self.entries.values()) // _MAPPED_SHARE)
        batch, mapped = [], 0
        for name, entry in sorted(self.entries.items(), key=lambda item: -item[1].size_bytes):
            if batch and mapped + entry.size_bytes > most:
                yield from self._read(batch).items()
                batch, mapped = [], 0
            batch.append(name)
            mapped += entry.size_bytes
        yield from self._read(batch).items()


def open_checkpoint(path: Path) -> Checkpoint:
    """A released `.pt` file or a folder of ours. Raises InvalidInput."""
    if path.is_dir():
        return _open_folder(path)
    if not path.is_file():
        raise InvalidInput(f"There is no checkpoint {path}; give a .pt file or a folder with {WEIGHTS_FILE}.")
    cfg, tensors = read_official(path)
    entries = {name: Entry(tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()}

    def read(names: Sequence[str]) -> dict[str, Tensor]:
        mapped = read_official(path)[1]
        return {name: mapped[name] for name in names}

    config, ranges_from = read_config(path, cfg, entries)
    return Checkpoint(path, config, False, ranges_from, entries, read)


def _open_folder(folder: Path) -> Checkpoint:
    described = _read_description(folder)
    weights = folder / WEIGHTS_FILE

    def read(names: Sequence[str]) -> dict[str, Tensor]:
        with safe_open(weights, "pt") as stored:
            return {name: stored.get_tensor(name) for name in names}

    try:
        with safe_open(weights, "pt") as stored:
            slices = {name: stored.get_slice(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
            entries = {
                name: Entry(tuple(part.get_shape()), _SAFETENSORS_DTYPES[part.get_dtype()])
                for name, part in slices.items()
            }
    except KeyError as error:
        raise InvalidInput(f"{weights} holds tensors of the unknown type {error}; it is another model.") from error
    except (SafetensorError, OSError) as error:
        raise InvalidInput(f"{weights} is missing, truncated or damaged; write it again.") from error
    config, ranges_from = read_config(folder, described["cfg"], entries)
    return Checkpoint(folder, config, described["dtype"] == "int8", ranges_from, entries, read)


def _read_description(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG_FILE
    if path.exists() and not (path.is_file() and path.stat().st_size <= _LARGEST_DESCRIPTION):
        raise InvalidInput(f"{path} is no file of at most 1 MB; write the checkpoint again.")
    try:
        described = json.loads(path.read_bytes())
    except OSError as error:
        raise InvalidInput(f"{folder} has no readable {CONFIG_FILE}; it is no checkpoint folder.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is no JSON; write the checkpoint again.") from error
    if not isinstance(described, dict) or not isinstance(described.get("cfg"), dict) or "dtype" not in described:
        raise InvalidInput(f"{path} lacks cfg or dtype; write the checkpoint again.")
    return described


def read_config(
    path: Path, cfg: Mapping[str, Any], entries: Mapping[str, Entry]
) -> tuple[TransformerConfig | QuantizerConfig, RangesFrom | None]:
    """The kind is told by the tensors; sizes and ranges by `cfg`, else by the tables' shapes."""
    try:
        if TOKENS in entries and _POSITIONS in entries:
            return _transformer_config(cfg, entries)
        if _MASK in entries:
            return quantizer_config(cfg), None
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from error
    some = ", ".join(list(entries)[:3]) or "none"
    raise InvalidInput(f"{path} is another model: it has neither {TOKENS} nor {_MASK}; its tensors are {some}...")


def _transformer_config(cfg: Mapping[str, Any], entries: Mapping[str, Entry]) -> tuple[TransformerConfig, RangesFrom]:
    for name in (TOKENS, _POSITIONS):
        if len(entries[name].shape) != 2:
            raise InvalidInput(
                f"{name} has {len(entries[name].shape)} axes where 2 were expected; it is another model."
            )
    rows, width = entries[TOKENS].shape
    positions = entries[_POSITIONS].shape[0]
    ranges = _LAYOUTS.get((rows, positions), {})
    layers = (re.match(r"transformer\.h\.(\d{1,6})\.", name) for name in entries)
    shapes = {
        "n_layer": max((int(found[1]) + 1 for found in layers if found), default=0),
        "n_head": _HEADS.get(width),
        "n_embd": width,
        "vocab_size": rows,
        "block_size": positions,
        "bias": "transformer.ln_f.bias" in entries,
    }
    own = {name: value for name, value in cfg.items() if value is not None}
    config = transformer_config({**ranges, **shapes, **own})
    return config, "shapes" if any(value and name not in own for name, value in ranges.items()) else "cfg"
