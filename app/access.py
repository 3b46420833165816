"""Whom one running studio answers: under which names, with which token, and which users of this machine."""

import hashlib
import hmac
import re
import secrets
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from app.peers import Address, Neighbours, canonical, is_loopback
from core.errors import InvalidInput

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
WEB_PORTS = (80, 443)
TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,200}")

HostAndPort = tuple[str, int | None]


def _nobody(_: Address | None, __: Address | None) -> bool:
    return False


class Pass:
    """A code that counts as the token once: a browser is started with it, and users can read each other's commands."""

    def __init__(self) -> None:
        self.code = secrets.token_urlsafe(24)
        self._unused = [self.code]

    def accepts(self, code: str) -> bool:
        """Whether this is the code, for the first time."""
        if not self._unused or not hmac.compare_digest(code.encode(), self.code.encode()):
            return False
        self._unused.clear()
        return True


@dataclass(frozen=True)
class Access:
    """`names` count with the port that a request arrives at, `proxied` with their own; see `app.guard`."""

    names: frozenset[str] = LOOPBACK_NAMES
    proxied: frozenset[tuple[str, int]] = frozenset()
    token: str | None = field(default=None, repr=False)
    opening: Pass = field(default_factory=Pass, repr=False, compare=False)
    is_stranger: Callable[[Address | None, Address | None], bool] = field(
        default_factory=lambda: Neighbours().is_stranger, repr=False, compare=False
    )

    def answers_to(self, asked: HostAndPort, arrived: Address | None) -> bool:
        """Whether `asked` (no port: the web's own) is a name of this studio, at which a request arrived at `arrived`.

        The address that it arrived at is this machine's, and one of the names.
        """
        name, port = asked
        ports = WEB_PORTS if port is None else (port,)
        if any((name, each) in self.proxied for each in ports):
            return True
        return arrived is not None and arrived[1] in ports and name in self.names | {canonical(arrived[0])}

    def accepts(self, token: str | None) -> bool:
        """Whether a token is the right one, or none is asked for; takes as long for any."""
        return self.token is None or hmac.compare_digest((token or "").encode(), self.token.encode())

    def accepts_cookie(self, value: str | None) -> bool:
        """The same for what `cookie` gave."""
        return self.token is None or hmac.compare_digest((value or "").encode(), self.cookie.encode())

    @property
    def cookie(self) -> str:
        """What a browser keeps in place of the token; cookies go to every port of a host, the token must not."""
        return hmac.new((self.token or "").encode(), b"lras studio cookie", hashlib.sha256).hexdigest()


def access_for(listener: socket.socket, host: str, allowed: Iterable[str] = (), token: str | None = None) -> Access:
    """Access to a studio that was told to listen on `host`.

    A token is made where other machines can connect; where there is one, users of this machine are not told apart.
    Raises InvalidInput for a token or an allowed name that cannot be one.
    """
    if token is not None and not TOKEN.fullmatch(token):
        raise InvalidInput("A token is 16 to 200 letters, digits, dots, dashes, tildes or underscores; choose another.")
    bound, port = listener.getsockname()[:2]
    names = LOOPBACK_NAMES | {canonical(host)}
    if not is_loopback(bound):
        own = socket.gethostname().lower()
        names |= {own, f"{own.partition('.')[0]}.local"}
        token = token or secrets.token_urlsafe(24)
    proxied = frozenset(pair for name in allowed for pair in _proxied(name, port))
    return Access(names, proxied) if token is None else Access(names, proxied, token, is_stranger=_nobody)


def host_and_port(text: str) -> HostAndPort | None:
    """NAME, NAME:PORT or [IPv6]:PORT as a canonical name and a port; None when it is none of these."""
    parts = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", text)
    if parts is None:
        return None
    return canonical(parts[1].strip("[]")), int(parts[2]) if parts[2] else None


def _proxied(text: str, own_port: int) -> list[tuple[str, int]]:
    parts = host_and_port(text)
    if parts is None:
        raise InvalidInput(f"{text!r} is no name to allow; give NAME or NAME:PORT, without http:// and path.")
    name, port = parts
    return [(name, each) for each in ((*WEB_PORTS, own_port) if port is None else (port,))]
