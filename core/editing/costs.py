"""The memory that results take, asked for before they are made: a refusal is better than a process that is killed."""

from core.editing.layers import Size, cut_objects
from core.editing.motion import camera_at_home
from core.memory import require_memory
from core.types.project import Project

# Bytes per pixel of the result, rounded up from what was measured (docs/memory.md), by whether the camera moves and
# whether something is cut out; the photo itself and what the memo keeps come on top.
_FRAME = {(False, False): 30, (True, False): 60, (False, True): 90, (True, True): 100}
_SIXTEEN_BITS = 30
_POINTS = 90


def require_for_frame(project: Project, size: Size) -> None:
    """Raises NotEnoughMemory, saying what it takes and what is free, when a frame of that size cannot be rendered."""
    moves = project.flow_override is not None or not camera_at_home(project.scene)
    each = _FRAME[moves, bool(cut_objects(project))] + _SIXTEEN_BITS * (project.photo.bit_depth == 16)
    width, height = size
    require_memory(each * width * height, f"The edited picture of {width}x{height} pixels")


def require_for_points(width: int, height: int) -> None:
    """Raises NotEnoughMemory when a point for every pixel cannot be made and written."""
    require_memory(_POINTS * width * height, f"A point cloud of {width}x{height} pixels")
