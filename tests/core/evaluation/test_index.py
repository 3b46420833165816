"""The index of a benchmark's folder."""

from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.evaluation.index import read_index


def test_items_come_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text('[{"kind": "nvs", "id": "a"}]')
    assert read_index(tmp_path) == [{"kind": "nvs", "id": "a"}]


@pytest.mark.parametrize("text", ["{}", '[{"id": "a"}]', "[1]", "[NaN]", "no"])
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match="does not exist"):
        read_index(tmp_path)
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"index\.json"):
        read_index(tmp_path)
