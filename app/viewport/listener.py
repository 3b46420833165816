"""What the 3D view tells the rest of the studio."""

from dataclasses import dataclass
from typing import Literal, Protocol

from core.types.camera import Pose
from core.types.scene import Placement

DragPhase = Literal["start", "move", "end", "cancel"]


@dataclass(frozen=True)
class Modifiers:
    """Keys and button of a click; `secondary` is the right button."""

    shift: bool = False
    ctrl: bool = False
    alt: bool = False
    secondary: bool = False


class ViewportListener(Protocol):
    """Called on the viewport's own thread, one call at a time; keep each call short."""

    def on_drag(self, object_id: str, placement: Placement, phase: DragPhase) -> None:
        """An object is being placed by hand; "end" is the moment to commit, "cancel" restores the start."""
        ...

    def on_click(self, x: float, y: float, object_id: str | None, modifiers: Modifiers) -> None:
        """A click at (x, y) in photo pixels, on `object_id` if one stands there."""
        ...

    def on_camera(self, camera_from_world: Pose, settled: bool) -> None:
        """The view's camera moved; `settled` once it has rested for a quarter of a second."""
        ...

    def on_key(self, action: str) -> None:
        """A key that the studio acts on: hide, remove, duplicate, undo, redo, original, edited, help."""
        ...

    def on_failure(self, failure: Exception) -> None:
        """Something in the view failed; it keeps running."""
        ...
