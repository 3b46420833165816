"""The folder of unsaved work: who holds what, what is listed, what is cleaned up."""

import errno
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import pytest
from histories import every_edit, opened, pushed

from app import history_journal
from app import unsaved as module
from app.former_autosaves import take_over
from app.unsaved import Entry, Unsaved, owner_of
from core.editing.history import History
from core.errors import InvalidInput
from core.files.project import save_project

ME = owner_of("my key")


@pytest.fixture
def unsaved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Unsaved:
    monkeypatch.setattr(module, "_PATIENCE", 0.1)
    return Unsaved(tmp_path / "unsaved")


def edited(name: str = "wall.png") -> History:
    return pushed(opened(name), every_edit()[0])


def left(unsaved: Unsaved, history: History, owner: str = ME, age: float = 0.0) -> str:
    """An entry that nobody holds."""
    then = time.time() - age
    with patch("time.time", lambda: then):
        entry = unsaved.begin(owner, history)
    entry.release()
    return entry.id


def test_nothing_is_listed_where_nothing_is(unsaved: Unsaved):
    assert unsaved.listed() == []
    assert unsaved.last_of(ME) is None
    unsaved.clean()
    unsaved.discard_all()


def test_the_list_tells_name_steps_time_and_who_holds_it(unsaved: Unsaved):
    old = left(unsaved, edited("old.jpg"), age=60)
    entry = unsaved.begin(ME, pushed(edited("new.jpg"), every_edit()[4]))
    left(unsaved, opened("never edited.jpg"))
    newest, older = unsaved.listed()
    assert (newest.id, newest.name, newest.steps, newest.held) == (entry.id, "new.jpg", 2, True)
    assert (older.id, older.name, older.steps, older.held) == (old, "old.jpg", 1, False)
    assert 55 < newest.saved - older.saved < 65
    entry.release()


def test_an_entry_is_opened_by_one_only(unsaved: Unsaved):
    entry_id = left(unsaved, edited())
    entry, restored = unsaved.open(entry_id, ME)
    assert restored.history == edited()
    other = Unsaved(unsaved.folder)  # as a second studio has it
    for refused in (lambda: other.open(entry_id, ME), lambda: other.discard(entry_id)):
        with pytest.raises(InvalidInput, match="open in another tab or studio"):
            refused()
    assert other.read(entry_id) == edited()  # a copy can be taken meanwhile
    other.discard_all()
    other.clean()
    assert other.listed()[0].held
    entry.release()
    again, _ = other.open(entry_id, ME)
    again.release()


@pytest.mark.parametrize("failure", [OSError(24, "Too many open files"), MemoryError()])
def test_what_could_not_be_read_for_now_is_whole_afterwards(unsaved: Unsaved, monkeypatch, failure: Exception):
    history = pushed(edited(), every_edit()[4])
    entry_id = left(unsaved, history)

    def fail(*_: object) -> bytes:
        raise failure

    with monkeypatch.context() as now:
        now.setattr("core.files.journal.BlobFolder.read", fail)
        with pytest.raises((InvalidInput, MemoryError)):
            unsaved.open(entry_id, ME)
    entry, restored = unsaved.open(entry_id, ME)
    assert restored.clean
    assert restored.history.steps == history.steps
    entry.release()


def test_of_several_that_open_at_once_one_does(unsaved: Unsaved):
    entry_id = left(unsaved, edited())
    start = threading.Barrier(4)
    opened_by: list[Entry] = []

    def open_at_once(_: int) -> str:
        start.wait()
        try:
            opened_by.append(Unsaved(unsaved.folder).open(entry_id, ME)[0])
        except InvalidInput as refusal:
            return str(refusal)
        return "opened"

    with ThreadPoolExecutor(4) as tabs:
        told = list(tabs.map(open_at_once, range(4)))
    assert told.count("opened") == 1
    assert all("open in another tab or studio" in words for words in told if words != "opened")
    opened_by[0].release()


def test_going_on_writes_where_it_ended(unsaved: Unsaved):
    entry_id = left(unsaved, edited())
    entry, restored = unsaved.open(entry_id, owner_of("another key"))
    history = pushed(restored.history, every_edit()[3])
    entry.journal.step(history, restored.history.index)
    entry.release()
    assert unsaved.read(entry_id) == history
    assert unsaved.last_of(ME) is None
    assert unsaved.last_of(owner_of("another key")) == entry_id


def test_the_last_of_an_owner_s_entries_is_found_even_without_an_edit(unsaved: Unsaved):
    left(unsaved, edited("first.jpg"), age=60)
    second = left(unsaved, opened("second.jpg"))
    left(unsaved, edited("other.jpg"), owner_of("another key"))
    assert unsaved.last_of(ME) == second


def test_what_is_discarded_is_gone_and_ids_are_not_paths(unsaved: Unsaved, tmp_path: Path):
    one, two, three = (left(unsaved, edited()) for _ in range(3))
    unsaved.discard(one)
    assert {work.id for work in unsaved.listed()} == {two, three}
    for wrong in (one, "", "..", "../unsaved", two.upper(), str(tmp_path), f"{two}/blobs"):
        for ask in (unsaved.discard, unsaved.thumbnail, unsaved.read, lambda name: unsaved.open(name, ME)):
            with pytest.raises(InvalidInput, match="no longer there"):
                ask(wrong)
    unsaved.discard_all()
    assert list(unsaved.folder.iterdir()) == []


def test_the_key_cannot_be_told_from_the_folder_and_nobody_else_may_read_it(unsaved: Unsaved):
    entry_id = left(unsaved, edited())
    held = b"".join(path.read_bytes() for path in unsaved.folder.rglob("*") if path.is_file())
    assert b"my key" not in held
    assert "my key" not in entry_id
    if os.name != "nt":
        for path in [unsaved.folder, *unsaved.folder.rglob("*")]:
            assert path.stat().st_mode & 0o077 == 0


def test_old_large_and_unedited_entries_are_cleaned_up_but_never_open_ones(
    unsaved: Unsaved, monkeypatch: pytest.MonkeyPatch
):
    day = 24 * 3600
    old = left(unsaved, edited("old.jpg"), age=31 * day)
    held, _ = unsaved.open(left(unsaved, edited("held.jpg"), age=40 * day), ME)
    left(unsaved, opened("looked at.jpg"), age=2 * day)
    recent = left(unsaved, edited("recent.jpg"), age=29 * day)
    new = left(unsaved, edited("new.jpg"))
    unsaved.clean()
    assert {path.name for path in unsaved.folder.iterdir()} == {held.id, recent, new}
    assert old not in {work.id for work in unsaved.listed()}
    size = sum(path.stat().st_size for path in (unsaved.folder / new).rglob("*"))
    monkeypatch.setattr(module, "KEPT_BYTES", int(1.5 * size))
    unsaved.clean()
    assert {path.name for path in unsaved.folder.iterdir()} == {held.id, new}
    held.release()


def test_a_small_picture_lies_beside_it(unsaved: Unsaved):
    entry = unsaved.begin(ME, opened())
    assert unsaved.thumbnail(entry.id) is None
    entry.show(b"jpeg")
    assert unsaved.thumbnail(entry.id) == b"jpeg"
    entry.release()


def test_an_entry_without_a_journal_is_not_in_the_way(unsaved: Unsaved):
    folder = unsaved.folder / "0123456789abcdef"
    folder.mkdir(parents=True)
    assert unsaved.listed() == []
    unsaved.clean()
    assert folder.is_dir()
    os.utime(folder, (time.time() - 2 * 3600,) * 2)
    unsaved.clean()
    assert not folder.exists()


@pytest.mark.parametrize("refused", ["app.history_journal.write_whole", "app.unsaved.write_whole"])
def test_an_entry_that_cannot_be_written_leaves_nothing_behind(
    unsaved: Unsaved, monkeypatch: pytest.MonkeyPatch, refused: str
):
    unsaved.folder.mkdir()
    files = Path("/proc/self/fd")
    open_before = len(list(files.iterdir())) if files.is_dir() else 0

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(refused, refuse)
    for _ in range(5):
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            unsaved.begin(ME, edited())
    assert list(unsaved.folder.iterdir()) == []
    assert not files.is_dir() or len(list(files.iterdir())) == open_before


def test_what_a_newer_version_wrote_is_kept_as_long_as_any_work(unsaved: Unsaved, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history_journal, "_VERSION", 2)
    newer = left(unsaved, edited())
    monkeypatch.undo()
    folder, day = unsaved.folder / newer, 24 * 3600
    os.utime(folder, (time.time() - 29 * day,) * 2)
    unsaved.clean()
    assert folder.is_dir()
    os.utime(folder, (time.time() - 31 * day,) * 2)
    unsaved.clean()
    assert not folder.exists()


def test_a_folder_that_cannot_be_read_is_told(unsaved: Unsaved):
    unsaved.folder.parent.mkdir(exist_ok=True)
    unsaved.folder.write_bytes(b"a file in its place")
    with pytest.raises(InvalidInput, match="cannot be read"):
        unsaved.listed()
    with pytest.raises(OSError, match="exists"):
        unsaved.begin(ME, opened())


def test_autosaves_of_an_earlier_version_are_taken_over_once(unsaved: Unsaved, tmp_path: Path):
    former = tmp_path / "autosave"
    former.mkdir()
    project = edited("cup.jpg").project
    (former / "a-key.lras").write_bytes(save_project(project))
    (former / "damaged.lras").write_bytes(b"not a project")
    take_over(unsaved, former)
    take_over(unsaved, former)
    (work,) = unsaved.listed()
    assert (work.name, work.steps) == ("cup.jpg", 1)
    history = unsaved.read(work.id)
    assert history.project == project
    assert history.undo().project == opened("cup.jpg").project
    assert [path.name for path in former.glob("*.lras")] == ["damaged.lras"]
    take_over(unsaved, tmp_path / "none")
