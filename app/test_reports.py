"""What pytest reports of a run in its own XML: how many tests there were, and which were left out and why."""

import ast
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

_EXPECTED_TO_FAIL = "pytest.xfail"
_WHOLE_FILE = "collection skipped"
"""In place of a reason where a file skipped itself; the reason is the last of a tuple in the text."""
_NAMED_FILES = 2


@dataclass(frozen=True)
class LeftOut:
    """Tests that did not have to pass, for one reason: they were skipped, or `fails` says that failing was expected."""

    count: int
    files: tuple[str, ...]
    reason: str
    fails: bool


@dataclass(frozen=True)
class Report:
    """One run of pytest."""

    tests: int
    left_out: tuple[LeftOut, ...] = ()


def read_report(path: Path) -> Report:
    """The file that `pytest --junitxml` wrote; no tests when there is none."""
    if not path.is_file():
        return Report(0)
    cases = ElementTree.parse(path).findall(".//testcase")
    found: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for case in cases:
        for skip in case.findall("skipped"):
            found[_reason(skip), skip.get("type") == _EXPECTED_TO_FAIL].append(_file_of(case))
    left_out = (
        LeftOut(len(files), tuple(sorted(set(files))), reason, fails) for (reason, fails), files in found.items()
    )
    return Report(len(cases), tuple(sorted(left_out, key=lambda one: (one.fails, -one.count, one.reason))))


def left_out_words(reports: list[Report]) -> str:
    """What a summary adds to "passed", `; skipped: 3 of test_golden (reason)`; nothing when nothing was left out."""
    words = ""
    for title, fails in (("skipped", False), ("expected to fail", True)):
        parts = [_words(one) for report in reports for one in report.left_out if one.fails == fails]
        words += f"; {title}: {', '.join(parts)}" if parts else ""
    return words


def _words(one: LeftOut) -> str:
    more = len(one.files) - _NAMED_FILES
    files = ", ".join(one.files[:_NAMED_FILES]) + (f" and {more} more" if more > 0 else "")
    return f"{one.count} of {files} ({one.reason})"


def _reason(skip: ElementTree.Element) -> str:
    reason = skip.get("message") or "no reason given"
    if reason == _WHOLE_FILE:
        *_, reason = ast.literal_eval(skip.text or f"('{reason}',)")
    return " ".join(reason.removeprefix("Skipped: ").split())


def _file_of(case: ElementTree.Element) -> str:
    """The test's file, without its folders; a module that was skipped whole has its name in place of a test's."""
    place = case.get("classname") or case.get("name") or ""
    return next((part for part in place.split(".") if part.startswith("test_")), place)
