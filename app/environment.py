"""What the machine must bring besides Python packages.

Standard library only, and readable by old Pythons: launch.py asks before any package exists.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SystemNeed:
    """Something that pip cannot install: its name, what needs it, the Debian packages that bring it."""

    name: str
    needed_by: str
    packages: tuple[str, ...]


LIBRARIES = (
    SystemNeed("libusb-1.0.so.0", "Open3D", ("libusb-1.0-0",)),
    SystemNeed("libGL.so.1", "Open3D", ("libgl1",)),
    SystemNeed("libEGL.so.1", "Open3D", ("libegl1",)),
    SystemNeed("libgomp.so.1", "Open3D", ("libgomp1",)),
)
# Chromium draws no letters at all on a machine without a font.
CHROMIUM = SystemNeed("chromium", "the browser tests", ("chromium", "fonts-liberation"))
PIP = SystemNeed("ensurepip", "making .venv", ("python3-venv",))

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC_BROWSERS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)


def missing_libraries() -> tuple[SystemNeed, ...]:
    """The shared libraries that cannot be loaded here; elsewhere than on Linux the wheels bring them."""
    if not sys.platform.startswith("linux"):
        return ()
    return tuple(need for need in LIBRARIES if not _loads(need.name))


def find_chromium() -> Path | None:
    """The browser for the tests: LRAS_CHROMIUM if set, else the first one installed."""
    chosen = os.environ.get("LRAS_CHROMIUM")
    if chosen:
        return Path(chosen) if Path(chosen).is_file() else None
    for name in _BROWSERS:
        found = shutil.which(name)
        if found:
            return Path(found)
    return next((path for path in _MAC_BROWSERS if path.is_file()), None)


def has_browser_tests(root: Path) -> bool:
    """True when `ui_tests` in the checkout `root` holds at least one test file."""
    return any((root / "ui_tests").glob("test_*.py"))


def can_install() -> bool:
    """True for root on a Debian-like system."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_commands(needs: Iterable[SystemNeed]) -> list[list[str]]:
    """The commands that bring `needs` on a Debian-like system, in order."""
    packages = [package for need in needs for package in need.packages]
    return [["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", *packages]]


def missing_sentence(needs: Iterable[SystemNeed]) -> str:
    """One sentence: what is missing, who needs it, and the command or packages that bring it."""
    needs = tuple(needs)
    what = ", ".join(f"{need.name} (for {need.needed_by})" for need in needs)
    packages = " ".join(package for need in needs for package in need.packages)
    if shutil.which("apt-get"):
        return f"Missing on this system: {what}. Install with: sudo apt-get install {packages}"
    return f"Missing on this system: {what}. Install what your system calls these Debian packages: {packages}"


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
