"""Gestures that say what an object is: clicks, boxes, lassos and brushes."""

from app import selection
from app.session_core import SessionCore
from core.errors import InvalidInput
from core.files.mask import read_mask
from core.types import edits
from core.types.ids import new_object_id
from core.types.mask import Box, Click, Mask
from core.types.scene import SceneObject


class MaskGestures(SessionCore):
    """Selecting and refining masks; each gesture is one undo step."""

    def click(self, x: float, y: float, positive: bool = True) -> None:
        """Select what is under a photo pixel, cut it out, or refine the selected object's mask."""
        project, item = self.project, self.selected_object
        if item is None and positive:
            under = self._object_at(x, y)
            if under is not None:
                self.select(under.id)
                return
        if item is not None and not item.is_untouched:
            raise InvalidInput(
                f"{item.label} has been moved; put it back to change its mask, or press Esc to select something else."
            )
        if item is None and not positive:
            raise InvalidInput("Nothing is selected to take away from; click an object first.")
        before = None if item is None else self._picks.get(item.id)
        mask = None if item is None else item.mask
        click = Click(x, y, positive)
        with self.in_turn():
            pick = selection.add_click(self.services, project.photo, before, mask, click, self._mask_backend)
        self._take_pick(pick)

    def box(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Cut out the thing inside a box, as a new object."""
        self._selected = None
        box = Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        with self.in_turn():
            pick = selection.add_box(self.services, self.project.photo, box, self._mask_backend)
        self._take_pick(pick)

    def lasso(self, points: list[tuple[float, float]], add: bool) -> None:
        """Add the inside of a polygon to the mask, or take it away."""
        self._set_mask(selection.lassoed(self.project.photo, self._own_mask(), points, add), "lassoed")

    def brush(self, points: list[tuple[float, float]], radius: float, add: bool) -> None:
        """Paint the mask, or erase it."""
        self._set_mask(selection.painted(self.project.photo, self._own_mask(), points, radius, add), "painted")

    def grow_mask(self, pixels: float) -> None:
        """Grow the mask; negative values shrink it."""
        self._set_mask(selection.grown(self._needed_mask(), pixels), "grown" if pixels >= 0 else "shrunk")

    def feather_mask(self, pixels: float) -> None:
        """Soften the mask's edge."""
        self._set_mask(selection.feathered(self._needed_mask(), pixels), "softened")

    def use_mask_file(self, source: bytes) -> None:
        """Take the mask from a picture of the photo's size."""
        photo = self.project.photo
        self._set_mask(read_mask(source, photo.width, photo.height), "from a file")

    def next_candidate(self) -> None:
        """Take the next way to read the last click: part, object or more."""
        item = self.selected_object
        if item is None or item.id not in self._picks:
            raise InvalidInput("Click an object first; then its alternatives can be tried.")
        self._take_pick(self._picks[item.id].next_candidate())

    def _object_at(self, x: float, y: float) -> SceneObject | None:
        """The last object whose mask holds a photo pixel and that still stands there."""
        column, row = round(x), round(y)
        for item in reversed(self.project.scene.objects):
            rows, columns = item.mask.coverage.shape
            inside = 0 <= row < rows and 0 <= column < columns
            if inside and item.is_untouched and item.mask.coverage[row, column] >= 128:
                return item
        return None

    def _take_pick(self, chosen: selection.Pick) -> None:
        object_id = self._set_mask(chosen.mask, "cut out" if self.selected_object is None else "refined")
        self._picks[object_id] = chosen

    def _set_mask(self, mask: Mask, done: str) -> str:
        """Give the selected object a mask, or cut out a new object with it."""
        item = self.selected_object
        if item is not None:
            self._commit(edits.SetMask(item.id, mask), f"{item.label} {done}")
            return item.id
        object_id = new_object_id()
        taken = {o.label for o in self.project.scene.objects}
        name = next(f"Object {n}" for n in range(1, len(taken) + 2) if f"Object {n}" not in taken)
        self._commit(edits.AddObject(object_id, mask, name), f"{name} {done}", select=object_id)
        return object_id

    def _own_mask(self) -> Mask | None:
        item = self.selected_object
        return None if item is None else item.mask

    def _needed_mask(self) -> Mask:
        mask = self._own_mask()
        if mask is None:
            raise InvalidInput("Select an object first; then its mask can be changed.")
        return mask
