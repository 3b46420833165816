"""Networks to our checkpoint folder: `model.safetensors` and `config.json`."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from core.errors import EditorError
from core.lras.checkpoint import CONFIG_FILE, WEIGHTS_FILE
from core.lras.int8 import Int8Linear
from core.lras.quantizer import Quantizer
from core.lras.transformer import Transformer

_FILE_MODE = 0o644


def save_transformer(network: Transformer, folder: Path, dtype: torch.dtype | None = None) -> None:
    """Write the network; `dtype` None keeps its own, torch.int8 makes the Linears int8 and the rest bfloat16.

    What the folder held before stays until the new files are whole. Raises EditorError when they cannot be written.
    """
    is_int8 = dtype == torch.int8 or any(isinstance(module, Int8Linear) for module in network.modules())
    kept = torch.bfloat16 if dtype == torch.int8 else dtype or network.dtype
    word = "int8" if is_int8 else str(kept).removeprefix("torch.")
    described = {"kind": "transformer", "dtype": word, "cfg": network.config.as_cfg()}
    _save(_tensors(network, kept, dtype == torch.int8), described, folder)


def save_quantizer(network: Quantizer, folder: Path) -> None:
    """Write the autoencoder in float32, as codes near zero need it. Else as `save_transformer`."""
    described = {"kind": "quantizer", "dtype": "float32", "cfg": network.config.as_cfg()}
    _save(_tensors(network, torch.float32, to_int8=False), described, folder)


def _tensors(network: nn.Module, dtype: torch.dtype, to_int8: bool) -> dict[str, Tensor]:
    """Weights and buffers under their full names, floats as `dtype`; nothing is copied that is so already."""
    found: dict[str, Tensor] = {}
    for name, module in network.named_modules():
        if to_int8 and isinstance(module, nn.Linear):
            module = Int8Linear(module.weight.to(dtype), module.bias)  # noqa: PLW2901
        own = (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))
        for leaf, tensor in own:
            kept = tensor.detach().to("cpu", dtype if tensor.is_floating_point() else tensor.dtype)
            found[f"{name}.{leaf}".removeprefix(".")] = kept.contiguous()
    return found


def _save(tensors: dict[str, Tensor], described: dict[str, Any], folder: Path) -> None:
    """Both files beside their places first. A stale configuration goes before the new weights come."""
    config = (json.dumps(described, indent=2) + "\n").encode()
    staged: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        weights_part = _stage(folder, WEIGHTS_FILE, staged, lambda part: save_file(tensors, part))
        config_part = _stage(folder, CONFIG_FILE, staged, lambda part: part.write_bytes(config))
        place = folder / CONFIG_FILE
        if place.exists() and place.read_bytes() != config:
            place.unlink()
        weights_part.replace(folder / WEIGHTS_FILE)
        config_part.replace(place)
    except (OSError, SafetensorError) as error:
        raise EditorError(
            f"The checkpoint could not be written to {folder} ({error}); choose another place or make room."
        ) from error
    finally:
        for part in staged:
            part.unlink(missing_ok=True)


def _stage(folder: Path, name: str, staged: list[Path], write: Callable[[Path], object]) -> Path:
    """Written, on the disk, and noted in `staged` from the first byte on."""
    handle, path = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder)
    os.close(handle)
    part = Path(path)
    staged.append(part)
    write(part)
    with part.open("rb+") as written:
        os.fsync(written.fileno())
    part.chmod(_FILE_MODE)
    return part
