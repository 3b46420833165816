import errno
import os

import pytest

from core.errors import EditorError, InvalidInput
from core.files.atomic import check_place, write_all, write_atomically


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


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    target, dangling = tmp_path / "real" / "a.png", tmp_path / "real" / "b.png"
    target.write_bytes(b"old")
    for file in (target, dangling):
        link = tmp_path / f"link-{file.name}"
        link.symlink_to(file)
        write_atomically(link, b"new")
        assert link.is_symlink()
        assert file.read_bytes() == b"new"


def test_the_longest_legal_name_is_written(tmp_path):
    path = tmp_path / ("n" * 251 + ".png")
    check_place(path)
    write_atomically(path, b"x")
    assert os.listdir(tmp_path) == [path.name]


def test_places_that_cannot_be_written_are_known_before(tmp_path, monkeypatch):
    (tmp_path / "protected.png").write_bytes(b"keep")
    (tmp_path / "protected.png").chmod(0o444)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "astray.png").symlink_to("nowhere/x.png")
    before = sorted(os.listdir(tmp_path))
    for name, words in {
        ".": "folder",
        "nowhere/x.png": "does not exist",
        "protected.png": "write-protected",
        "pipe.png": "no ordinary file",
        "loop.png": "cannot be written|no ordinary file",
        "astray.png": "does not exist",
        "n" * 256: "too long",
    }.items():
        with pytest.raises(InvalidInput, match=words):
            check_place(tmp_path / name)

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("tempfile.mkstemp", read_only)
    with pytest.raises(InvalidInput, match="Read-only"):
        check_place(tmp_path / "new.png")
    assert sorted(os.listdir(tmp_path)) == before
