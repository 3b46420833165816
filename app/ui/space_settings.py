"""How the 3D view behaves: what its handles do, and whether it shows layers or points."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.viewport.geometry import Snap

if TYPE_CHECKING:
    from app.bridge import Bridge

Step = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


class SpaceSettings(BaseModel):
    """Absolute settings; `points` is a point's size in pixels, None shows layers.

    `coarse` is for browsers that draw in software. `home` (back to the output view) and `take_view` (make it
    this one) are done once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    axes: Literal["world", "local", "ground"] = "ground"
    slide: bool = True
    snap_distance: Step | None = None
    snap_angle: Step | None = None
    points: Annotated[float, Field(ge=1, le=10)] | None = None
    clean: bool = True
    coarse: bool = False
    home: bool = False
    take_view: bool = False

    def run(self, bridge: "Bridge") -> None:
        """Carry the settings out. Raises InvalidInput where the session cannot."""
        bridge.set_coarse(self.coarse)
        bridge.set_gizmo(self.axes, self.slide, Snap(self.snap_distance, self.snap_angle))
        if self.points is None:
            bridge.hide_points()
        else:
            bridge.show_points(self.points, self.clean)
        if self.home:
            bridge.viewport.go_home()
        if self.take_view:
            bridge.take_view()
