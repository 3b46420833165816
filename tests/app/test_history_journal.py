"""A history on disk is the history in memory, whenever the writing ends."""

import importlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from histories import every_edit, opened, pushed

from app import history_journal as journal
from app.history_journal import Journal, outline, restore
from core.editing.history import History
from core.errors import BadProjectFile
from core.files.journal import encode_line
from core.files.project import save_project
from core.types import edits
from core.types.project import Settings


def same(one: History, other: History) -> bool:
    """Steps, labels, which is shown, and every byte that a project file would hold."""
    return one == other and all(
        save_project(a.project) == save_project(b.project) for a, b in zip(one.steps, other.steps, strict=True)
    )


def begun(folder: Path, history: History) -> Journal:
    kept = Journal(folder)
    kept.write(history)
    return kept


def grown(kept: Journal, history: History) -> History:
    for edit in every_edit():
        before, history = history, pushed(history, edit)
        kept.step(history, before.index)
    return history


def test_every_kind_of_edit_comes_back_exactly(tmp_path: Path):
    history = opened()
    history = grown(begun(tmp_path, history), history)
    restored = restore(tmp_path)
    assert same(restored.history, history)
    assert (restored.lost, restored.clean) == (0, True)
    known = outline(tmp_path)
    assert known is not None
    assert (known.name, known.steps) == ("wall.png", len(every_edit()))


def test_what_is_listed_is_read_again_only_when_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    read: list[Path] = []
    real = journal._read
    monkeypatch.setattr(journal, "_read", lambda path: (read.append(path), real(path))[1])
    history = opened()
    kept = begun(tmp_path, history)
    assert outline(tmp_path) == outline(tmp_path)
    assert len(read) == 1
    kept.step(pushed(history, every_edit()[0]), 0)
    assert outline(tmp_path).steps == 1
    assert len(read) == 2


def test_steps_back_and_what_replaces_them_come_back(tmp_path: Path):
    history = opened()
    kept = begun(tmp_path, history)
    history = grown(kept, history)
    for index in (5, 9, 0, 3):
        history = history.at(index)
        kept.move(history)
        assert same(restore(tmp_path).history, history)
    history = pushed(history, edits.SetSettings(Settings(seed=3)), "another way")
    kept.step(history, 3)
    assert same(restore(tmp_path).history, history)
    assert outline(tmp_path).steps == 4


def test_arrays_and_their_names_are_on_disk_before_the_line_that_refers_to_them(tmp_path: Path, monkeypatch):
    done: list[str] = []

    def noted(module: str, name: str, word: str) -> None:
        owner = importlib.import_module(module)
        real = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given: (real(*given), done.append(word))[0])

    history = opened()
    kept = begun(tmp_path, history)
    noted("core.files.journal", "write_whole", "array")
    noted("core.files.journal", "sync_folder", "names")
    noted("app.history_journal", "_append_whole", "line")
    kept.step(pushed(history, every_edit()[0]), 0)
    assert done == ["array", "names", "line"]
    done.clear()
    noted("app.history_journal", "write_whole", "log")
    noted("app.history_journal", "sync_folder", "log's name")
    shutil.rmtree(tmp_path / "blobs")
    kept.write(history)
    assert done[-3:] == ["names", "log", "log's name"]
    assert set(done[:-3]) == {"array"}


def test_more_steps_than_a_history_holds(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(journal, "_MOST_RECORDS", 25)
    history = replace(opened(), limit=200)
    kept = begun(tmp_path, history)
    for seed in range(230):
        before, history = history, pushed(history, edits.SetSettings(Settings(seed=seed)))
        kept.step(history, before.index)
    assert len(history.steps) == 200
    assert same(restore(tmp_path).history, history)
    assert outline(tmp_path).steps == 199
    assert len(list(tmp_path.glob("*.log"))) == 1


def test_a_journal_of_many_records_is_written_anew_without_what_is_no_longer_used(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(journal, "_MOST_RECORDS", 20)
    history = opened()
    kept = begun(tmp_path, history)
    blobs = tmp_path / "blobs"
    few = len(list(blobs.iterdir()))
    for seed in range(30):
        changed = pushed(history, every_edit(seed)[0])
        kept.step(changed, 0)
        kept.move(history)
    assert same(restore(tmp_path).history.at(0), changed.at(0))
    assert len(list(blobs.iterdir())) < few + 12


def test_wherever_the_file_is_cut_what_was_acknowledged_before_is_there(tmp_path: Path):
    history, histories = opened(), []
    kept = begun(tmp_path, history)
    (log,) = tmp_path.glob("*.log")
    ends = [log.stat().st_size]
    histories.append(history)
    for edit in every_edit():
        before, history = history, pushed(history, edit)
        kept.step(history, before.index)
        histories.append(history)
        ends.append(log.stat().st_size)
    content = log.read_bytes()
    rng = np.random.default_rng(0)
    for cut in rng.integers(ends[0], len(content), 40):
        log.write_bytes(content[:cut])
        acknowledged = sum(end <= cut for end in ends) - 1
        restored = restore(tmp_path)
        assert same(restored.history, histories[acknowledged])
        assert restored.lost == 0
        assert restored.clean == (cut in ends)


def test_going_on_after_a_cut_line_needs_a_new_file_and_keeps_all(tmp_path: Path):
    history = opened()
    history = grown(begun(tmp_path, history), history)
    (log,) = tmp_path.glob("*.log")
    log.write_bytes(log.read_bytes() + b'0123456789abcdef {"half')
    restored = restore(tmp_path)
    assert not restored.clean
    again = begun(tmp_path, restored.history)
    more = pushed(history, edits.RenameObject("a", "New"))
    again.step(more, history.index)
    assert same(restore(tmp_path).history, more)


def test_a_damaged_step_is_left_out_and_counted(tmp_path: Path):
    history = opened()
    grown(begun(tmp_path, history), history)
    (log,) = tmp_path.glob("*.log")
    lines = log.read_bytes().split(b"\n")
    lines[4] = lines[4].replace(b"e", b"f")
    log.write_bytes(b"\n".join(lines))
    restored = restore(tmp_path)
    assert restored.lost == 1
    assert len(restored.history.steps) == len(every_edit())
    assert restored.history.steps[-1].label == "RerollRegion"


def test_a_damaged_array_takes_only_its_steps_and_a_lost_photo_is_told(tmp_path: Path):
    history = opened()
    history = grown(begun(tmp_path, history), history)
    flow = json.loads((next(tmp_path.glob("*.log"))).read_bytes().split(b"\n")[14].partition(b" ")[2])
    (tmp_path / "blobs" / flow["project"]["flow_override"]["flow"]["blob"]).write_bytes(b"x")
    restored = restore(tmp_path)
    assert restored.lost == 3  # the flow itself and the two steps after it
    assert restored.history.steps == history.steps[:12]
    (tmp_path / "blobs" / flow["project"]["photo"]["pixels"]["blob"]).unlink()
    with pytest.raises(BadProjectFile, match="none of it can be read"):
        restore(tmp_path)


@pytest.mark.parametrize("line", [1, 3, 6, 9])
def test_a_damaged_line_takes_its_step_and_moves_no_other(tmp_path: Path, line: int):
    history = opened()
    kept = begun(tmp_path, history)
    history = grown(kept, history).at(7)
    kept.move(history)
    history = pushed(history, edits.SetSettings(Settings(seed=3)), "another way")
    kept.step(history, 7)
    kept.move(history.at(6))
    (log,) = tmp_path.glob("*.log")
    lines = log.read_bytes().split(b"\n")
    number = max(line - 2, 0)  # of the step: the head and which one is shown come before it
    lines[line] = lines[line].replace(b"e", b"f")
    log.write_bytes(b"\n".join(lines))
    restored = restore(tmp_path)
    left = [step.label for index, step in enumerate(history.steps) if index != number]
    assert [step.label for step in restored.history.steps] == left
    shown = restored.history.steps[restored.history.index].label
    assert shown == history.steps[6 if number != 6 else 5].label
    assert restored.lost == 1


@pytest.mark.parametrize(
    "line",
    [
        {"journal": "x", "schema": 1},
        {"project": 5, "after": 1, "label": ""},
        {"project": {}, "label": ""},
        {"project": {}, "after": -2, "label": ""},
        {"show": "a"},
        {"show": 10**30},
        {"show": 0, "time": "yesterday"},
        {"show": 0, "time": 1e300},
    ],
)
def test_a_line_that_says_nothing_is_left_out_wherever_it_stands(tmp_path: Path, line: dict):
    history = opened()
    history = grown(begun(tmp_path, history), history)
    (log,) = tmp_path.glob("*.log")
    whole = log.read_bytes()
    for start in (0, whole.index(b"\n") + 1, len(whole)):
        log.write_bytes(whole[:start] + encode_line(line) + whole[start:])
        restored = restore(tmp_path)
        assert same(restored.history, history)
        assert not restored.clean
        assert outline(tmp_path).steps == len(every_edit())


@pytest.mark.parametrize("content", [b"", bytes(4096), b"\xff" * 100])
def test_a_newest_file_of_nothing_hides_no_older_one(tmp_path: Path, content: bytes):
    history = opened()
    history = grown(begun(tmp_path, history), history)
    (tmp_path / "000002.log").write_bytes(content)
    restored = restore(tmp_path)
    assert same(restored.history, history)
    assert not restored.clean
    begun(tmp_path, restored.history)
    assert [path.name for path in tmp_path.glob("*.log")] == ["000003.log"]


def test_a_newer_version_s_journal_is_not_touched(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(journal, "_VERSION", 2)
    begun(tmp_path, opened())
    monkeypatch.undo()
    assert outline(tmp_path) is None
    with pytest.raises(BadProjectFile, match="newer version"):
        restore(tmp_path)


def test_a_folder_that_was_removed_is_noticed(tmp_path: Path):
    folder = tmp_path / "entry"
    folder.mkdir()
    history = opened()
    kept = begun(folder, history)
    shutil.rmtree(folder)
    with pytest.raises(OSError, match="removed"):
        kept.move(history)
