"""Checkpoints to networks in memory. Only one tensor at a time exists twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from core.errors import InvalidInput
from core.lras.checkpoint import TOKENS, Checkpoint, Entry, Kind, RangesFrom, open_checkpoint
from core.lras.config import QuantizerConfig, TransformerConfig
from core.lras.int8 import quantise, quantise_linears
from core.lras.memory import free_bytes
from core.lras.quantizer import Quantizer, bit_values
from core.lras.transformer import Transformer

FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)

# What loading may take beside the network itself.
_LOADING_SHARE = 0.2
_NAMED_KEYS = 3


@dataclass(frozen=True)
class Summary:
    """What is in a checkpoint, without its weights. `dtypes` are its weights', `size_bytes` the tensors'."""

    kind: Kind
    layout: str
    config: TransformerConfig | QuantizerConfig
    parameters: int
    dtypes: tuple[str, ...]
    size_bytes: int
    ranges_from: RangesFrom | None


def inspect(path: Path) -> Summary:
    """Kind, sizes and types; names and shapes of all tensors are checked, their values are not. Raises InvalidInput."""
    checkpoint = open_checkpoint(path)
    network = _skeleton(checkpoint)
    config = checkpoint.config
    return Summary(
        kind=checkpoint.kind,
        layout=_layout(config),
        config=config,
        parameters=config.parameter_count
        if isinstance(config, TransformerConfig)
        else sum(weight.numel() for weight in network.parameters()),
        dtypes=tuple(sorted({_word(e.dtype) for e in checkpoint.entries.values() if e.dtype in (*FLOATS, torch.int8)})),
        size_bytes=sum(entry.size_bytes for entry in checkpoint.entries.values()),
        ranges_from=checkpoint.ranges_from,
    )


def load_transformer(path: Path, dtype: torch.dtype | None = None, device: torch.device | str = "cpu") -> Transformer:
    """The network for inference: eval mode, no gradients.

    `dtype` None keeps the stored one; torch.int8 makes the Linears int8 and the rest bfloat16. Linears that are
    stored as int8 stay so, whatever the dtype of the rest. Raises InvalidInput.
    """
    checkpoint = open_checkpoint(path)
    if checkpoint.kind != "transformer":
        raise InvalidInput(f"{path} is a quantizer, not a transformer; give the predictor's checkpoint.")
    network = _skeleton(checkpoint)
    assert isinstance(network, Transformer)
    if dtype == torch.int8 and not checkpoint.int8:
        quantise_linears(network)
    floats = {None: checkpoint.entries[TOKENS].dtype, torch.int8: torch.bfloat16}.get(dtype, dtype)
    assert floats is not None
    _fill(network, checkpoint, floats, torch.device(device))
    return network


def load_quantizer(path: Path, device: torch.device | str = "cpu") -> Quantizer:
    """The autoencoder in float32 for inference: eval mode, no gradients. Raises InvalidInput."""
    checkpoint = open_checkpoint(path)
    if checkpoint.kind != "quantizer":
        raise InvalidInput(f"{path} is a transformer, not a quantizer; give the quantizer's checkpoint.")
    network = _skeleton(checkpoint)
    assert isinstance(network, Quantizer)
    _fill(network, checkpoint, torch.float32, torch.device(device))
    if not torch.equal(network.quantizer.mask.cpu(), bit_values(network.config.bits)):
        raise InvalidInput(f"{path}: quantizer.mask is not the powers of two; its codes have another meaning.")
    return network


def _skeleton(checkpoint: Checkpoint) -> nn.Module:
    """The network without memory, after its names, shapes and types were compared with the file's."""
    config = checkpoint.config
    try:
        with torch.device("meta"):
            network = Transformer(config) if isinstance(config, TransformerConfig) else Quantizer(config)
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(f"{checkpoint.path}: no network has the sizes of its configuration.") from error
    if checkpoint.int8:
        quantise_linears(network)
    fault = _difference(network.state_dict(), checkpoint.entries)
    if fault:
        raise InvalidInput(f"{checkpoint.path} does not fit its configuration: {fault}.")
    return network.eval().requires_grad_(False)


def _difference(expected: Mapping[str, Tensor], entries: Mapping[str, Entry]) -> str | None:
    missing = [name for name in expected if name not in entries]
    if missing:
        return f"it lacks {_some(missing)}"
    unknown = [name for name in entries if name not in expected]
    if unknown:
        return f"it has the unknown {_some(unknown)}"
    shapes = [
        f"{name} is {_sides(entries[name].shape)} instead of {_sides(tensor.shape)}"
        for name, tensor in expected.items()
        if entries[name].shape != tuple(tensor.shape)
    ]
    if shapes:
        return _some(shapes)
    types = [
        f"{name} is {entries[name].dtype} instead of {'a float' if tensor.is_floating_point() else tensor.dtype}"
        for name, tensor in expected.items()
        if entries[name].dtype not in (FLOATS if tensor.is_floating_point() else (tensor.dtype,))
    ]
    return _some(types) if types else None


def _fill(network: nn.Module, checkpoint: Checkpoint, dtype: torch.dtype, device: torch.device) -> None:
    """Give the network without memory the file's weights, cast and checked one by one.

    All of its memory is set aside first: what is needed for a moment then leaves no holes between weights. Convolutions
    get the layout in which a CPU encodes several times faster.
    """
    network.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload] - not in PyTorch's stubs
    _check_memory(network, checkpoint.path, dtype, device)
    network.to_empty(device=device)
    places = network.state_dict()
    for name, stored in checkpoint.tensors():
        place = places[name]
        if stored.is_floating_point() and place.dtype == torch.int8:
            scale = places[f"{name.removesuffix('weight')}scale"]
            quantise(stored, place, scale)
            place = scale
        else:
            place.copy_(stored)
        if place.is_floating_point() and not _finite(place):
            raise InvalidInput(
                f"{checkpoint.path}: {name} holds NaN or infinite values as {_word(dtype)}; "
                "get the file again or choose a wider type."
            )


def _finite(tensor: Tensor) -> bool:
    """Both ends say it: NaN spreads to them, and no temporary copy is made."""
    return bool(torch.stack(torch.aminmax(tensor)).isfinite().all())


def _check_memory(network: nn.Module, path: Path, dtype: torch.dtype, device: torch.device) -> None:
    """Raises InvalidInput before anything is read when the network will not fit."""
    sizes = (t.numel() * (dtype if t.is_floating_point() else t.dtype).itemsize for t in network.state_dict().values())
    needed, free = int(sum(sizes) * (1 + _LOADING_SHARE)), free_bytes(device)
    if free is not None and needed > free:
        raise InvalidInput(
            f"Loading {path} as {_word(dtype)} needs {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free; "
            "close other programs or choose a smaller type (bf16, int8)."
        )


def _layout(config: TransformerConfig | QuantizerConfig) -> str:
    if isinstance(config, QuantizerConfig):
        return f"{'RGB' if config.channels == 3 else 'flow'}, {config.vocab_size} codes"
    return {"none": "RGB only", "binned": "RGB + binned flow", "quantised": "camera + quantised flow"}[config.flow_kind]


def _word(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _sides(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED_KEYS
    return ", ".join(names[:_NAMED_KEYS]) + (f" and {more} more" if more > 0 else "")
