"""How inner loops are compiled."""

from collections.abc import Callable
from typing import Any, cast, no_type_check

import numba


def compiled(function: Callable[..., Any]) -> Any:
    """A numba kernel that frees the interpreter while it runs and is kept on disk between starts.

    Put `@no_type_check` below it: the test run's shape checker then leaves the function to numba.
    """
    return cast(Any, numba.njit(nogil=True, cache=True)(function))


__all__ = ["compiled", "no_type_check"]
