"""SAM 2.1 through the transformers package (Ravi et al. 2024, arXiv 2408.00714)."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from core.perception.pretrained import IMAGENET, as_input, load_pretrained
from core.perception.segmentation.promptable import Square, batched, embedding_of, masks_of, placed, prepared_by
from core.types.mask import Mask, Prompt
from core.types.photo import Photo
from core.types.protocols import BackendInfo, Embedding


class Sam2:
    """SegmentationBackend over a folder of weights, the released video models included (their image part is used)."""

    def __init__(self, info: BackendInfo, folder: Path) -> None:
        self.info = info
        self._network = load_pretrained("Sam2Model", folder)
        self._side = int(self._network.prompt_encoder.input_image_size)

    def prepare(self, photo: Photo) -> Embedding:
        """The encoder's features of the photo squeezed into the network's square."""
        square = Square(photo.width, photo.height, self._side, self._side, self._side)
        picture = Image.fromarray(photo.srgb).resize((self._side, self._side), Image.Resampling.BILINEAR)
        with torch.inference_mode():
            features = self._network.get_image_embeddings(as_input(np.asarray(picture), IMAGENET))
        return embedding_of(self.info, photo, square, features)

    def segment(self, embedding: Embedding, prompt: Prompt) -> list[Mask]:
        """Three masks of a lone click, else one. Raises InvalidInput on an empty, contradictory or outside prompt."""
        prepared = prepared_by(self.info, embedding)
        asked = placed(prompt, prepared.square, self._network.prompt_encoder.mask_input_size[0])
        device = self._network.device
        points, labels, previous = (
            batched(None if values is None else values[None], device)
            for values in (*((asked.points, asked.labels) if len(asked.labels) else (None, None)), asked.previous)
        )
        with torch.inference_mode():
            told = self._network(
                image_embeddings=list(prepared.features),
                input_points=points,
                input_labels=labels,
                input_boxes=None if asked.box is None else batched(asked.box[None], device),
                input_masks=previous,
                multimask_output=asked.ambiguous,
            )
        logits, rated = told.pred_masks[0, 0].float().cpu().numpy(), told.iou_scores[0, 0].float().cpu().numpy()
        return masks_of(logits, rated, prepared, prompt, self.info.title)
