"""Checks every jaxtyping shape in `core` while the tests run."""

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

# The tests' networks are so small that sharing out their work costs more than doing it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
install_import_hook("core", "typecheck.check")


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder with benchmarks and fixtures, given by LRAS_SHARED; skips the test without it."""
    folder = Path(os.environ.get("LRAS_SHARED", "../shared"))
    if not folder.is_dir():
        pytest.skip(f"benchmark data not found at {folder}; set LRAS_SHARED")
    return folder
