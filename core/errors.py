"""Errors a person may see: each message says what, which value and what to do."""


class EditorError(Exception):
    """Base of every failure with a sentence meant for the user."""


class InvalidInput(EditorError):
    """The input cannot be used as given."""


class BadProjectFile(InvalidInput):
    """A project archive is damaged, unsafe or of a newer version."""


class NotEnoughMemory(EditorError):
    """The machine has not the memory that something takes; the message says how much that is."""


class BackendUnavailable(EditorError):
    """A depth, mask or engine back-end cannot run here; the message says why."""


class EngineFailed(EditorError):
    """An engine started and could not finish."""


class Cancelled(EditorError):
    """The user stopped the work; nothing is wrong."""
