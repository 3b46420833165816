"""One small set of data for all tests of training."""

from pathlib import Path

import pytest
from training_data import packed_data

from core.training.packed import PackedSet


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> PackedSet:
    return packed_data(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="session")
def data(packed: PackedSet) -> Path:
    return packed.folder.parent / "data"
