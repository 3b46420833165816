"""Networks of the transformers package from a folder on this machine, and pictures as they want them."""

import importlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from safetensors import SafetensorError
from torch import Tensor

from core.errors import InvalidInput
from core.files.strict_json import read_json
from core.lras.placement import placement
from core.types.protocols import CancelToken

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Mean and deviation per colour, for values of 0..1."""


def load_pretrained(network: str, folder: Path) -> Any:
    """The network of that class in float32 on the fastest device, from config.json and model.safetensors.

    Never asks the network and never runs code or pickles of the folder. Raises InvalidInput when its files are
    damaged, those of another network, or lack a weight.
    """
    _check_config(folder)
    transformers = importlib.import_module("transformers")
    strict = importlib.import_module("huggingface_hub.errors").StrictDataclassError
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        model, told = getattr(transformers, network).from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError, strict) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise InvalidInput(f"{folder} cannot be read as {network} ({why}); fetch it again.") from error
    lacking = [*told["missing_keys"], *told["mismatched_keys"]]
    if lacking:
        first = min(map(str, lacking))
        raise InvalidInput(f"{folder} lacks {len(lacking)} weights of {network}, such as {first}; fetch it again.")
    return model.eval().to(placement()[0])


def _check_config(folder: Path) -> None:
    """A configuration may name code of its own or other files to fetch; those of the networks used here do not."""
    path = folder / "config.json"
    try:
        config = read_json(path, str(path))
    except InvalidInput as error:
        raise InvalidInput(f"{folder} holds another model or is damaged: {error} Else fetch it again.") from error
    if not isinstance(config, dict):
        raise InvalidInput(f"{path} holds no configuration; fetch it again.")
    if "auto_map" in json.dumps(config) or config.get("use_pretrained_backbone"):
        raise InvalidInput(f"{path} asks for code or weights from elsewhere; get the authors' own file.")


def as_input(
    picture: UInt8[np.ndarray, "H W 3"], colours: tuple[Sequence[float], Sequence[float]]
) -> Float32[Tensor, "1 3 H W"]:
    """A picture with mean and deviation taken off, where the networks run."""
    mean, deviation = (np.asarray(values, np.float32) for values in colours)
    values = (picture.astype(np.float32) / np.float32(255) - mean) / deviation
    return torch.from_numpy(values).permute(2, 0, 1)[None].to(placement()[0])


class Stoppable:
    """A network asked by one caller at a time, which ends between two of its layers when it is cancelled."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self._alone = threading.Lock()

    def __call__(self, cancel: CancelToken, *inputs: Tensor) -> Any:
        """What the network makes of `inputs`. Raises Cancelled."""
        with self._alone, torch.inference_mode():
            hooks = [layer.register_forward_pre_hook(lambda *_: cancel.check()) for layer in self.network.modules()]
            try:
                return self.network(*inputs)
            finally:
                for hook in hooks:
                    hook.remove()
