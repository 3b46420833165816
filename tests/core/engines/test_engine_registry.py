import pytest

from core.engines.registry import available, make_engine, resolve
from core.errors import BackendUnavailable, InvalidInput


def test_auto_is_an_engine_that_can_run() -> None:
    reasons = {info.name: reason for info, reason in available()}
    assert reasons[resolve("auto")] is None
    assert make_engine("auto").info.name == resolve("auto")
    assert resolve("lras") == "lras"


def test_listed_info_is_the_engines_own() -> None:
    for info, reason in available():
        if reason is None:
            assert make_engine(info.name).info == info


def test_an_engine_that_cannot_run_says_why() -> None:
    reason = {info.name: why for info, why in available()}["lras"]
    assert reason is not None
    with pytest.raises(BackendUnavailable, match=reason):
        make_engine("lras")


def test_unknown_name() -> None:
    with pytest.raises(InvalidInput, match="'magic'"):
        make_engine("magic")
