"""The one door: makes the environment on first use, then hands over to app.cli.

Standard library only. `python3 launch.py` opens the studio, `python3 launch.py test` runs every check.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from app import environment, signals

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
OLDEST_PYTHON = (3, 11)
# Marks a process started by `hand_over`; unlike a variable it does not reach that process's children.
HANDED_OVER = "lras_studio_inside"


class SetupError(Exception):
    """The environment cannot be made; the message says what to do."""


def main(argv: list[str]) -> int:
    """Prepare what `argv` needs, then run it inside `.venv`; 2 when that cannot be prepared."""
    # As an environment's own `activate` does: with it, the interpreter inside would not find its packages.
    os.environ.pop("PYTHONHOME", None)
    try:
        check_python(sys.version_info[:3])
        prepare(argv)
        if not is_inside(VENV):
            return hand_over(argv)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    from app.cli import main as run

    return run(argv)


def check_python(version: tuple[int, ...]) -> None:
    """Raises SetupError when this Python is too old."""
    if version < OLDEST_PYTHON:
        wanted, found = (".".join(map(str, numbers)) for numbers in (OLDEST_PYTHON, version))
        raise SetupError(f"LRAS Studio needs Python {wanted} or newer and this is {found}; start it with a newer one.")


def prepare(argv: Sequence[str]) -> None:
    """Bring what is missing of system libraries and packages. Raises SetupError."""
    command = argv[0] if argv else ""
    if command != "doctor":
        require(environment.missing_libraries())
    if command == "test" and environment.has_browser_tests(ROOT) and environment.find_chromium() is None:
        require([environment.CHROMIUM])
    files = requirement_files(ROOT, for_tests=command == "test")
    if not is_ready(VENV, files):
        with one_at_a_time(ROOT):
            if not is_ready(VENV, files):
                install(VENV, files)


def require(needs: Sequence[environment.SystemNeed]) -> None:
    """Install `needs` when this process may, else raise SetupError with the command to type."""
    if not needs:
        return
    if not environment.can_install():
        raise SetupError(environment.missing_sentence(needs))
    say(environment.missing_sentence(needs).partition(" Install")[0] + " Installing.")
    for command in environment.install_commands(needs):
        run_step(command, DEBIAN_FRONTEND="noninteractive")


def requirement_files(root: Path, for_tests: bool) -> list[Path]:
    """The files to install from; the last one includes the others."""
    names = ["requirements.txt", "requirements-dev.txt"] if for_tests else ["requirements.txt"]
    return [root / name for name in names]


def venv_python(venv: Path) -> Path:
    """The interpreter inside `venv`."""
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def stamp_path(venv: Path, requirements: Path) -> Path:
    """The file that says that `requirements` were fully installed into `venv`."""
    return venv / f".{requirements.stem}.stamp"


def digest(venv: Path, files: Sequence[Path]) -> str:
    """Hash of the requirement files and of the interpreter that `venv` points to."""
    # The resolved path changes when the system's Python is upgraded under the environment.
    parts = [path.read_bytes() for path in files] + [os.fsencode(os.path.realpath(venv_python(venv)))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_ready(venv: Path, files: Sequence[Path]) -> bool:
    """True when exactly these requirements were installed completely and the interpreter is still there."""
    stamp = stamp_path(venv, files[-1])
    if not (stamp.is_file() and (venv / "pyvenv.cfg").is_file() and venv_python(venv).is_file()):
        return False
    return stamp.read_text() == digest(venv, files)


def install(venv: Path, files: Sequence[Path]) -> None:
    """Make or mend `venv` and install `files`; the stamp comes last, so a broken-off install is repeated."""
    say(f"Preparing {venv} from {files[-1].name}; this takes a few minutes the first time.")
    for stamp in venv.glob(".*.stamp"):
        stamp.unlink()
    python = venv_python(venv)
    # A damaged environment's interpreter still runs, as the system's own, and pip would install there.
    probe = f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON} or sys.prefix == sys.base_prefix)"
    if not succeeds(python, probe):
        run_step([sys.executable, "-m", "venv", "--clear", "--without-pip", str(venv)])
    run_step(install_command(python, files[-1]))
    for count in range(1, len(files) + 1):
        stamp_path(venv, files[count - 1]).write_text(digest(venv, files[:count]))


def install_command(python: Path, requirements: Path) -> list[str]:
    """Install with uv when it is here, else with the environment's own pip, which ensurepip brings when it lacks."""
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", str(python), "--requirement", str(requirements)]
    if not succeeds(python, "import pip"):
        if importlib.util.find_spec("ensurepip") is None:
            require([environment.PIP])
        run_step([str(python), "-m", "ensurepip", "--upgrade"])
    return [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--no-input", "-r", str(requirements)]


def is_inside(venv: Path) -> bool:
    """True when this process runs with the packages of `venv`."""
    return os.path.realpath(sys.prefix) == os.path.realpath(venv)


def hand_over(argv: Sequence[str]) -> int:
    """Become the same command inside the environment; returns only on Windows, which has no exec."""
    if HANDED_OVER in sys._xoptions:
        raise SetupError(f"The environment in {VENV} does not work; delete that folder and start again.")
    command = [str(venv_python(VENV)), "-X", HANDED_OVER, str(ROOT / "launch.py"), *argv]
    if os.name == "nt":
        return subprocess.call(command)
    os.execv(command[0], command)


def succeeds(python: Path, code: str) -> bool:
    """True when `python` exists and runs `code` without an error."""
    if not python.is_file():
        return False
    return subprocess.run([str(python), "-c", code], capture_output=True, check=False).returncode == 0


def run_step(command: Sequence[str], **variables: str) -> None:
    """Run one step of the set-up, its words on stderr: stdout belongs to the command. Raises SetupError."""
    say("$ " + " ".join(command))
    try:
        code = subprocess.call(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env={**os.environ, **variables})
    except OSError as error:
        raise SetupError(f"Could not start {command[0]}: {error}") from error
    if code != 0:
        raise SetupError(f"A step of the set-up failed with code {code}; mend it and start again: {' '.join(command)}")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let a second first call wait for the first one; the system frees the lock of a killed process."""
    if os.name == "nt":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def start() -> int:
    """Run `main` for a shell: Ctrl+C, SIGTERM and a closed pipe end it quietly, with the shell's usual codes."""
    signals.stop_on_signals()
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except signals.Stopped as stop:
        signals.end(stop.code)
    except BrokenPipeError:
        # Python flushes stdout once more on its way out, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return code


if __name__ == "__main__":
    sys.exit(start())
