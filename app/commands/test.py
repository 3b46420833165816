"""`test`: every check of this repository, in the order in which a mistake is cheapest to see."""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from app.environment import has_browser_tests

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Stage:
    """One check: its header and the module with arguments that Python runs for it."""

    title: str
    arguments: tuple[str, ...]


def add_test(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = subparsers.add_parser("test", help="lint, format, types, import rules, unit tests, browser tests")
    parser.set_defaults(run=run_test)


def run_test(_args: argparse.Namespace) -> int:
    """Run the stages until one fails; that stage's exit code, or 0."""
    return run_stages(stages(ROOT), ROOT)


def stages(root: Path) -> list[Stage]:
    """What is checked in the tree at `root`; browser tests only when there are any."""
    checks = [
        Stage("lint", ("ruff", "check", ".")),
        Stage("format", ("ruff", "format", "--check", ".")),
        Stage("types", ("pyright",)),
        Stage("unit tests and import rules", ("pytest", "tests")),
    ]
    if has_browser_tests(root):
        checks.append(Stage("browser tests", ("pytest", "ui_tests")))
    return checks


def run_stages(checks: list[Stage], root: Path) -> int:
    """Run each in a fresh interpreter in `root`, say how it went, stop at the first failure."""
    # pyright would ask the package index for a newer version of itself on each run.
    variables = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    summary: list[str] = []
    for check in checks:
        print(f"== {check.title}", flush=True)
        start = time.monotonic()
        code = subprocess.call([sys.executable, "-m", *check.arguments], cwd=root, env=variables)
        if code != 0:
            print(f"== failed: {check.title} (exit code {code})", flush=True)
            return code
        summary.append(f"{check.title} {time.monotonic() - start:.1f} s")
    print(f"== passed: {', '.join(summary)}", flush=True)
    return 0
