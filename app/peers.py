"""Whose process is at the other end of a loopback connection, as Linux tells it."""

import ipaddress
import os
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

Address = tuple[str, int]
Owners = Callable[[Address, Address], frozenset[int]]
"""The users (Linux uids) who hold the end of a connection at the first address that leads to the second."""

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, REQUEST = 4, 20, 1
ALL_STATES = ANY_COOKIE = 0xFFFFFFFF
HEADER = struct.Struct("=IHHII")
UID_AND_INODE = struct.Struct("=II")
UID_AT = HEADER.size + 4 + 48 + 12
# Reading all of the tables takes milliseconds; a port does not come into other hands within this time.
REMEMBERED_SECONDS = 1.0
MOST_REMEMBERED = 256


class Neighbours:
    """Tells this user's own connections from those of other users of this machine.

    Who has hung up cannot be told any more and counts as a stranger. Where the system does not tell at all, nobody is
    one.
    """

    def __init__(self, owners: Owners | None = None, own: frozenset[int] | None = None) -> None:
        self._owners = owners or next(filter(_tells, (by_netlink, Remembered(by_tables))), None)
        self._own = own_users() if own is None else own

    def is_stranger(self, peer: Address | None, here: Address | None) -> bool:
        """Whether the connection from `peer` to `here` is another user's; never for one from another machine."""
        if self._owners is None or peer is None or here is None or not is_loopback(peer[0]):
            return False
        owners = self._owners(peer, here)
        return not owners or not owners <= self._own


class Remembered:
    """Another way to ask, whose answers are kept for `REMEMBERED_SECONDS`."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners
        self._known: dict[tuple[Address, Address], tuple[float, frozenset[int]]] = {}

    def __call__(self, peer: Address, here: Address) -> frozenset[int]:
        now, known = time.monotonic(), self._known.get((peer, here))
        if known is None or now - known[0] > REMEMBERED_SECONDS:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            known = self._known[peer, here] = now, self._owners(peer, here)
        return known[1]


def by_netlink(peer: Address, here: Address) -> frozenset[int]:
    """Ask the kernel for this one connection (sock_diag(7)); empty when there is none, or nobody holds it."""
    ends = [ipaddress.ip_address(canonical(end[0])) for end in (peer, here)]
    family = socket.AF_INET if ends[0].version == 4 else socket.AF_INET6
    source, destination = (end.packed.ljust(16, b"\0") for end in ends)
    connection = struct.pack("!HH", peer[1], here[1]) + source + destination
    asked = struct.pack("=BBBxI", family, socket.IPPROTO_TCP, 0, ALL_STATES) + connection
    asked += struct.pack("=III", 0, ANY_COOKIE, ANY_COOKIE)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(1.0)
        kernel.send(HEADER.pack(HEADER.size + len(asked), SOCK_DIAG_BY_FAMILY, REQUEST, 1, 0) + asked)
        answer = kernel.recv(4096)
    if HEADER.unpack_from(answer)[1] != SOCK_DIAG_BY_FAMILY:
        return frozenset()
    uid, inode = UID_AND_INODE.unpack_from(answer, UID_AT)
    return frozenset({uid}) if inode else frozenset()


def by_tables(peer: Address, here: Address, tables: tuple[Path, ...] = TABLES) -> frozenset[int]:
    """The same from /proc/net/tcp and tcp6, where the kernel cannot be asked."""
    theirs, ours = _written(peer), _written(here)
    lines = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    return frozenset(int(cell[7]) for cell in lines if cell[1] in theirs and cell[2] in ours and cell[9] != "0")


def own_users() -> frozenset[int]:
    """Who may do all that this process may: its user, and root."""
    return frozenset({os.geteuid(), 0}) if hasattr(os, "geteuid") else frozenset()


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own to itself; a name is none."""
    try:
        return ipaddress.ip_address(canonical(host)).is_loopback
    except ValueError:
        return False


def canonical(name: str) -> str:
    """An address in its usual writing, IPv4 as such where it comes inside IPv6; a name in lower case."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name.lower()
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _tells(owners: Owners) -> bool:
    """Whether a way to ask works here: tried on a connection of our own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()) as ours:
            try:
                return bool(owners(ours.getsockname(), listener.getsockname()))
            except (OSError, AttributeError):  # no such socket family, no such files
                return False


def _written(address: Address) -> frozenset[str]:
    """The ways in which the tables may write an address: an IPv4 one also as IPv6 has it."""
    packed = ipaddress.ip_address(canonical(address[0])).packed
    forms = (packed, b"\0" * 10 + b"\xff\xff" + packed) if len(packed) == 4 else (packed,)
    return frozenset(f"{_words(form)}:{address[1]:04X}" for form in forms)


def _words(packed: bytes) -> str:
    """The kernel prints whole words as its processor reads them."""
    words = (packed[at : at + 4] for at in range(0, len(packed), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
