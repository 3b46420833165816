"""Where this user's own files live."""

import os
from pathlib import Path

_FOLDER = "lras-studio"


def user_folder(variable: str, otherwise: str) -> Path:
    """Windows' folder for local data, else the one that `variable` (XDG) names, else `otherwise` below the home."""
    named = os.environ.get("LOCALAPPDATA") or os.environ.get(variable)
    return (Path(named) if named else Path.home() / otherwise) / _FOLDER
