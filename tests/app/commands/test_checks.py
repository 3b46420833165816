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


def run_pytest(folder: Path, capfd: pytest.CaptureFixture[str], tests: str) -> tuple[int, str]:
    """Exit code and last line of a run whose only stage is these tests."""
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "test_some.py").write_text("import pytest\n" + tests)
    code = run_stages([Stage("unit tests", ("pytest", "tests", "-p", "no:cacheprovider"))], folder)
    return code, capfd.readouterr().out.splitlines()[-1]


def test_the_last_line_says_what_was_skipped_and_why(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, last = run_pytest(
        tmp_path,
        capfd,
        """
@pytest.mark.parametrize("n", [1, 2, 3])
def test_golden(n):
    pytest.skip("shared fixtures absent")
@pytest.mark.skip(reason="needs a GPU")
def test_marked(): ...
@pytest.mark.xfail(reason="not mended yet")
def test_broken():
    assert False
def test_good(): ...
""",
    )
    assert code == 0
    assert last.endswith(
        " s; skipped: 3 of test_some (shared fixtures absent), 1 of test_some (needs a GPU)"
        "; expected to fail: 1 of test_some (not mended yet)"
    )


def test_a_file_that_is_skipped_whole_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_page.py").write_text(
        "import pytest\npytest.skip('no browser', allow_module_level=True)\n"
    )
    code, last = run_pytest(tmp_path, capfd, "def test_good(): ...\n")
    assert code == 0
    assert last.endswith("; skipped: 1 of test_page (no browser)")


def test_a_run_that_skipped_nothing_says_nothing_of_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, last = run_pytest(tmp_path, capfd, "def test_good(): ...\n")
    assert code == 0
    assert last.startswith("== passed: unit tests ")
    assert ";" not in last


def test_no_tests_is_no_success(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_pytest(tmp_path, capfd, "") == (5, "== failed: unit tests (no tests were found)")


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
