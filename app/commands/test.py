"""`test`: every check of this repository, in the order in which a mistake is cheapest to see."""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from app.environment import has_browser_tests
from app.test_reports import Report, left_out_words, read_report

ROOT = Path(__file__).resolve().parents[2]
NO_TESTS = 5
"""What pytest ends with when it found none."""


@dataclass(frozen=True)
class Stage:
    """One check: its header and the module with arguments that Python runs for it."""

    title: str
    arguments: tuple[str, ...]

    @property
    def is_pytest(self) -> bool:
        return self.arguments[0] == "pytest"


def add_test(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "test",
        help="lint, format, types, import rules, unit tests, browser tests",
        description="Runs every check until one fails. The last line names the tests that were skipped, and why.",
    )
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
    """Run each in a fresh interpreter in `root`, say how it went, stop at the first failure.

    The last line names the tests that were skipped or expected to fail, and why.
    """
    # pyright would ask the package index for a newer version of itself on each run.
    variables = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    summary: list[str] = []
    reports: list[Report] = []
    for check in checks:
        print(f"== {check.title}", flush=True)
        start = time.monotonic()
        with TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            asked = [f"--junitxml={report}"] * check.is_pytest
            code = subprocess.call([sys.executable, "-m", *check.arguments, *asked], cwd=root, env=variables)
            if check.is_pytest:
                reports.append(read_report(report))
        if code == NO_TESTS or (check.is_pytest and not code and not reports[-1].tests):
            print(f"== failed: {check.title} (no tests were found)", flush=True)
            return NO_TESTS
        if code != 0:
            print(f"== failed: {check.title} (exit code {code})", flush=True)
            return code
        summary.append(f"{check.title} {time.monotonic() - start:.1f} s")
    print(f"== passed: {', '.join(summary)}{left_out_words(reports)}", flush=True)
    return 0
