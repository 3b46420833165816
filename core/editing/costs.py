"""The memory that results take, asked for before they are made: a refusal is better than a process that is killed."""

from core.editing.layers import Size, cut_objects
from core.editing.motion import camera_at_home
from core.memory import require_memory
from core.types.project import Project

# Bytes per pixel, rounded up from what was measured (docs/memory.md). A frame by whether the camera moves and whether
# something is cut out; the photo itself and what the memo keeps come on top.
_FRAME = {(False, False): 30, (True, False): 60, (False, True): 90, (True, True): 110}
_LAYERS, _PEELED, _POINTS, _MESH = 120, 90, 100, 55
# What a frame, layers and peeled layers take more of a photo of 16 bits.
_SIXTEEN_BITS = 30


def require_for_frame(project: Project, size: Size) -> None:
    """Raises NotEnoughMemory, saying what it takes and what is free, when a frame of that size cannot be rendered."""
    moves = project.flow_override is not None or not camera_at_home(project.scene)
    _require("The edited picture", _of_its_bits(project, _FRAME[moves, bool(cut_objects(project))]), size)


def require_for_layers(project: Project) -> None:
    """Raises NotEnoughMemory when an edited picture cannot be taken apart into its layers and written as such."""
    _require("The layers of a picture", _of_its_bits(project, _LAYERS), _size_of(project))


def require_for_peeling(project: Project) -> None:
    """Raises NotEnoughMemory when the photo cannot be peeled and written as layers."""
    _require("Peeling a photo", _of_its_bits(project, _PEELED), _size_of(project))


def require_for_points(size: Size) -> None:
    """Raises NotEnoughMemory when a point for every pixel cannot be made and written."""
    _require("A point cloud", _POINTS, size)


def require_for_mesh(size: Size) -> None:
    """Raises NotEnoughMemory when a mesh with a texture of that size cannot be made and written."""
    _require("A textured mesh", _MESH, size)


def _of_its_bits(project: Project, each: int) -> int:
    return each + _SIXTEEN_BITS * (project.photo.bit_depth == 16)


def _size_of(project: Project) -> Size:
    return project.photo.width, project.photo.height


def _require(what: str, each: int, size: Size) -> None:
    width, height = size
    require_memory(each * width * height, f"{what} of {width}x{height} pixels")
