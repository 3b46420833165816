"""Which machine a figure was measured on, and how busy it was."""

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from app.doctor import memory_bytes, usable_cores

_PACKAGES = ("numpy", "numba", "torch", "opencv-contrib-python-headless", "open3d", "gradio", "viser")
_CPU_INFO = Path("/proc/cpuinfo")


def machine() -> dict[str, Any]:
    """Date, processor, cores, memory, versions, and the load average when asked (None where there is none)."""
    memory = memory_bytes()
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "cpu": processor(),
        "cores": usable_cores(),
        "memory_gb": None if memory is None else round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "load_average": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
    }


def processor() -> str:
    """The processor's name as the system tells it."""
    if _CPU_INFO.is_file():
        for line in _CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
