"""Content ids: two values with the same bytes have the same id."""

import hashlib
import secrets
from collections.abc import Mapping

import numpy as np

NOT_SAVED: Mapping[str, bool] = {"saved": False}
"""The `metadata` of a dataclass field that is no part of a saved project."""


def content_id(*parts: np.ndarray | bytes | str | float | bool | None) -> str:
    """Hash arrays (with dtype and shape), bytes and plain values into 32 hex digits."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        elif isinstance(part, bytes):
            digest.update(part)
        else:
            digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def new_object_id() -> str:
    """A short random id for a scene object, unique within a project."""
    return f"obj-{secrets.token_hex(4)}"


class ContentAddressed:
    """Equality and hashing by `id`, for frozen records that hold arrays."""

    id: str

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.id == other.id  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self.id)


def read_only(array: np.ndarray) -> np.ndarray:
    """A contiguous array that cannot be written through; copies only when it must."""
    array = np.ascontiguousarray(array)
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array
