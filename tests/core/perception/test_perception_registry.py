import pytest

from core.errors import BackendUnavailable
from core.perception import registry
from core.perception.segmentation.graphcut import GraphCut
from core.types.protocols import BackendInfo


def test_everything_is_listed_once_with_a_reason_or_none():
    listed = registry.available()
    names = [info.name for info, _ in listed]
    assert names == [*registry.depth_backends(), *registry.segmentation_backends()]
    assert all(reason is None or reason.endswith(".") for _, reason in listed)
    assert all(info.title and info.licence for info, _ in listed)


def test_a_backend_that_cannot_run_is_refused_with_its_reason(monkeypatch):
    broken = registry.Entry(BackendInfo("broken", "Broken", "MIT"), make=GraphCut, why_not=lambda: "No.")
    monkeypatch.setattr(registry, "depth_backends", lambda: {"broken": broken})
    with pytest.raises(BackendUnavailable, match=r"No\."):
        registry.make_depth_backend("broken")
