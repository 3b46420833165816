"""SAM through the segment-anything package (Kirillov et al. 2023, arXiv 2304.02643)."""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from core.errors import InvalidInput
from core.lras.official import DAMAGED
from core.lras.placement import placement
from core.perception.pretrained import IMAGENET, as_input
from core.perception.segmentation.promptable import Square, batched, embedding_of, masks_of, placed, prepared_by
from core.types.mask import Mask, Prompt
from core.types.photo import Photo
from core.types.protocols import BackendInfo, Embedding

_PACKAGE = "segment_anything"
_WINDOW = 14


class Sam:
    """SegmentationBackend over a released `.pth` or one of the same kind; its size is read from its tensors."""

    def __init__(self, info: BackendInfo, file: Path) -> None:
        self.info = info
        self._network = load_sam(file)
        self._side = int(self._network.image_encoder.img_size)

    def prepare(self, photo: Photo) -> Embedding:
        """The encoder's features of the photo, its longer side 1024 pixels, in a square padded with zeros."""
        factor = self._side / max(photo.width, photo.height)
        across, down = (max(1, int(length * factor + 0.5)) for length in (photo.width, photo.height))
        square = Square(photo.width, photo.height, across, down, self._side)
        picture = Image.fromarray(photo.srgb).resize((across, down), Image.Resampling.BILINEAR)
        seen = as_input(np.asarray(picture), IMAGENET)
        padded = seen.new_zeros(1, 3, self._side, self._side)
        padded[..., :down, :across] = seen
        with torch.inference_mode():
            return embedding_of(self.info, photo, square, [self._network.image_encoder(padded)])

    def segment(self, embedding: Embedding, prompt: Prompt) -> list[Mask]:
        """Three masks of a lone click, else one. Raises InvalidInput on an empty, contradictory or outside prompt."""
        prepared = prepared_by(self.info, embedding)
        encoder, (features,) = self._network.prompt_encoder, prepared.features
        asked = placed(prompt, prepared.square, encoder.mask_input_size[0])
        points = (batched(asked.points, features.device), batched(asked.labels, features.device))
        with torch.inference_mode():
            sparse, dense = encoder(
                points=points if len(asked.labels) else None,
                boxes=batched(asked.box, features.device),
                masks=None if asked.previous is None else batched(asked.previous[None], features.device),
            )
            logits, rated = self._network.mask_decoder(
                image_embeddings=features,
                image_pe=encoder.get_dense_pe(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=asked.ambiguous,
            )
        return masks_of(logits[0].cpu().numpy(), rated[0].cpu().numpy(), prepared, prompt, self.info.title)


def load_sam(file: Path) -> Any:
    """The package's network with the file's tensors on the fastest device; nothing but tensors is unpickled.

    Raises InvalidInput when the file is damaged or holds another network.
    """
    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        sizes = _sizes(tensors)
        # Without weights of its own at first: random ones would take seconds and as much memory again.
        with torch.device("meta"):
            network = _builders()._build_sam(*sizes)
        network.load_state_dict(tensors, assign=True)
    except DAMAGED as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise InvalidInput(f"{file} cannot be read as a SAM checkpoint ({why}); fetch it again.") from error
    # The package's own means and deviations, which no file holds; ours are taken off before.
    network.pixel_mean = network.pixel_std = torch.zeros(3, 1, 1)
    return network.eval().requires_grad_(False).to(placement()[0])


def _sizes(tensors: Mapping[str, Tensor]) -> tuple[int, int, int, list[int]]:
    """Width, depth, heads and the blocks that look at the whole picture: those with positions beyond a window."""
    width = tensors["image_encoder.patch_embed.proj.weight"].shape[0]
    depth = 1 + max(int(name.split(".")[2]) for name in tensors if name.startswith("image_encoder.blocks."))
    reach = [tensors[f"image_encoder.blocks.{block}.attn.rel_pos_h"].shape for block in range(depth)]
    everywhere = [block for block in range(depth) if reach[block][0] != 2 * _WINDOW - 1]
    return width, depth, width // reach[0][1], everywhere


def _builders() -> ModuleType:
    """The package's builders without the rest of it: its front door imports torchvision for what is not used here."""
    spec = importlib.util.find_spec(_PACKAGE)
    assert spec is not None
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == _PACKAGE}
    for name in before:
        del sys.modules[name]
    sys.modules[_PACKAGE] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module(f"{_PACKAGE}.build_sam")
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]:
            del sys.modules[name]
        sys.modules.update(before)
