"""The one door, without installing anything."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import launch
from app import environment


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with both requirement files and an environment whose interpreter is this one."""
    (tmp_path / "requirements.txt").write_text("numpy\n")
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\npytest\n")
    venv = tmp_path / ".venv"
    python = launch.venv_python(venv)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (venv / "pyvenv.cfg").write_text("home = here\n")
    return tmp_path


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The set-up commands that would have run."""
    ran: list[list[str]] = []
    monkeypatch.setattr(launch, "run_step", lambda command, **variables: ran.append(list(command)))
    return ran


def ready(checkout: Path, for_tests: bool) -> bool:
    return launch.is_ready(checkout / ".venv", launch.requirement_files(checkout, for_tests))


def install(checkout: Path, for_tests: bool) -> None:
    launch.install(checkout / ".venv", launch.requirement_files(checkout, for_tests))


def test_an_install_makes_the_environment_ready_until_a_requirement_changes(checkout: Path, steps: list) -> None:
    assert not ready(checkout, for_tests=False)
    install(checkout, for_tests=False)
    assert ready(checkout, for_tests=False)
    assert not ready(checkout, for_tests=True)
    (checkout / "requirements.txt").write_text("numpy>=2\n")
    assert not ready(checkout, for_tests=False)


def test_the_test_install_serves_both_and_sees_changes_in_either_file(checkout: Path, steps: list) -> None:
    install(checkout, for_tests=True)
    assert [steps[-1][-1]] == [str(checkout / "requirements-dev.txt")]
    assert ready(checkout, for_tests=False)
    assert ready(checkout, for_tests=True)
    (checkout / "requirements-dev.txt").write_text("-r requirements.txt\npytest>=8\n")
    assert ready(checkout, for_tests=False)
    assert not ready(checkout, for_tests=True)


def test_another_interpreter_asks_for_a_new_install(checkout: Path, steps: list) -> None:
    install(checkout, for_tests=False)
    python = launch.venv_python(checkout / ".venv")
    python.unlink()
    assert not ready(checkout, for_tests=False)
    (checkout / "python3.99").touch()
    python.symlink_to(checkout / "python3.99")
    assert not ready(checkout, for_tests=False)


def test_a_broken_off_install_is_repeated(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(command: Sequence[str], **variables: str) -> None:
        raise launch.SetupError("no network")

    monkeypatch.setattr(launch, "run_step", lambda command, **variables: None)
    install(checkout, for_tests=True)
    monkeypatch.setattr(launch, "run_step", break_off)
    with pytest.raises(launch.SetupError):
        install(checkout, for_tests=False)
    assert not ready(checkout, for_tests=False)
    assert not ready(checkout, for_tests=True)


def test_an_environment_without_a_working_interpreter_is_made_again(checkout: Path, steps: list) -> None:
    launch.venv_python(checkout / ".venv").unlink()
    install(checkout, for_tests=False)
    assert steps[0][1:4] == ["-m", "venv", "--clear"]


def test_a_damaged_environment_is_never_taken_for_one(checkout: Path, steps: list, tmp_path: Path) -> None:
    # Without pyvenv.cfg the interpreter in .venv is the system's own, and pip would install there.
    python = launch.venv_python(checkout / ".venv")
    python.unlink()
    python.symlink_to(os.path.realpath(sys.executable))
    (checkout / ".venv" / "pyvenv.cfg").unlink()
    install(checkout, for_tests=False)
    assert steps[0][1:4] == ["-m", "venv", "--clear"]


@pytest.mark.parametrize(("uv", "start"), [("/bin/uv", ["/bin/uv", "pip", "install"]), (None, [sys.executable, "-m"])])
def test_uv_is_preferred_to_pip(monkeypatch: pytest.MonkeyPatch, steps: list, uv: str | None, start: list[str]) -> None:
    monkeypatch.setattr(launch.shutil, "which", lambda name: uv)
    command = launch.install_command(Path(sys.executable), Path("requirements.txt"))
    assert command[: len(start)] == start


def test_an_old_python_is_refused_with_both_versions() -> None:
    with pytest.raises(launch.SetupError, match=r"3\.11 or newer and this is 3\.9\.2"):
        launch.check_python((3, 9, 2))
    launch.check_python((3, 11, 0))


def test_what_is_missing_is_named_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch, steps: list) -> None:
    monkeypatch.setattr(environment, "can_install", lambda: False)
    monkeypatch.setattr(environment.shutil, "which", lambda name: "/usr/bin/" + name)
    with pytest.raises(launch.SetupError) as refusal:
        launch.require([environment.LIBRARIES[0], environment.CHROMIUM])
    sentence = str(refusal.value)
    assert "libusb-1.0.so.0 (for Open3D)" in sentence
    assert sentence.endswith("sudo apt-get install libusb-1.0-0 chromium fonts-liberation")
    assert steps == []


def test_root_on_debian_installs_what_is_missing(monkeypatch: pytest.MonkeyPatch, steps: list) -> None:
    monkeypatch.setattr(environment, "can_install", lambda: True)
    launch.require([environment.LIBRARIES[1]])
    assert steps[0] == ["apt-get", "update"]
    assert steps[1][-1] == "libgl1"


def test_a_library_that_does_not_load_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = environment.SystemNeed("libdoes-not-exist.so.9", "this test", ("libnothing",))
    monkeypatch.setattr(environment, "LIBRARIES", (absent,))
    monkeypatch.setattr(sys, "platform", "linux")
    assert environment.missing_libraries() == (absent,)


@pytest.mark.parametrize(("command", "asked"), [("doctor", False), ("ui", True), ("test", True)])
def test_only_doctor_goes_on_without_system_libraries(
    monkeypatch: pytest.MonkeyPatch, command: str, asked: bool
) -> None:
    needs: list[environment.SystemNeed] = []
    monkeypatch.setattr(environment, "missing_libraries", lambda: environment.LIBRARIES[:1])
    monkeypatch.setattr(environment, "find_chromium", lambda: Path("chromium"))
    monkeypatch.setattr(launch, "require", needs.extend)
    monkeypatch.setattr(launch, "is_ready", lambda venv, files: True)
    launch.prepare([command])
    assert bool(needs) is asked


def test_browser_tests_ask_for_chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    needs: list[environment.SystemNeed] = []
    monkeypatch.setattr(environment, "missing_libraries", lambda: ())
    monkeypatch.setattr(environment, "find_chromium", lambda: None)
    monkeypatch.setattr(environment, "has_browser_tests", lambda root: True)
    monkeypatch.setattr(launch, "require", needs.extend)
    monkeypatch.setattr(launch, "is_ready", lambda venv, files: True)
    launch.prepare(["ui"])
    assert needs == []
    launch.prepare(["test"])
    assert needs == [environment.CHROMIUM]


def test_a_named_browser_is_the_only_one_considered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    monkeypatch.setenv("LRAS_CHROMIUM", str(browser))
    assert environment.find_chromium() is None
    browser.touch()
    assert environment.find_chromium() == browser


def test_an_environment_that_does_not_take_effect_is_reported_not_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys._xoptions, launch.HANDED_OVER, True)
    with pytest.raises(launch.SetupError, match="delete that folder"):
        launch.hand_over(["doctor"])


def test_a_closed_pipe_leaves_no_trace() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    code = "import launch, sys; launch.main = lambda argv: print('x' * 10) or 0; sys.exit(launch.start())"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=write_end, stderr=subprocess.PIPE, cwd=launch.ROOT, check=False
        )
    finally:
        os.close(write_end)
    assert done.returncode == 141
    assert done.stderr == b""
