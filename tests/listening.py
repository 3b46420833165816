"""What this process listens on, as the kernel tells it (Linux)."""

import os
from pathlib import Path

import pytest

LISTENING = "0A"


def listening_inodes() -> set[str]:
    """Every TCP and Unix socket on which this process waits for connections; skips where there is no /proc."""
    tables = Path("/proc/self/net")
    if not tables.is_dir():
        pytest.skip("only Linux tells which sockets a process listens on")
    ours = {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_open(fd)}
    inodes = {name.removeprefix("socket:[").removesuffix("]") for name in ours if name.startswith("socket:[")}
    tcp = [line.split() for name in ("tcp", "tcp6") for line in _lines(tables / name)]
    unix = [line.split() for line in _lines(tables / "unix")]
    listening = {row[9] for row in tcp if row[3] == LISTENING} | {row[6] for row in unix if row[3] == "00010000"}
    return inodes & listening


def listening_ports() -> dict[int, str]:
    """The TCP ports among them, with the address that each is bound to, as /proc writes it."""
    mine = listening_inodes()
    found = {}
    for name in ("tcp", "tcp6"):
        for row in (line.split() for line in _lines(Path("/proc/self/net") / name)):
            if row[9] in mine:
                address, _, port = row[1].rpartition(":")
                found[int(port, 16)] = address
    return found


def _lines(table: Path) -> list[str]:
    return table.read_text().splitlines()[1:] if table.exists() else []


def _is_open(fd: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}")
