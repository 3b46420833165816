"""`launch.py recover`: what is listed, written and discarded."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from command_line import refused, run
from histories import every_edit, opened, pushed

from app.unsaved import Unsaved, owner_of, unsaved_folder
from core.editing.history import History
from core.files.project import load_project


@pytest.fixture
def unsaved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Unsaved:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    assert unsaved_folder().is_relative_to(tmp_path)
    return Unsaved(unsaved_folder())


def left(unsaved: Unsaved, name: str) -> tuple[str, History]:
    history = pushed(pushed(opened(name), every_edit()[0]), every_edit()[3])
    entry = unsaved.begin(owner_of("a key"), history)
    entry.release()
    return entry.id, history


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    capsys.readouterr()
    assert run("recover", "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_nothing_unsaved(unsaved: Unsaved, capsys: pytest.CaptureFixture[str]):
    assert listed(capsys) == []
    assert run("recover") == 0
    assert "No unsaved work" in capsys.readouterr().out


def test_the_list_counts_steps_without_the_original(unsaved: Unsaved, capsys: pytest.CaptureFixture[str]):
    first, _ = left(unsaved, "first.jpg")
    second, _ = left(unsaved, "T\u00fcr.png")
    rows = listed(capsys)
    assert [(row["id"], row["name"], row["steps"]) for row in rows] == [
        (second, "T\u00fcr.png", 2),
        (first, "first.jpg", 2),
    ]
    for row in rows:
        assert set(row) == {"id", "name", "steps", "saved"}
        assert abs((datetime.now().astimezone() - datetime.fromisoformat(row["saved"])).total_seconds()) < 60
    assert run("recover") == 0
    assert first in capsys.readouterr().out


def test_work_is_written_as_a_project_even_while_it_is_open(unsaved: Unsaved, tmp_path: Path):
    entry_id, history = left(unsaved, "wall.png")
    entry, _ = unsaved.open(entry_id, owner_of("another key"))
    out = tmp_path / "wall.lras"
    assert run("recover", "--export", entry_id, "-o", str(out)) == 0
    assert load_project(out) == history.project
    entry.release()
    assert len(unsaved.listed()) == 1


def test_what_is_discarded_is_gone_but_never_what_is_open(unsaved: Unsaved, capsys: pytest.CaptureFixture[str]):
    one, two, three = (left(unsaved, f"{n}.png")[0] for n in range(3))
    entry, _ = unsaved.open(two, owner_of("another key"))
    assert run("recover", "--discard", one) == 0
    assert run("recover", "--discard", two) == 2
    assert "open in another" in capsys.readouterr().err
    assert run("recover", "--discard", "all") == 0
    assert [row["id"] for row in listed(capsys)] == [two]
    assert three
    entry.release()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--export", "0123456789abcdef", "-o", "out.lras"), "no longer there"),
        (("--export", "../unsaved", "-o", "out.lras"), "no longer there"),
        (("--export", "0123456789abcdef"), "belong together"),
        (("-o", "out.lras"), "belong together"),
        (("--discard", "0123456789abcdef"), "no longer there"),
        (("--export", "0123456789abcdef", "-o", "out.png"), "out.png"),
        (("--export", "0123456789abcdef", "-o", "no/such/folder/out.lras"), "does not exist"),
        (("--export", "a", "--discard", "b"), "not allowed"),
    ],
)
def test_wrong_words_are_one_line_and_write_nothing(
    unsaved: Unsaved,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    told: str,
):
    monkeypatch.chdir(tmp_path)
    assert told in refused(capsys, tmp_path, "recover", *words)
