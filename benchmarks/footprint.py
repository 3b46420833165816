"""What a process holds, as the kernel tells it; but for `peak_gb` on Linux only."""

import contextlib
import os
import re
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_TCP_LISTENS = "0A"
_UNIX_LISTENS = 0x10000


@dataclass(frozen=True)
class Footprint:
    """What a process holds: its share of memory, threads, open files, sockets that listen (TCP and Unix)."""

    memory_mb: float
    threads: int
    files: int
    listening: int


def footprint(pid: int) -> Footprint:
    """Measured now."""
    process = Path(f"/proc/{pid}")
    memory = re.search(r"^Pss: +(\d+) kB", (process / "smaps_rollup").read_text(), re.M)
    assert memory is not None
    return Footprint(
        memory_mb=int(memory.group(1)) / 1024,
        threads=len(list((process / "task").iterdir())),
        files=len(list((process / "fd").iterdir())),
        listening=len(listening_sockets(pid)),
    )


def listening_sockets(pid: int) -> set[str]:
    """The inodes of the TCP and Unix sockets on which a process waits for connections."""
    tcp = {row[9] for name in ("tcp", "tcp6") for row in socket_rows(pid, name) if row[3] == _TCP_LISTENS}
    unix = {row[6] for row in socket_rows(pid, "unix") if int(row[3], 16) & _UNIX_LISTENS}
    return _own_sockets(pid) & (tcp | unix)


def socket_rows(pid: int, table: str) -> list[list[str]]:
    """The rows of one of /proc's tables of sockets, none where this system has no such table."""
    path = Path(f"/proc/{pid}/net/{table}")
    return [line.split() for line in path.read_text().splitlines()[1:]] if path.exists() else []


def _own_sockets(pid: int) -> set[str]:
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            inodes |= set(re.findall(r"^socket:\[(\d+)\]$", os.readlink(descriptor)))
    return inodes


def peak_gb() -> float:
    """The largest resident size of this process so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def begin_peak() -> None:
    """Begin `peak_since_gb` anew."""
    _RESET.write_text("5")


def peak_since_gb() -> float:
    """The largest resident size of this process since `begin_peak`."""
    return _status_gb("VmHWM")


def resident_gb() -> float:
    """The resident size of this process now."""
    return _status_gb("VmRSS")


def _status_gb(key: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1]) * 1024 / 2**30
