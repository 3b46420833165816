"""Another user of this machine, for tests that run as root."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

NOBODY = 65534

needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be another user")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Sockets that are made in here belong to another user."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
