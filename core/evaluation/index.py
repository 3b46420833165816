"""What a benchmark's folder says it holds."""

from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from core.files.strict_json import read_json


def read_index(folder: Path) -> list[dict[str, Any]]:
    """The items of `folder/index.json`, each with a "kind". Raises InvalidInput when it is absent or something else."""
    index = folder / "index.json"
    if not index.is_file():
        raise InvalidInput(f"{index} does not exist; give the folder of the benchmark with its index.json.")
    items = read_json(index, str(index))
    if not isinstance(items, list) or not all(isinstance(item, dict) and "kind" in item for item in items):
        raise InvalidInput(f'{index} must be a list of items with a "kind"; take the benchmark\'s own.')
    return items
