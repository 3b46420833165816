"""What this process listens on, as the kernel tells it (Linux)."""

import os
from pathlib import Path

import pytest

from benchmarks.footprint import listening_sockets, socket_rows


def listening_inodes() -> set[str]:
    """Every TCP and Unix socket on which this process waits for connections; skips where there is no /proc."""
    if not Path("/proc/self/net").is_dir():
        pytest.skip("only Linux tells which sockets a process listens on")
    return listening_sockets(os.getpid())


def listening_ports() -> dict[int, str]:
    """The TCP ports among them, with the address that each is bound to, as /proc writes it."""
    mine = listening_inodes()
    bound = [row[1] for table in ("tcp", "tcp6") for row in socket_rows(os.getpid(), table) if row[9] in mine]
    return {int(port, 16): address for address, _, port in (place.rpartition(":") for place in bound)}
