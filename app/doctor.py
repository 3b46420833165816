"""What this machine has, and which back-ends and engines can run on it."""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app import environment
from core.engines import registry as engines
from core.perception import registry as perception
from core.types.protocols import BackendInfo, EngineInfo

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.txt"


@dataclass(frozen=True)
class Choice:
    """A back-end or engine; `unavailable` says why it cannot run, None when it can."""

    name: str
    title: str
    licence: str
    unavailable: str | None


@dataclass(frozen=True)
class Report:
    """Everything `doctor` prints; a package that is not installed has version None, memory is in bytes."""

    system: str
    python: str
    packages: dict[str, str | None]
    gpus: list[str]
    memory: int | None
    cores: int
    libraries: dict[str, bool]
    chromium: str | None
    backends: list[Choice]
    engines: list[Choice]


def examine() -> Report:
    """Look at this machine."""
    missing = environment.missing_libraries()
    chromium = environment.find_chromium()
    return Report(
        system=system_name(),
        python=f"{platform.python_version()} ({sys.executable})",
        packages={name: installed_version(name) for name in requirement_names(REQUIREMENTS.read_text())},
        gpus=gpus(),
        memory=memory_bytes(),
        cores=usable_cores(),
        libraries={need.name: need not in missing for need in environment.LIBRARIES},
        chromium=str(chromium) if chromium else None,
        backends=choices(perception.available()),
        engines=choices(engines.available()),
    )


def as_text(report: Report) -> str:
    """The report for people."""
    memory = "unknown" if report.memory is None else f"{report.memory / 2**30:.1f} GB"
    missing = [need for need in environment.LIBRARIES if not report.libraries[need.name]]
    lines = [
        f"System      {report.system}",
        f"Python      {report.python}",
        f"Processor   {report.cores} cores, {memory} of memory",
        f"GPU         {', '.join(report.gpus) or 'none found (nvidia-smi)'}",
        f"Libraries   {environment.missing_sentence(missing) if missing else ', '.join(report.libraries)}",
        f"Chromium    {report.chromium or 'not found; only the browser tests need it'}",
        "Packages",
        *(f"  {name:<32} {version or 'not installed'}" for name, version in report.packages.items()),
        "Depth and mask back-ends",
        *map(_choice_line, report.backends),
        "Engines",
        *map(_choice_line, report.engines),
    ]
    return "\n".join(lines)


def system_name() -> str:
    """Distribution, kernel and processor type."""
    try:
        distribution = platform.freedesktop_os_release()["PRETTY_NAME"] + ", "
    except OSError:
        distribution = ""
    return distribution + platform.platform(terse=True) + ", " + platform.machine()


def requirement_names(text: str) -> list[str]:
    """The package names in the text of a requirements file."""
    return re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", text, flags=re.MULTILINE)


def installed_version(package: str) -> str | None:
    """The version in this environment, None when it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def gpus() -> list[str]:
    """Name, memory and driver of each NVIDIA GPU, or what went wrong in asking; empty without nvidia-smi."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return []
    query = [command, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return ["nvidia-smi did not answer within 20 seconds"]
    if found.returncode != 0:
        return [f"nvidia-smi failed: {(found.stdout or found.stderr).strip()}"]
    return [line.strip() for line in found.stdout.splitlines() if line.strip()]


def memory_bytes() -> int | None:
    """Physical memory; None where the system does not say (Windows)."""
    if not hasattr(os, "sysconf"):
        return None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def usable_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choices(offered: Sequence[tuple[BackendInfo | EngineInfo, str | None]]) -> list[Choice]:
    """What a registry offers, with the reason where something cannot run here."""
    return [Choice(info.name, info.title, info.licence, reason) for info, reason in offered]


def _choice_line(choice: Choice) -> str:
    state = "ready" if choice.unavailable is None else f"cannot run: {choice.unavailable}"
    return f"  {choice.name:<14} {choice.title:<32} {state}"
