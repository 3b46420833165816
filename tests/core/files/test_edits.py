import json

import numpy as np
import pytest

from core.errors import BadProjectFile, InvalidInput
from core.files.edits import edit_from_json, edit_to_json, read_edits
from core.files.mask import encode_mask
from core.maths.rigid import pose, rotation_from_euler_deg, rotation_from_quaternion
from core.types import edits
from core.types.camera import Camera, Intrinsics
from core.types.depth import DepthMap, Ground, Layout
from core.types.flow import FlowField
from core.types.mask import Mask
from core.types.project import Settings
from core.types.scene import Placement

RNG = np.random.default_rng(8)
MASK = Mask(RNG.integers(0, 256, (5, 7), dtype=np.uint8), "click", 0.75)
INTRINSICS = Intrinsics(1 / 3, 2.5, 3.0, 2.0, 7, 5)
DEPTH = DepthMap(RNG.uniform(1, 2, (5, 7)).astype(np.float32), RNG.random((5, 7)) > 0.5, "relative", "test", True)
VECTORS = RNG.normal(size=(5, 7, 2)).astype(np.float32)
VECTORS[0, 0] = np.nan
FLOW = FlowField(VECTORS, RNG.random((5, 7)) > 0.5, RNG.random((6, 8)) > 0.5)
PLACEMENT = Placement((0.1, -2.0, 1e-9), (0.5, 0.5, -0.5, 0.5), 1.5)
ALL = (
    edits.AddObject("obj-1", MASK, "cup"),
    edits.SetMask("obj-1", MASK),
    edits.SetShadow("obj-1", MASK),
    edits.SetShadow("obj-1", None),
    edits.PlaceObject("obj-1", PLACEMENT),
    edits.HideObject("obj-1"),
    edits.HideObject("obj-1", hidden=False),
    edits.DuplicateObject("obj-1", "obj-2", PLACEMENT),
    edits.ReleaseObject("obj-1"),
    edits.RenameObject("obj-1", "Tässchen"),
    edits.SetCamera(Camera(INTRINSICS, pose(rotation_from_euler_deg(1, 2, 3), (0.1, 0.2, 0.3)))),
    edits.SetDepth(DEPTH, INTRINSICS, Ground((0.0, -1.0, 0.0), 1.2), Layout(0.4, 0.6)),
    edits.SetDepth(DEPTH, INTRINSICS, None),
    edits.SetDistance((3.0, 4.5), (90.25, 10.0), 1.25),
    edits.SetFlow(FLOW),
    edits.SetFlow(None),
    edits.SetSettings(Settings("warp", 7)),
    edits.RerollRegion(MASK, 7),
)


def test_every_kind_of_edit_is_covered():
    assert {type(edit) for edit in ALL} == set(edits.Edit.__args__)


@pytest.mark.parametrize("edit", ALL, ids=lambda edit: type(edit).__name__)
def test_edits_survive_json_and_blobs(edit):
    blobs: dict[str, bytes] = {}
    text = json.dumps(edit_to_json(edit, blobs), allow_nan=False)
    assert edit_from_json(json.loads(text), blobs) == edit


def test_scores_and_sources_survive_too():
    blobs: dict[str, bytes] = {}
    again = edit_from_json(edit_to_json(edits.SetMask("a", MASK), blobs), blobs)
    assert isinstance(again, edits.SetMask)
    assert (again.mask.source, again.mask.score) == ("click", 0.75)
    assert not again.mask.coverage.flags.writeable


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "AddObject"),
        ([], "AddObject"),
        ({"edit": "Explode"}, "Explode"),
        ({"edit": ["HideObject"]}, "HideObject"),
        ({"edit": "HideObject"}, "lacks the fields object_id"),
        ({"edit": "HideObject", "object_id": "a", "colour": 1, "size": 2}, "unknown fields: colour, size"),
        ({"edit": "HideObject", "object_id": 3}, "object_id must be str, got 3"),
        ({"edit": "HideObject", "object_id": "a", "hidden": 1}, "hidden must be bool"),
        ({"edit": "SetSettings", "settings": {"engine": "magic"}}, "one of auto, warp, lras"),
        ({"edit": "SetSettings", "settings": {"seed": 10**400, "engine": "auto", "x": 1}}, "unknown fields: x"),
        ({"edit": "SetSettings", "settings": {"seed": True}}, "seed must be int"),
        ({"edit": "PlaceObject", "object_id": "a", "placement": {"scale": 10**400}}, "scale must be float"),
        ({"edit": "PlaceObject", "object_id": "a", "placement": {"scale": 0}}, "between 0.001 and 1000"),
        ({"edit": "PlaceObject", "object_id": "a", "placement": {"translation": [1, 2]}}, "3 values"),
        ({"edit": "PlaceObject", "object_id": "a", "placement": {"rotation": [1, 1, 0, 0]}}, "unit quaternion"),
        ({"edit": "SetMask", "object_id": "a", "mask": {"coverage": {"blob": "0"}}}, "blob, dtype and shape"),
        (
            {
                "edit": "SetMask",
                "object_id": "a",
                "mask": {"coverage": {"blob": "0", "dtype": "uint8", "shape": [2, 2]}},
            },
            "lacks the blob '0'",
        ),
        (
            {"edit": "SetMask", "object_id": "a", "mask": {"coverage": {"blob": "0", "dtype": "O", "shape": [2, 2]}}},
            "impossible array",
        ),
        ({"edit": "SetFlow", "flow": 3}, "flow must be FlowField"),
    ],
)
def test_wrong_edits_are_named(value, message):
    with pytest.raises(BadProjectFile, match=message):
        edit_from_json(value, {})


@pytest.mark.parametrize("field", ["blob", "dtype", "shape"])
def test_what_is_wrong_is_told_in_short(field):
    array = {
        "blob": "0",
        "dtype": "uint8",
        "shape": [2, 2],
        field: ["x" * 10_000] if field == "shape" else "x" * 10_000,
    }
    with pytest.raises(BadProjectFile) as told:
        edit_from_json({"edit": "SetMask", "object_id": "a", "mask": {"coverage": array}}, {})
    assert len(str(told.value)) < 200


def test_wrong_poses_are_named():
    blobs: dict[str, bytes] = {}
    value = edit_to_json(next(edit for edit in ALL if isinstance(edit, edits.SetCamera)), blobs)
    for matrix in ([[1, 2], [3, 4]], [["a"]], (2 * np.eye(4)).tolist(), [[1, 2], [3]]):
        value["camera"]["camera_from_world"]["matrix"] = matrix
        with pytest.raises(BadProjectFile, match="camera_from_world"):
            edit_from_json(value, blobs)


def write(path, entries: object) -> None:
    path.write_text(json.dumps(entries))


def test_hand_written_edits_take_mask_files_and_degrees(tmp_path):
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "cup.png").write_bytes(encode_mask(MASK))
    path = tmp_path / "edits.json"
    write(
        path,
        [
            {"edit": "AddObject", "object_id": "cup", "label": "cup", "mask": {"file": "masks/cup.png"}},
            {"edit": "PlaceObject", "object_id": "cup", "placement": {"rotation_deg": [10, 20, 30], "scale": 2}},
        ],
    )
    added, placed = read_edits(path, 7, 5)
    assert isinstance(added, edits.AddObject)
    assert (added.mask.coverage == MASK.coverage).all()
    assert isinstance(placed, edits.PlaceObject)
    turned = rotation_from_quaternion(placed.placement.rotation)
    assert np.allclose(turned, rotation_from_euler_deg(10, 20, 30), atol=1e-12)
    assert placed.placement.scale == 2.0


@pytest.mark.parametrize(
    "entry",
    [
        3,
        {"edit": "PlaceObject", "object_id": "a", "placement": {"rotation_deg": [1, 2]}},
        {"edit": "PlaceObject", "object_id": "a", "placement": {"rotation_deg": "x"}},
        {"edit": "PlaceObject", "object_id": "a", "placement": {"rotation_deg": [1, 2, 3], "rotation": [1, 0, 0, 0]}},
        {"edit": "AddObject", "object_id": "a", "label": "a", "mask": {"file": 3}},
        {"edit": "AddObject", "object_id": "a", "label": "a", "mask": {"file": "m.png", "grow": 2}},
    ],
)
def test_wrong_hand_written_edits_name_their_number(tmp_path, entry):
    path = tmp_path / "edits.json"
    write(path, [{"edit": "HideObject", "object_id": "a"}, entry])
    with pytest.raises(BadProjectFile, match=r"edits\.json: edit 2"):
        read_edits(path, 7, 5)


def test_files_that_are_no_list_or_lack_their_mask(tmp_path):
    path = tmp_path / "edits.json"
    for text in ("", "{", "{}", "[" * 100_000):
        path.write_text(text)
        with pytest.raises(InvalidInput, match=r"edits\.json"):
            read_edits(path, 7, 5)
    write(path, [{"edit": "AddObject", "object_id": "a", "label": "a", "mask": {"file": "none.png"}}])
    with pytest.raises(InvalidInput, match=r"none\.png"):
        read_edits(path, 7, 5)
