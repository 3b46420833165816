"""One object in the 3D view: its Gaussians as the child of its gizmo, so that a drag needs no server."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from app.viewport.geometry import (
    GizmoPose,
    gizmo_from_object,
    gizmo_pose,
    placement_of_gizmo,
)
from app.viewport.splats import LayerCloud
from core.maths.rigid import Matrix3, placement_matrix, transform
from core.types.scene import Placement, Vec3

if TYPE_CHECKING:
    import viser

GIZMO_PIXELS = 86.0
_FREE = (-1e6, 1e6)


@dataclass(frozen=True, eq=False)
class ObjectLayer:
    """An object to show: its Gaussians at rest, what it turns about, and where it stands."""

    cloud: LayerCloud
    pivot: Vec3
    placement: Placement = field(default_factory=Placement)
    hidden: bool = False


class ObjectNode:
    """The viser nodes of one object. `unit` is viewer units per scene unit."""

    def __init__(self, scene: "viser.SceneApi", object_id: str, layer: ObjectLayer, unit: float) -> None:
        self.layer = layer
        self.placement = layer.placement
        self._unit = unit
        self._relative = (1.0, 0.0, 0.0, 0.0)
        name = f"/objects/{object_id}"
        self._gizmo = scene.add_transform_controls(
            name,
            scale=GIZMO_PIXELS,
            line_width=3.0,
            fixed=True,
            disable_axes=True,
            disable_sliders=True,
            disable_rotations=True,
            translation_limits=(_FREE, _FREE, _FREE),
            rotation_limits=(_FREE, _FREE, _FREE),
            depth_test=False,
            visible=not layer.hidden,
        )
        self._splats = add_splats(scene, f"{name}/splats", layer.cloud, unit, origin=layer.pivot)

    def on_gizmo(self, handler: "Callable[[str, GizmoPose], None]") -> None:
        """Call `handler(phase, pose)` for every gizmo event: "start", "update" or "end"."""

        async def forward(event: "viser.TransformControlsEvent") -> None:
            x, y, z = (float(v) / self._unit for v in event.target.position)
            w, i, j, k = (float(v) for v in event.target.wxyz)
            handler(event.phase, GizmoPose((x, y, z), (w, i, j, k)))

        self._gizmo.on_update(forward)

    def place(self, placement: Placement, axes: Matrix3) -> None:
        """Stand at `placement`, the gizmo along `axes`."""
        pose = gizmo_pose(placement, self.layer.pivot, axes)
        self.placement = placement
        self._relative = gizmo_from_object(placement, axes)
        self._gizmo.position = np.multiply(pose.position, self._unit)
        self._gizmo.wxyz = pose.rotation
        self._splats.wxyz = self._relative
        self._splats.scale = placement.scale

    def read(self, pose: GizmoPose) -> Placement:
        """The placement a gizmo pose stands for."""
        return placement_of_gizmo(pose, self._relative, self.layer.pivot, self.placement.scale)

    def show_gizmo(self, shown: bool, slide: bool) -> None:
        """`slide` leaves the two ground axes and the turn about the third."""
        self._gizmo.active_axes = (True, True, not slide)
        self._gizmo.disable_axes = not shown
        self._gizmo.disable_sliders = not shown
        self._gizmo.disable_rotations = not shown

    def show(self, shown: bool) -> None:
        self._gizmo.visible = shown

    def points(self) -> np.ndarray:
        """The Gaussians' centres where they stand now, world axes, scene units [N 3]."""
        return transform(placement_matrix(self.placement, self.layer.pivot), self.layer.cloud.centres)

    def top(self, up: Vec3) -> np.ndarray:
        """Where the object's size is taken hold of: above its pivot, as high as it reaches along `up`."""
        centre = np.add(self.layer.pivot, self.placement.translation)
        if not len(self.layer.cloud):
            return centre
        height = float(np.percentile((self.points() - centre) @ np.asarray(up), 98))
        return centre + max(height, 0.0) * np.asarray(up)

    def remove(self) -> None:
        self._splats.remove()
        self._gizmo.remove()


def add_splats(
    scene: "viser.SceneApi", name: str, cloud: LayerCloud, unit: float, origin: Vec3 = (0.0, 0.0, 0.0)
) -> "viser.GaussianSplatHandle":
    """Upload Gaussians with `origin` (scene units) at the node's own origin.

    viser keeps covariances in half precision: `unit` must bring a pixel's footprint well above
    0.001, else they lose their shape.
    """
    return scene.add_gaussian_splats(
        name,
        centers=(cloud.centres - np.asarray(origin, np.float32)) * np.float32(unit),
        covariances=cloud.covariances * np.float32(unit * unit),
        rgbs=cloud.colours,
        opacities=cloud.opacities[:, None],
    )
