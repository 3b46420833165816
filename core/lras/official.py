"""The released `.pt` files: a pickled dict with `cfg` and `model`, of which only plain values are accepted."""

import argparse
import pickle
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.errors import InvalidInput

# `torch.compile` left it in the names.
_COMPILED = "_orig_mod."

# What PyTorch's reader and its restricted unpickler raise on damaged files.
DAMAGED = (
    RuntimeError, pickle.UnpicklingError, EOFError, OSError, ValueError, TypeError, KeyError, IndexError,
    AttributeError, AssertionError, struct.error, OverflowError,
)  # fmt: skip


def read_official(path: Path) -> tuple[Mapping[str, Any], dict[str, Tensor]]:
    """`cfg` and the tensors under their released names, memory-mapped. Raises InvalidInput."""
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            stored = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except DAMAGED as error:
        raise InvalidInput(_why_unreadable(path, str(error))) from error
    if not isinstance(stored, dict):
        raise InvalidInput(f"{path} holds no dict of cfg and model; it is no checkpoint of this kind.")
    cfg = stored.get("cfg", stored.get("config", {}))
    cfg = vars(cfg) if isinstance(cfg, argparse.Namespace) else cfg
    model = stored.get("model", stored.get("weights"))
    if not isinstance(cfg, dict) or not isinstance(model, dict):
        raise InvalidInput(f"{path} lacks a dict named model or weights, or its cfg is no dict; it is another model.")
    tensors: dict[str, Tensor] = {}
    for key, tensor in model.items():
        if not isinstance(key, str) or not isinstance(tensor, Tensor) or tensor.layout != torch.strided:
            raise InvalidInput(f"{path}: the entry {key!r} is no plain tensor; it is another model.")
        name = key.replace(_COMPILED, "")
        if name in tensors:
            raise InvalidInput(f"{path} holds {name} twice, once under {key}; it cannot be told which one counts.")
        tensors[name] = tensor.detach()
    return cfg, tensors


def _why_unreadable(path: Path, message: str) -> str:
    wanted = re.search(r"GLOBAL (\S+)", message)
    if wanted:
        return f"{path} asks for the code {wanted[1]}, which a checkpoint may not; get it from its authors."
    return f"{path} cannot be read as a checkpoint; it is truncated, damaged or of another format, so get it again."
