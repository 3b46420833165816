"""What a session does is on disk when its method returns; a disk that refuses is told, and tried again."""

import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from histories import every_edit, opened, pushed
from serving import wait_until

from app import history_journal, keeping
from app.keeping import Keeper
from app.unsaved import Unsaved, owner_of

ME = owner_of("my key")
LONG = 3600.0


class Disk:
    """Refuses while it is full."""

    full = False

    def refuse(self) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    for module, name in (
        ("core.files.journal", "write_whole"),
        ("app.history_journal", "write_whole"),
        ("app.unsaved", "write_whole"),
        ("app.history_journal", "_append_whole"),
    ):
        real = getattr(__import__(module, fromlist=[name]), name)
        monkeypatch.setattr(f"{module}.{name}", lambda *given, real=real: (disk.refuse(), real(*given))[1])
    monkeypatch.setattr(keeping, "RETRY_SECONDS", LONG)
    return disk


@pytest.fixture
def unsaved(tmp_path: Path) -> Unsaved:
    return Unsaved(tmp_path / "unsaved")


@pytest.fixture
def keeper(unsaved: Unsaved) -> Iterator[Keeper]:
    keeper = Keeper(unsaved, ME)
    yield keeper
    keeper.close()


def kept(unsaved: Unsaved, keeper: Keeper):
    assert keeper.entry_id is not None
    return unsaved.read(keeper.entry_id)


def test_every_change_is_on_disk_at_once(unsaved: Unsaved, keeper: Keeper):
    history = opened()
    keeper.begin(history)
    for edit in every_edit():
        history = pushed(history, edit)
        keeper.change(history)
        assert kept(unsaved, keeper) == history
    history = history.at(0)
    keeper.change(history)
    assert kept(unsaved, keeper) == history
    assert keeper.not_kept is None


def test_what_was_not_kept_is_written_at_the_next_change(unsaved: Unsaved, keeper: Keeper, disk: Disk):
    told: list[bool] = []
    keeper.on_change = lambda: told.append(keeper.not_kept is not None)
    first = opened()
    keeper.begin(first)
    disk.full = True
    second = pushed(first, every_edit()[0])
    keeper.change(second)
    assert keeper.not_kept is not None
    assert keeper.not_kept.reason == os.strerror(errno.ENOSPC)
    since = keeper.not_kept.since
    third = pushed(second, every_edit()[1])
    keeper.change(third)
    assert keeper.not_kept.since == since
    assert kept(unsaved, keeper) == first  # nothing of what was there is harmed
    disk.full = False
    keeper.change(third.undo())
    assert keeper.not_kept is None
    assert kept(unsaved, keeper) == third.undo()
    assert told == [True, False]


def test_what_was_not_kept_is_tried_again_without_a_change(
    unsaved: Unsaved, keeper: Keeper, disk: Disk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(keeping, "RETRY_SECONDS", 0.02)
    disk.full = True
    keeper.begin(opened())
    assert keeper.entry_id is None
    history = pushed(opened(), every_edit()[0])
    keeper.change(history)
    disk.full = False
    wait_until(lambda: keeper.not_kept is None)
    assert kept(unsaved, keeper) == history
    disk.full = True
    keeper.change(history.undo())
    disk.full = False
    wait_until(lambda: keeper.not_kept is None)
    assert kept(unsaved, keeper) == history.undo()


def test_a_failed_write_leaves_nothing_on_the_full_disk(unsaved: Unsaved, keeper: Keeper, disk: Disk, monkeypatch):
    keeper.begin(opened())
    before = sorted(unsaved.folder.rglob("*"))
    real = history_journal._append_whole
    monkeypatch.setattr(history_journal, "_append_whole", lambda *_: (setattr(disk, "full", True), disk.refuse()))
    keeper.change(pushed(opened(), every_edit()[0]))  # its mask was written, its record was not
    assert keeper.not_kept is not None
    assert sorted(unsaved.folder.rglob("*")) == before
    monkeypatch.setattr(history_journal, "_append_whole", real)


def test_a_photo_that_was_left_while_nothing_could_be_kept_is_kept_later(unsaved: Unsaved, keeper: Keeper, disk: Disk):
    first = pushed(opened("first.jpg"), every_edit()[0])
    keeper.begin(opened("first.jpg"))
    disk.full = True
    keeper.change(first)
    keeper.begin(opened("second.jpg"))
    second = pushed(opened("second.jpg"), every_edit()[0])
    keeper.change(second)
    disk.full = False
    keeper.change(second.undo())
    assert keeper.not_kept is None
    works = {work.name: work for work in unsaved.listed()}
    assert set(works) == {"first.jpg", "second.jpg"}
    assert unsaved.read(works["first.jpg"].id) == first
    assert unsaved.read(works["second.jpg"].id) == second.undo()
    assert not works["first.jpg"].held


def test_a_page_finds_what_is_open_in_it_though_the_clock_went_back(
    unsaved: Unsaved, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
):
    keeper.begin(opened("first.jpg"))
    keeper.change(pushed(opened("first.jpg"), every_edit()[0]))
    monkeypatch.setattr("time.time", lambda: 1.0)
    keeper.begin(opened("second.jpg"))
    keeper.change(pushed(opened("second.jpg"), every_edit()[0]))
    assert unsaved.last_of(ME) == keeper.entry_id
    assert {work.name for work in unsaved.listed()} == {"first.jpg", "second.jpg"}


def test_closing_tries_once_more(unsaved: Unsaved, keeper: Keeper, disk: Disk):
    keeper.begin(opened())
    disk.full = True
    history = pushed(opened(), every_edit()[0])
    keeper.change(history)
    disk.full = False
    keeper.close()
    (work,) = unsaved.listed()
    assert unsaved.read(work.id) == history
    assert not work.held


def test_a_folder_that_somebody_removed_is_made_again(unsaved: Unsaved, keeper: Keeper):
    keeper.begin(opened())
    shutil.rmtree(unsaved.folder)
    history = pushed(opened(), every_edit()[0])
    keeper.change(history)
    assert keeper.not_kept is None
    assert kept(unsaved, keeper) == history


def test_a_folder_that_cannot_be_made_again_is_made_once_it_can(
    unsaved: Unsaved, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(keeping, "RETRY_SECONDS", LONG)
    keeper.begin(opened())
    shutil.rmtree(unsaved.folder)
    unsaved.folder.write_text("in the way")
    history = pushed(opened(), every_edit()[0])
    keeper.change(history)
    for index in (0, 1):
        keeper.change(history.at(index))
        assert keeper.not_kept is not None
        assert "descriptor" not in keeper.not_kept.reason
    unsaved.folder.unlink()
    keeper.change(history)
    assert keeper.not_kept is None
    assert kept(unsaved, keeper) == history


def test_a_photo_nobody_edited_leaves_nothing_when_another_is_opened(unsaved: Unsaved, keeper: Keeper):
    keeper.begin(opened("looked at.jpg"))
    keeper.begin(opened("second.jpg"))
    assert [path.name for path in unsaved.folder.iterdir()] == [keeper.entry_id]


def test_work_that_is_gone_on_with_is_written_in_its_own_entry(unsaved: Unsaved, keeper: Keeper):
    former = Keeper(unsaved, owner_of("another key"))
    former.begin(opened("former.jpg"))
    history = pushed(opened("former.jpg"), every_edit()[0])
    former.change(history)
    former.close()
    keeper.begin(opened("looked at.jpg"))
    (work,) = unsaved.listed()
    entry, restored = unsaved.open(work.id, ME)
    keeper.begin(restored.history, entry)
    more = pushed(restored.history, every_edit()[1])
    keeper.change(more)
    assert [path.name for path in unsaved.folder.iterdir()] == [work.id]
    assert kept(unsaved, keeper) == more


def test_work_on_a_full_disk_can_be_opened_and_says_so_at_the_next_change(unsaved: Unsaved, keeper: Keeper, disk: Disk):
    former = Keeper(unsaved, owner_of("another key"))
    former.begin(opened())
    history = pushed(opened(), every_edit()[0])
    former.change(history)
    former.close()
    (work,) = unsaved.listed()
    (log,) = (unsaved.folder / work.id).glob("*.log")
    log.write_bytes(log.read_bytes() + b"a torn line")
    disk.full = True
    entry, restored = unsaved.open(work.id, ME)
    assert restored.history == history
    keeper.begin(history, entry)
    keeper.change(history.undo())
    assert keeper.not_kept is not None
    disk.full = False
    keeper.change(history)
    assert keeper.not_kept is None
    assert kept(unsaved, keeper) == history


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 300 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_really_full(small_disk: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "RETRY_SECONDS", LONG)
    unsaved = Unsaved(small_disk / "unsaved")
    keeper = Keeper(unsaved, ME)
    history = opened()
    keeper.begin(history)
    assert keeper.not_kept is None
    filler = small_disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
        while stream.write(bytes(512)):
            pass
    for edit in every_edit()[:3]:
        history = pushed(history, edit)
        keeper.change(history)
    assert keeper.not_kept is not None
    assert kept(unsaved, keeper) == opened()
    filler.unlink()
    keeper.change(history.at(1))
    assert keeper.not_kept is None
    assert kept(unsaved, keeper) == history.at(1)
    keeper.close()
