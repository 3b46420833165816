"""A result that the machine has no memory for is refused before it is begun, with both figures."""

from collections.abc import Callable

import numpy as np
import pytest
from fakes import FlatEngine
from scenes import card_before_wall

from core.editing.apply import apply, new_project
from core.editing.costs import (
    require_for_frame,
    require_for_layers,
    require_for_mesh,
    require_for_peeling,
    require_for_points,
)
from core.editing.memo import Memo
from core.editing.peel import peel
from core.editing.render import render
from core.editing.takeaway import Result, take
from core.errors import NotEnoughMemory
from core.maths.rigid import pose
from core.types.camera import Camera
from core.types.edits import AddObject, HideObject, SetCamera
from core.types.project import Project

SIZE = (12_000, 8_000)


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.memory.free_bytes", lambda: 3_000_000_000)


@pytest.mark.usefixtures("free")
def test_the_cost_grows_with_what_is_moved_and_with_the_bits() -> None:
    scene = card_before_wall()
    still = new_project(scene.photo, scene.estimate)
    require_for_frame(still, SIZE)
    moved = apply(still, SetCamera(Camera(still.scene.source_intrinsics, pose(np.eye(3), (0.1, 0, 0)))))
    with pytest.raises(NotEnoughMemory, match=r"picture of 12000x8000 pixels needs about 5.8 GB of"):
        require_for_frame(moved, SIZE)
    with pytest.raises(NotEnoughMemory):
        require_for_frame(apply(apply(still, AddObject("a", scene.mask, "A")), HideObject("a")), SIZE)
    deep = card_before_wall(dtype=np.uint16)
    with pytest.raises(NotEnoughMemory):
        require_for_frame(new_project(deep.photo, deep.estimate), SIZE)


@pytest.mark.usefixtures("free")
def test_points_are_asked_for_too() -> None:
    require_for_points((4000, 3000))
    with pytest.raises(NotEnoughMemory, match=r"point cloud of 12000x8000 pixels needs about 9.6 GB"):
        require_for_points(SIZE)
    with pytest.raises(NotEnoughMemory, match=r"textured mesh of 12000x8000 pixels needs about .* and 3.0 GB are free"):
        require_for_mesh(SIZE)


def test_layers_meshes_and_peeled_photos_are_refused_before_they_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = card_before_wall()
    project = apply(new_project(scene.photo, scene.estimate), AddObject("a", scene.mask, "A"))
    (frame,) = render(project, FlatEngine(), Memo(), stream=False)
    monkeypatch.setattr("core.memory.free_bytes", lambda: 1000)
    result = Result(project, frame, FlatEngine(), Memo())
    for kind in ("layers", "mesh", "cloud"):
        with pytest.raises(NotEnoughMemory):
            take(result, kind)
    with pytest.raises(NotEnoughMemory):
        peel(project, FlatEngine(), Memo())


@pytest.mark.parametrize(("require", "room"), [(require_for_layers, 125), (require_for_peeling, 95)])
def test_layers_of_sixteen_bits_need_more(
    monkeypatch: pytest.MonkeyPatch, require: Callable[[Project], None], room: int
) -> None:
    plain, deep = (card_before_wall(dtype=dtype) for dtype in (np.uint8, np.uint16))
    pixels = plain.photo.width * plain.photo.height
    monkeypatch.setattr("core.memory.free_bytes", lambda: room * pixels)
    require(new_project(plain.photo, plain.estimate))
    with pytest.raises(NotEnoughMemory):
        require(new_project(deep.photo, deep.estimate))


def test_a_render_is_refused_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = card_before_wall()
    monkeypatch.setattr("core.memory.free_bytes", lambda: 1000)
    with pytest.raises(NotEnoughMemory):
        next(render(new_project(scene.photo, scene.estimate), FlatEngine(), Memo()))
