import io
import json
import struct
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from core.errors import BadProjectFile, InvalidInput
from core.files.npy import encode_npy
from core.files.packed import PackedFiles
from core.files.project import ArchiveLimits, load_project, save_project
from core.maths.rigid import pose, rotation_from_euler_deg
from core.types.camera import Camera, Intrinsics
from core.types.depth import DepthMap, Ground, Layout
from core.types.flow import FlowField
from core.types.ids import content_id
from core.types.mask import Mask
from core.types.metadata import Metadata, Resolution, Text
from core.types.photo import Photo
from core.types.project import Project, Settings
from core.types.scene import Placement, Scene, SceneObject

RNG = np.random.default_rng(9)
H, W = 9, 13
METADATA = Metadata(
    b"Exif\0\0x",
    b"<x/>",
    None,
    (Text("Title", "Tür"),),
    (b"a \xff",),
    Resolution(300.0, 150.5, "inch"),
)


def project(dtype: type = np.uint8, rich: bool = True) -> Project:
    values = RNG.integers(0, np.iinfo(dtype).max, (H, W, 4), dtype=dtype, endpoint=True)
    srgb = RNG.integers(0, 256, (H, W, 3), dtype=np.uint8)
    intrinsics = Intrinsics(10 / 3, 11.0, 6.0, 4.0, W, H)
    values_m, valid = RNG.uniform(1, 5, (4, 6)).astype(np.float32), RNG.random((4, 6)) > 0.2
    sure = RNG.random((4, 6)).astype(np.float32) if rich else None
    depth = DepthMap(values_m, valid, "metric", "test", True, sure)
    if not rich:
        return Project(Photo("p.png", values[..., :3], srgb), depth, Scene(intrinsics, Camera(intrinsics)))
    photo = Photo("Tür.jpg", values[..., :3], srgb, values[..., 3], "JPEG", b"profile", METADATA, 26.5, True)
    mask = Mask(RNG.integers(0, 256, (H, W), dtype=np.uint8), "brush", 0.5)
    shadow = Mask(RNG.integers(0, 256, (H, W), dtype=np.uint8), "shadow", 0.25)
    place = Placement((1.0, 2.0, 3.0), (0.0, 1.0, 0.0, 0.0), 2.0)
    item = SceneObject("obj-1", "cup", mask, (0.1, 0.2, 0.3), place, hidden=True, shadow=shadow)
    camera = Camera(intrinsics, pose(rotation_from_euler_deg(5, 6, 7), (0.1, 0.2, 0.3)))
    objects = (item, replace(item, id="obj-2", copy_of="obj-1", hidden=False))
    vectors = RNG.normal(size=(H, W, 2)).astype(np.float32)
    vectors[2, 3] = np.nan
    flow = FlowField(vectors, RNG.random((H, W)) > 0.5, RNG.random((H, W)) > 0.5)
    scene = Scene(intrinsics, camera, Ground((0.0, -1.0, 0.0), 1.5), objects)
    return Project(photo, depth, scene, Layout(0.3, 0.6), flow, Settings("warp", 42))


def rewritten(data: bytes, change=None, add: tuple[tuple[str, bytes], ...] = (), drop: str = "") -> bytes:
    """The archive with its index changed, entries added and entries (by the start of their names) dropped."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if drop and name.startswith(drop):
                continue
            if name == "project.json" and change is not None:
                index = json.loads(content)
                change(index)
                content = json.dumps(index).encode()
            new.writestr(name, content)
        for name, content in add:
            new.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("rich", [False, True])
def test_loading_a_saved_project_gives_it_back(dtype, rich, tmp_path):
    before = project(dtype, rich)
    path = tmp_path / "a.lras"
    path.write_bytes(save_project(before))
    after = load_project(path)
    assert after == before
    assert (after.depth.confidence is None) == (not rich)
    assert after.photo.pixels.dtype == dtype
    # Equality goes by content ids, which leave these out.
    for name in ("name", "file_format", "metadata", "focal_35mm", "gray", "icc_profile"):
        assert getattr(after.photo, name) == getattr(before.photo, name)
    assert np.array_equal(after.photo.srgb, before.photo.srgb)
    for item, original in zip(after.scene.objects, before.scene.objects, strict=True):
        assert (item.mask.source, item.mask.score) == (original.mask.source, original.mask.score)
        assert item.shadow == original.shadow is not None


def test_bytes_are_deterministic_and_hold_each_array_once():
    value = project()
    data = save_project(value)
    assert save_project(load_project(data)) == data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        masks = {
            o["mask"]["coverage"]["blob"]
            for o in json.loads(archive.read("project.json"))["project"]["scene"]["objects"]
        }
        assert len(masks) == 1
        assert all(info.date_time == (1980, 1, 1, 0, 0, 0) for info in archive.infolist())


def test_projects_from_before_other_metadata_keep_their_exif():
    def older(index):
        index["schema"] = 4
        photo = index["project"]["photo"]
        photo["exif"] = photo.pop("metadata")["exif"]
        del photo["gray"]

    photo = load_project(rewritten(save_project(project()), older)).photo
    assert photo.metadata == Metadata(METADATA.exif)
    assert not photo.gray


def test_what_was_told_at_opening_is_not_saved():
    value = project()
    told = replace(value, photo=replace(value.photo, notices=("The file also holds depth.",)))
    assert load_project(save_project(told)).photo.notices == ()
    assert save_project(told) == save_project(value)


def test_projects_from_before_shadows_are_still_read():
    value = project()

    def older(index: dict) -> None:
        index["schema"] = 2
        for item in index["project"]["scene"]["objects"]:
            del item["shadow"]

        del index["project"]["settings"]["order"]

    without = tuple(replace(item, shadow=None) for item in value.scene.objects)
    assert load_project(rewritten(save_project(value), older)) == replace(
        value, scene=replace(value.scene, objects=without)
    )


def test_a_shadow_of_another_size_is_refused():
    value = project()
    small = Mask(np.zeros((H - 1, W), np.uint8))
    objects = (replace(value.scene.objects[0], shadow=small),)
    wrong = replace(value, scene=replace(value.scene, objects=objects))
    with pytest.raises(BadProjectFile, match="shadow of 'obj-1' is 13x8"):
        load_project(save_project(wrong))


def set_schema(index: dict) -> None:
    index["schema"] = 99


def drop_scene(index: dict) -> None:
    del index["project"]["scene"]


def add_field(index: dict) -> None:
    index["project"]["photo"]["camera"] = "x"


def name_pickle(index: dict) -> None:
    index["project"]["photo"]["pixels"]["dtype"] = "object"


def promise_more(index: dict) -> None:
    index["project"]["photo"]["pixels"]["shape"] = [60_000, 60_000, 3]


def promise_other(index: dict) -> None:
    index["project"]["photo"]["pixels"]["shape"] = [W, H, 3]


def promise_floats(index: dict) -> None:
    index["project"]["depth"]["values"]["dtype"] = "float64"


def swap_masks(index: dict) -> None:
    index["project"]["scene"]["objects"][0]["mask"]["coverage"] = index["project"]["depth"]["valid"]


def same_ids(index: dict) -> None:
    index["project"]["scene"]["objects"][1]["id"] = "obj-1"


def other_size(index: dict) -> None:
    index["project"]["scene"]["source_intrinsics"]["width"] = W + 1


def bad_pose(index: dict) -> None:
    index["project"]["scene"]["camera"]["camera_from_world"]["matrix"] = np.zeros((4, 4)).tolist()


def no_project(index: dict) -> None:
    del index["project"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_schema, "newer version"),
        (drop_scene, "project lacks the fields scene"),
        (add_field, "unknown fields: camera"),
        (name_pickle, "impossible array"),
        (promise_more, "over the limit"),
        (promise_other, r"project\.photo\.pixels"),
        (promise_floats, r"project\.depth\.values"),
        (swap_masks, "coverage must be"),
        (same_ids, "same id"),
        (other_size, "source intrinsics is 14x9"),
        (bad_pose, "camera_from_world"),
        (no_project, "does not describe a project"),
    ],
)
def test_altered_index_gets_one_sentence(change, message):
    with pytest.raises(BadProjectFile, match=message):
        load_project(rewritten(save_project(project()), change))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../evil.py", "evil"),
        ("/etc/passwd", "passwd"),
        ("blobs/../x", "not safe"),
        ("blobs/" + "a" * 31, "not safe"),
        ("blobs/" + "A" * 32, "not safe"),
        ("blobs\\" + "a" * 32, "not safe"),
    ],
)
def test_strange_entries_are_refused(name, message):
    with pytest.raises(BadProjectFile, match=message):
        load_project(rewritten(save_project(project()), add=((name, b"x"),)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicates_missing_blobs_and_missing_index_are_refused():
    data = save_project(project())
    with pytest.raises(BadProjectFile, match="twice"):
        load_project(rewritten(data, add=(("project.json", b"{}"),)))
    with pytest.raises(BadProjectFile, match="lacks the blob"):
        load_project(rewritten(data, drop="blobs/"))
    with pytest.raises(BadProjectFile, match=r"no project\.json"):
        load_project(rewritten(data, drop="project.json"))
    for text in (b"", b"{", b"[]", b'{"schema": "1"}', b"[" * 100_000):
        with pytest.raises(BadProjectFile, match=r"project\.json"):
            load_project(rewritten(data, drop="project.json", add=(("project.json", text),)))


def test_declared_bombs_are_refused_before_unpacking():
    data = save_project(project())
    with pytest.raises(BadProjectFile, match="ZIP bomb"):
        load_project(data, ArchiveLimits(max_unpacked=1000))
    with pytest.raises(BadProjectFile, match="entries"):
        load_project(data, ArchiveLimits(max_entries=2))
    with pytest.raises(InvalidInput, match="MB"):
        load_project(data, ArchiveLimits(max_bytes=100))


def test_a_blob_that_is_not_what_its_name_says_is_refused():
    data = save_project(project())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = json.loads(archive.read("project.json"))["project"]["photo"]["pixels"]["blob"]
    with pytest.raises(BadProjectFile, match="altered or damaged"):
        load_project(rewritten(data, drop=f"blobs/{name}", add=((f"blobs/{name}", b"x"),)))


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_entries_packed_by_other_methods_are_refused(method):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("project.json", save_project(project()))
    with pytest.raises(BadProjectFile, match="packed by a method"):
        load_project(stream.getvalue())


@pytest.mark.parametrize("text", [b"[" + b"[]," * 3_000_000 + b"[]]", b" " * 60_000_000])
def test_an_index_that_costs_more_than_any_project_is_refused_at_once(text):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.json", text)
    with pytest.raises(BadProjectFile, match=r"project\.json has"):
        load_project(stream.getvalue())


def test_one_blob_taken_again_and_again_is_refused():
    data = save_project(project())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        most = max(archive.infolist(), key=lambda entry: entry.file_size)
    files = PackedFiles(data, "a.lras", lambda _: True, 100, unpacked)
    for _ in range(unpacked // most.file_size):
        files.read(most.filename)
    with pytest.raises(BadProjectFile, match="over and over"):
        files.read(most.filename)


def test_entry_with_more_data_than_declared_is_refused():
    content = b"\0" * 1_000_000
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.json", content)
    lying = stream.getvalue().replace(struct.pack("<I", len(content)), struct.pack("<I", 10))
    with pytest.raises(BadProjectFile, match="damaged"):
        load_project(lying)


def test_small_png_that_promises_a_giant_picture_is_not_decoded():
    value = project(rich=False)
    data = save_project(value)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        reference = json.loads(archive.read("project.json"))["project"]["photo"]["pixels"]
        png = bytearray(archive.read(f"blobs/{reference['blob']}"))
    struct.pack_into(">II", png, 16, 50_000, 50_000)
    blob_id = content_id(bytes(png))

    def point_there(index: dict) -> None:
        index["project"]["photo"]["pixels"]["blob"] = blob_id

    with pytest.raises(BadProjectFile, match=r"project\.photo\.pixels is damaged"):
        load_project(rewritten(data, point_there, ((f"blobs/{blob_id}", bytes(png)),)))


def test_pickled_arrays_are_never_unpickled():
    stream = io.BytesIO()
    np.save(stream, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    blob_id = content_id(stream.getvalue())

    def point_there(index: dict) -> None:
        index["project"]["depth"]["values"]["blob"] = blob_id

    with pytest.raises(BadProjectFile, match=r"project\.depth\.values is damaged"):
        load_project(rewritten(save_project(project()), point_there, ((f"blobs/{blob_id}", stream.getvalue()),)))


def test_arrays_of_another_shape_than_promised_are_refused():
    other = encode_npy(np.ones((4, 7), np.float32))
    blob_id = content_id(other)

    def point_there(index: dict) -> None:
        index["project"]["depth"]["values"]["blob"] = blob_id

    altered = rewritten(save_project(project()), point_there, ((f"blobs/{blob_id}", other),))
    with pytest.raises(BadProjectFile, match=r"project\.depth\.values is damaged"):
        load_project(altered)


def test_random_damage_never_escapes_as_anything_but_invalid_input():
    data = save_project(project())
    rng = np.random.default_rng(1)
    for _ in range(150):
        broken = bytearray(data)
        for place in rng.integers(0, len(data), 2):
            broken[place] = rng.integers(0, 256)
        cut = bytes(broken[: rng.integers(0, len(data))]) if rng.random() < 0.3 else bytes(broken)
        try:
            load_project(cut)
        except InvalidInput:
            continue


def test_names_of_a_project_fit_into_every_line_and_file():
    def rename(index: dict) -> None:
        index["project"]["photo"]["name"] = "a\r\nb\0\ud800.jpg"
        index["project"]["scene"]["objects"][0]["label"] = "cup\0\u2028"

    after = load_project(rewritten(save_project(project()), rename))
    half = "\N{REPLACEMENT CHARACTER}"
    assert after.photo.name == f"a{half}{half}b{half}{half}.jpg"
    assert after.scene.objects[0].label == f"cup{half}{half}"


def test_unknown_fields_are_told_in_one_short_line():
    def odd(index: dict) -> None:
        index["project"]["x\0\n" + "y" * 10_000] = 1

    with pytest.raises(BadProjectFile, match="unknown fields") as refused:
        load_project(rewritten(save_project(project()), odd))
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300
