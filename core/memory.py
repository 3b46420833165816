"""How much memory this process can still get, asked before work that needs much of it begins."""

import ctypes
import gc
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from core.errors import EditorError, NotEnoughMemory

_ROOT = Path("/")
_OPENCV_NO_MEMORY = -4
_SHEDDING: list[Callable[[int], None]] = []


class _Group(NamedTuple):
    """Where a version of Linux's control groups keeps its files, and their names."""

    folder: str
    limit: str
    used: str
    # Of what is used: cached files that are given up when memory is asked for.
    reclaimable: str


_VERSION_1 = _Group("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_VERSION_2 = _Group("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file")


def free_bytes() -> int | None:
    """Memory to be had without swapping, the limits of container and process included; None where nothing says."""
    found = re.search(r"MemAvailable:\s+(\d+) kB", _text(_ROOT / "proc" / "meminfo"))
    rooms = [int(found[1]) * 1024 if found else None, _room_of_process()]
    for version, path in _groups(_text(_ROOT / "proc" / "self" / "cgroup")):
        top = _ROOT / version.folder
        own = top / path
        rooms += [_room(folder, version) for folder in (own, *own.parents) if folder.is_relative_to(top)]
    return min((room for room in rooms if room is not None), default=None)


def on_shortage(shed: Callable[[int], None]) -> None:
    """Have `shed` called with the bytes that are missing, before anything is refused for want of memory."""
    _SHEDDING.append(shed)


def require_memory(needed: int, what: str) -> None:
    """Raises NotEnoughMemory, in one sentence about `what`, when `needed` bytes are more than can be made free."""
    free = free_bytes()
    if free is not None and needed > free and _SHEDDING:
        for shed in _SHEDDING:
            shed(needed - free)
        return_freed()
        free = free_bytes()
    if free is not None and needed > free:
        raise NotEnoughMemory(
            f"{what} needs about {told_bytes(needed)} of memory and {told_bytes(free)} are free; "
            "close other programs or make it smaller."
        )


@contextmanager
def memory_for(needed: int, what: str) -> Iterator[None]:
    """Work on `what` that takes about `needed` bytes: NotEnoughMemory before it begins, or when it runs out.

    Some decoders say that a file is damaged when memory was short, so that any failure asks again what is free.
    """
    require_memory(needed, what)
    try:
        yield
    except EditorError:
        raise
    except Exception as error:
        if is_shortage(error):
            raise NotEnoughMemory(
                f"{what} needs about {told_bytes(needed)} of memory, which could not be had; "
                "close other programs or make it smaller."
            ) from error
        require_memory(needed, what)
        raise


def is_shortage(error: Exception) -> bool:
    """Whether memory could not be had: OpenCV has its own error for that."""
    of_opencv = type(error).__module__ == "cv2" and getattr(error, "code", None) == _OPENCV_NO_MEMORY
    return of_opencv or isinstance(error, MemoryError)


def return_freed() -> None:
    """Collect what only refers to itself, and give the system back what the C library keeps of freed memory."""
    gc.collect()
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def told_bytes(count: int) -> str:
    """1234567890 as "1.2 GB", less than a tenth of one in MB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"


def _groups(listed: str) -> Iterator[tuple[_Group, str]]:
    """The process's own groups; a container's may be seen under another path, but then its root is the group."""
    for line in listed.splitlines():
        number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            yield _VERSION_1, path.lstrip("/")
        elif number == "0":
            yield _VERSION_2, path.lstrip("/")


def _room(folder: Path, version: _Group) -> int | None:
    """What a group may still take; None without a limit ("max", or more than any machine has)."""
    limit, used = (_text(folder / name).strip() for name in (version.limit, version.used))
    if not limit.isdigit() or not used.isdigit():
        return None
    reclaimable = re.search(rf"^{version.reclaimable} (\d+)$", _text(folder / "memory.stat"), re.MULTILINE)
    return max(0, int(limit) - int(used) + (int(reclaimable[1]) if reclaimable else 0))


def _room_of_process() -> int | None:
    """What `ulimit -v` leaves of the address space; None without such a limit."""
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _text(_ROOT / "proc" / "self" / "statm").split(" ", 1)[0]
    if limit == resource.RLIM_INFINITY or not pages.isdigit():
        return None
    return max(0, limit - int(pages) * os.sysconf("SC_PAGESIZE"))


def _text(path: Path) -> str:
    """Empty for a file that this system does not have or show."""
    try:
        return path.read_text()
    except OSError:
        return ""
