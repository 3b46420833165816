"""The command line's shape and the `test` command's stages, without running the stages themselves."""

import argparse
from pathlib import Path

import pytest

from app import cli
from app.commands.test import Stage, run_stages, stages
from core.errors import InvalidInput


def test_stages_run_in_order_and_stop_at_the_first_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, code in (("good", 0), ("bad", 3), ("never", 0)):
        (tmp_path / f"{name}.py").write_text(f"import sys\nprint('ran {name}')\nsys.exit({code})\n")
    checks = [Stage(name, (name,)) for name in ("good", "bad", "never")]
    assert run_stages(checks, tmp_path) == 3
    out = capfd.readouterr().out
    assert out.index("== good") < out.index("ran good") < out.index("== bad") < out.index("failed: bad (exit code 3)")
    assert "ran never" not in out
    assert run_stages(checks[:1], tmp_path) == 0
    assert "== passed: good" in capfd.readouterr().out


def test_browser_tests_are_a_stage_when_there_are_some(tmp_path: Path) -> None:
    assert [stage.arguments[0] for stage in stages(tmp_path)] == ["ruff", "ruff", "pyright", "pytest"]
    (tmp_path / "ui_tests").mkdir()
    (tmp_path / "ui_tests" / "test_import.py").touch()
    assert stages(tmp_path)[-1].arguments == ("pytest", "ui_tests")


@pytest.mark.parametrize("argv", [["doctor", "--no-such-option"], ["no-such-command"]])
def test_bad_arguments_end_with_two_and_one_line(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(argv)
    assert left.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith("error: ")
    assert line.count("\n") == 1


def test_an_editor_error_ends_with_two_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def add_broken(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
        subparsers.add_parser("broken").set_defaults(run=run_broken)

    def run_broken(args: argparse.Namespace) -> int:
        raise InvalidInput("The photo is empty; choose another.")

    monkeypatch.setattr(cli, "COMMANDS", (add_broken,))
    assert cli.main(["broken"]) == 2
    assert capsys.readouterr().err == "error: The photo is empty; choose another.\n"
