"""Folders of data, found and packed."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file
from training_data import packed_masks, write_data, write_masks

from core.errors import InvalidInput
from core.training.packed import PackedSet
from core.training.packing import pack
from core.training.sources import find_clips, with_masks


def test_every_kind_of_data_is_found(data: Path) -> None:
    clips = {clip.name: clip for clip in find_clips([data])}
    assert list(clips) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "slide", "room"]
    assert [clips[f"{n}.jpg"].shots[0].weak_depth is not None for n in range(4)] == [True, True, False, False]
    assert len(clips["slide"].shots) == 5
    assert clips["room"].shots[2].world_from_camera.translation.tolist() == [0.2, 0, 0]
    assert clips["room"].intrinsics(96, 72).fx == 80


def test_a_licence_can_be_left_out(data: Path) -> None:
    assert "2.jpg" not in [clip.name for clip in find_clips([data], ("Research",))]
    with pytest.raises(InvalidInput, match="licence without"):
        find_clips([data], ("MIT", "CC0", "research"))


def test_any_folder_of_pictures_will_do(data: Path) -> None:
    assert [clip.source for clip in find_clips([data / "clips" / "slide"])] == ["not stated"] * 5
    assert [clip.licence for clip in find_clips([data / "clips" / "slide"])] == ["not stated"] * 5


def test_bad_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="There is no folder"):
        find_clips([tmp_path / "absent"])
    with pytest.raises(InvalidInput, match="No picture"):
        find_clips([tmp_path])


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("rgbd/room/poses.txt", "1 2 3\n", "16 numbers a line"),
        ("rgbd/room/poses.txt", " ".join(["0.5"] * 16) + "\n", "1 poses for 3 frames"),
        ("rgbd.csv", "clip,fx\nroom,80\n", "lacks fx, fy, cx, cy"),
        ("photos.csv", "name\n0.jpg\n", "no column file"),
    ],
)
def test_broken_tables_are_refused(data: Path, tmp_path: Path, name: str, text: str, fault: str) -> None:
    copy = tmp_path / "data"
    shutil.copytree(data, copy)
    (copy / name).write_text(text)
    with pytest.raises(InvalidInput, match=fault):
        find_clips([copy])


def test_a_frame_without_its_depth_is_refused(data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    shutil.copytree(data, copy)
    (copy / "rgbd" / "room" / "0001.png").unlink()
    with pytest.raises(InvalidInput, match=r"0001\.jpg has no depth"):
        find_clips([copy])


def test_packed_views_are_the_pictures_and_their_geometry(data: Path, packed: PackedSet) -> None:
    assert len(packed) == 12
    assert packed.licences == {"CC0": 3, "research only": 1, "MIT": 8}
    room = next(clip for clip in packed.clips if clip.name == "room")
    view = packed.view(room.first + 2)
    original = cv2.imread(str(data / "rgbd" / "room" / "0002.jpg"))[..., ::-1].astype(int)
    assert np.abs(view.picture - original).mean() < 5
    assert np.abs(view.inverse_depth[36, 48] - 0.5) < 1e-3
    assert np.abs(view.inverse_depth[5, 5] - 0.25) < 1e-3
    assert view.intrinsics.fx == 80
    assert view.world_from_camera.translation.tolist() == [0.2, 0, 0]
    photo = packed.view(0)
    assert photo.inverse_depth[36, 48] > 3 * photo.inverse_depth[5, 5]
    assert packed.view(2).inverse_depth is None


def test_intrinsics_shrink_with_the_pictures(data: Path, tmp_path: Path) -> None:
    room = tuple(clip for clip in find_clips([data]) if clip.name == "room")
    pack(room, tmp_path, 48)
    view = PackedSet(tmp_path).view(0)
    assert view.picture.shape == (36, 48, 3)
    assert view.intrinsics.fx == 40


def test_shards_hold_what_one_file_holds(data: Path, packed: PackedSet, tmp_path: Path) -> None:
    clips = find_clips([data])
    paths = pack(clips, tmp_path, 96, shard_bytes=1)
    assert len(paths) == len(clips)
    split = PackedSet(tmp_path)
    assert split.clips == packed.clips
    for index in range(len(packed)):
        assert np.array_equal(split.view(index).picture, packed.view(index).picture)


def test_a_damaged_or_unfinished_pack_is_refused(packed: PackedSet, data: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no packed pictures"):
        len(PackedSet(tmp_path))
    whole = (packed.folder / "pack-000.safetensors").read_bytes()
    (tmp_path / "pack-000.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput, match="truncated or damaged"):
        len(PackedSet(tmp_path))
    with pytest.raises(InvalidInput, match="holds packed pictures already"):
        pack(find_clips([data]), tmp_path, 96)
    broken = write_data(tmp_path / "broken")
    (broken / "rgbd" / "room" / "0002.jpg").write_bytes(b"no picture")
    with pytest.raises(InvalidInput):
        pack(find_clips([broken]), tmp_path / "out", 96, shard_bytes=1)
    with pytest.raises(InvalidInput, match="holds no packed pictures"):
        len(PackedSet(tmp_path / "out"))


def test_masks_are_found_and_survive_the_pack(tmp_path: Path) -> None:
    packed = packed_masks(tmp_path)
    assert [clip.regions for clip in packed.clips] == [False] * 4 + [True]
    assert [(clip.source, clip.licence) for clip in packed.clips[:2]] == [("shelf", "CC BY 0"), ("shelf", "CC BY 1")]
    for number in range(5):
        ids = cv2.imread(str(tmp_path / "data" / "masks" / f"{number}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(packed.mask(number), ids)
        assert packed.has_mask(number)


def test_a_smaller_mask_makes_up_no_number(tmp_path: Path) -> None:
    pack(find_clips([write_masks(tmp_path / "data")]), tmp_path / "pack", 50)
    packed = PackedSet(tmp_path / "pack")
    ids = packed.mask(0)
    assert ids is not None
    assert ids.shape == packed.view(0).picture.shape[:2]
    assert set(np.unique(ids)) == {0, 1, 2, 255}


def test_views_without_masks_and_packs_of_before_have_none(data: Path, packed: PackedSet, tmp_path: Path) -> None:
    path = packed.folder / "pack-000.safetensors"
    with safe_open(path, "np") as stored:
        described = stored.metadata()
        arrays = {name: stored.get_tensor(name) for name in stored.keys() if "mask" not in name}  # noqa: SIM118
    save_file(arrays, tmp_path / path.name, described)
    for one in (packed, PackedSet(tmp_path)):
        assert not one.has_mask(0)
        assert one.mask(0) is None
        assert one.clips == packed.clips
    with pytest.raises(InvalidInput, match="No picture has a mask"):
        with_masks(find_clips([data]))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (",shelf,", ",,", "lacks source of images/0.jpg"),
        ("masks/2.png", "masks/9.png", "does not exist"),
        ("masks/2.png", "large.png", "is 50x50 and its picture 96x72"),
    ],
)
def test_faulty_masks_are_refused(tmp_path: Path, old: str, new: str, fault: str) -> None:
    folder = write_masks(tmp_path / "data")
    cv2.imwrite(str(folder / "large.png"), np.zeros((50, 50), np.uint8))
    table = folder / "index.csv"
    table.write_text(table.read_text().replace(old, new))
    with pytest.raises(InvalidInput, match=fault):
        pack(find_clips([folder]), tmp_path / "pack", 96)
