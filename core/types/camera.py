"""Pinhole camera values: OpenCV axes (x right, y down, z forward), pixel centres at integers."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64

from core.errors import InvalidInput
from core.types.ids import ContentAddressed, content_id, read_only

_RIGID_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Intrinsics:
    """Focal lengths and principal point in pixels of a picture of `width` x `height`."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int

    def __post_init__(self) -> None:
        if not (self.fx > 0 and self.fy > 0 and np.isfinite([self.fx, self.fy, self.cx, self.cy]).all()):
            raise InvalidInput(
                f"Intrinsics need positive, finite focal lengths; got fx={self.fx}, fy={self.fy}, "
                f"cx={self.cx}, cy={self.cy}."
            )
        if self.width < 1 or self.height < 1:
            raise InvalidInput(f"Intrinsics need a picture size of at least 1x1, got {self.width}x{self.height}.")


@dataclass(frozen=True, eq=False)
class Pose(ContentAddressed):
    """A rigid transform as a 4x4 matrix; name each variable by both frames: `a_from_b`.

    Raises InvalidInput when the matrix is not finite, its last row is not (0, 0, 0, 1)
    or its rotation is not orthonormal with determinant +1 (tolerance 1e-4).
    """

    matrix: Float64[np.ndarray, "4 4"]
    id: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        matrix = self.matrix
        if not np.isfinite(matrix).all():
            raise InvalidInput("A pose must be finite; it contains NaN or infinity.")
        if not np.allclose(matrix[3], (0, 0, 0, 1), atol=_RIGID_TOLERANCE):
            raise InvalidInput(f"A pose's last row must be 0 0 0 1, got {matrix[3].tolist()}.")
        rotation = matrix[:3, :3]
        if not np.allclose(rotation @ rotation.T, np.eye(3), atol=_RIGID_TOLERANCE):
            raise InvalidInput("A pose's 3x3 part must be a rotation; remove scale and shear from it.")
        if np.linalg.det(rotation) < 0:
            raise InvalidInput("A pose's 3x3 part mirrors the scene (determinant -1); use a proper rotation.")
        object.__setattr__(self, "matrix", read_only(matrix))
        object.__setattr__(self, "id", content_id(matrix))

    @property
    def rotation(self) -> Float64[np.ndarray, "3 3"]:
        return self.matrix[:3, :3]

    @property
    def translation(self) -> Float64[np.ndarray, "3"]:
        return self.matrix[:3, 3]


IDENTITY = Pose(np.eye(4))


@dataclass(frozen=True)
class Camera:
    """Where the output view is taken from. World = camera frame of the photo at import."""

    intrinsics: Intrinsics
    camera_from_world: Pose = IDENTITY
