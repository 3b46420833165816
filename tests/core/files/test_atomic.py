import errno
import os

import pytest

from core.errors import EditorError
from core.files.atomic import write_all, write_atomically


def test_new_and_replaced_files_hold_all_bytes(tmp_path):
    path = tmp_path / "out.png"
    for data in (b"first", b"second and longer"):
        write_atomically(path, data)
        assert path.read_bytes() == data
    assert os.listdir(tmp_path) == ["out.png"]


def test_permissions_of_the_replaced_file_stay(tmp_path):
    path = tmp_path / "out.png"
    write_atomically(path, b"1")
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o600)
    write_atomically(path, b"2")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, failing):
    path = tmp_path / "out.png"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, failing, full)
    with pytest.raises(EditorError, match=r"out\.png could not be written \(No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.png"]


def test_missing_folder_and_folder_as_target_get_one_sentence(tmp_path):
    for path in (tmp_path / "none" / "out.png", tmp_path):
        with pytest.raises(EditorError, match="could not be written"):
            write_atomically(path, b"x")
    assert os.listdir(tmp_path) == []


def test_of_several_files_none_is_written_when_one_cannot_be(tmp_path, monkeypatch):
    obj, mtl = tmp_path / "a.obj", tmp_path / "a.mtl"
    write_all({obj: b"mtllib a.mtl", mtl: b"newmtl"})
    assert (obj.read_bytes(), mtl.read_bytes()) == (b"mtllib a.mtl", b"newmtl")
    calls: list[int] = []

    def full_at_the_second(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full_at_the_second)
    with pytest.raises(EditorError, match=r"a\.mtl could not be written"):
        write_all({obj: b"new", mtl: b"new"})
    assert (obj.read_bytes(), mtl.read_bytes()) == (b"mtllib a.mtl", b"newmtl")
    assert sorted(os.listdir(tmp_path)) == ["a.mtl", "a.obj"]
