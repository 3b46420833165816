"""The editor behind the interface that 3DEditBench's own runner drives."""

import os
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from core.engines.registry import make_engine
from core.errors import InvalidInput
from core.evaluation.object_edits import AskedEdit, moved_frame, own_estimate, seen_twice
from core.files.editbench import intrinsics_from_array, motion_from_arrays, read_case
from core.perception.registry import make_depth_backend, preferred_depth
from core.types.mask import Mask
from core.types.photo import Photo
from core.types.protocols import DepthBackend, Engine

FOLDER_VARIABLE = "LRAS_EDITBENCH"


class EditBenchModel:
    """`run_forward` as the runner calls it; the runner makes the class without arguments.

    `folder` holds the benchmark's files and is the environment's LRAS_EDITBENCH by default. It is needed where the
    depth back-end knows no metres: of each file only the object's annotated points are read, which give its depth a
    scale. Back-end and engine are the studio's own by default.
    """

    def __init__(
        self, folder: Path | None = None, depth: DepthBackend | None = None, engine: Engine | None = None
    ) -> None:
        named = os.environ.get(FOLDER_VARIABLE)
        self._folder = Path(named) if folder is None and named else folder
        self._depth = make_depth_backend(preferred_depth()) if depth is None else depth
        self._engine = make_engine("auto") if engine is None else engine

    def run_forward(
        self,
        image: UInt8[np.ndarray, "H W 3"],
        image_id: str,
        point_prompt: np.ndarray,  # noqa: ARG002 - the benchmark's interface; the mask says more
        R: np.ndarray,
        T: np.ndarray,
        K: np.ndarray,
        gt_segment: np.ndarray,
    ) -> UInt8[np.ndarray, "H W 3"]:
        """The photo with the object of `gt_segment` (above 0) moved by X' = R X + T (camera axes, metres).

        `image_id` is the name of the item's file. Raises InvalidInput for arguments of other shapes, or when depth
        has no scale and the folder is not known.
        """
        height, width = image.shape[:2]
        if gt_segment.shape != (height, width):
            raise InvalidInput(f"The mask is {gt_segment.shape} and the picture {width}x{height}; give one size.")
        asked = AskedEdit(
            Photo(image_id, image, image),
            intrinsics_from_array(np.asarray(K, np.float64), width, height),
            Mask((gt_segment > 0).astype(np.uint8) * np.uint8(255), source="benchmark"),
            motion_from_arrays(np.asarray(R, np.float64), np.asarray(T, np.float64)),
        )
        points = None if self._folder is None else seen_twice(read_case(self._folder / image_id))
        frame = moved_frame(asked, own_estimate(asked, points, self._depth), self._engine)
        return np.array(frame.pixels, np.uint8)
