"""Gestures about shadows: taking one along with its object, leaving it, painting it."""

from app import selection
from app.session_core import SessionCore
from core.editing.shadows import no_shadow_sentence, proposed_shadow
from core.errors import InvalidInput
from core.types import edits
from core.types.mask import Mask


class ShadowGestures(SessionCore):
    """Each gesture is one undo step. An object's shadow stays in the background until it is taken along."""

    def take_shadow(self, object_id: str) -> None:
        """Let the shadow beside an object go with it; listeners get a notice when none can be told."""
        project = self.project
        shadow = proposed_shadow(project, object_id)
        if shadow is None:
            self.tell(no_shadow_sentence(project, object_id, "press Paint and brush over it"))
        else:
            label = project.scene.object(object_id).label
            self._commit(edits.SetShadow(object_id, shadow), f"{label}: shadow taken along")

    def leave_shadow(self, object_id: str) -> None:
        """Leave an object's shadow in the background."""
        item = self.project.scene.object(object_id)
        if item.shadow is not None:
            self._commit(edits.SetShadow(object_id, None), f"{item.label}: shadow left")

    def brush_shadow(self, points: list[tuple[float, float]], radius: float, add: bool) -> None:
        """Paint the selected object's shadow in photo pixels, or erase it."""
        item = self.selected_object
        if item is None:
            raise InvalidInput("Select an object first; then its shadow can be painted.")
        if item.shadow is None and not add:
            raise InvalidInput(f"{item.label} has no shadow to erase; take it along or paint it first.")
        painted = selection.painted(self.project.photo, item.shadow, points, radius, add)
        shadow = Mask(painted.coverage, "painted shadow")
        self._commit(edits.SetShadow(item.id, shadow), f"{item.label}: shadow painted")
