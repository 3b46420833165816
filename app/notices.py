"""From failures to sentences: what a person reads, and what the log keeps."""

import logging
import secrets

from core.errors import EditorError
from core.memory import is_shortage

log = logging.getLogger(__name__)


def sentence_of(failure: Exception) -> str:
    """An EditorError's own sentence; for anything else a reference under which the log has the details."""
    if isinstance(failure, EditorError):
        return str(failure)
    if is_out_of_memory(failure):
        return "There is not enough memory for this; close other programs or open a smaller photo."
    reference = secrets.token_hex(3)
    log.error("unexpected failure %s", reference, exc_info=failure)
    return f"Something went wrong inside the studio (reference {reference} in the log); your work is safe, try again."


def is_out_of_memory(failure: Exception) -> bool:
    """Whether any of the libraries could not have the memory it asked for."""
    if not isinstance(failure, RuntimeError):
        return is_shortage(failure)
    from core.lras import memory

    return memory.is_out_of_memory(failure)
