"""Depth and mask back-ends by name; nothing heavy is imported before one is made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.errors import BackendUnavailable
from core.types.protocols import BackendInfo, DepthBackend, SegmentationBackend

_DEPTH_STUDENT = "depth_student"
_CLICK_STUDENT = "click_student"
_FLOW_FILES = ("flow_predictor", "rgb_quantizer", "flow_quantizer")

Backend = TypeVar("Backend", DepthBackend, SegmentationBackend)


@dataclass(frozen=True)
class Entry(Generic[Backend]):
    """One back-end: what it is, how it is made, and why it cannot run here (None when it can)."""

    info: BackendInfo
    make: Callable[[], Backend]
    why_not: Callable[[], str | None]


def depth_backends() -> dict[str, Entry[DepthBackend]]:
    """All depth back-ends, the preferred one first."""
    layout = BackendInfo("layout", "Layout guess (no network)", "MIT")
    flow = BackendInfo("lras", "LRAS predicted flow", "MIT by its authors' README")
    network = BackendInfo("embedded", "Depth network (built in)", "MIT")
    return {
        layout.name: Entry(layout, _layout, _always),
        network.name: Entry(network, _embedded_depth, _embedded_depth_why_not),
        flow.name: Entry(flow, _flow, _flow_why_not),
    }


def segmentation_backends() -> dict[str, Entry[SegmentationBackend]]:
    """All mask back-ends, the preferred one first."""
    graphcut = BackendInfo("graphcut", "Colour and edge cut (no network)", "MIT")
    network = BackendInfo("embedded", "Click network (built in)", "MIT")
    entries: dict[str, Entry[SegmentationBackend]] = {graphcut.name: Entry(graphcut, _graphcut, _graphcut_why_not)}
    if _embedded_clicks_why_not() is None:
        entries[network.name] = Entry(network, _embedded_clicks, _embedded_clicks_why_not)
    return entries


def available() -> list[tuple[BackendInfo, str | None]]:
    """Every back-end with the reason why it cannot run here, or None."""
    entries = [*depth_backends().values(), *segmentation_backends().values()]
    return [(entry.info, entry.why_not()) for entry in entries]


def make_depth_backend(name: str) -> DepthBackend:
    """Raises BackendUnavailable for an unknown name or one that cannot run here."""
    return _make(name, depth_backends(), "depth")


def make_segmentation_backend(name: str) -> SegmentationBackend:
    """Raises BackendUnavailable for an unknown name or one that cannot run here."""
    return _make(name, segmentation_backends(), "mask")


def _make(name: str, entries: dict[str, Entry[Backend]], kind: str) -> Backend:
    if name not in entries:
        raise BackendUnavailable(f"There is no {kind} back-end called {name!r}; choose one of: {', '.join(entries)}.")
    reason = entries[name].why_not()
    if reason is not None:
        raise BackendUnavailable(reason)
    return entries[name].make()


def _always() -> str | None:
    return None


def _layout() -> DepthBackend:
    from core.perception.depth.layout import LayoutDepth

    return LayoutDepth()


def _embedded_depth() -> DepthBackend:
    from core.files.weights import embedded
    from core.nets.files import load_depth_student
    from core.perception.depth.embedded import EmbeddedDepth

    return EmbeddedDepth(load_depth_student(embedded(_DEPTH_STUDENT)))


def _embedded_depth_why_not() -> str | None:
    from core.files.weights import embedded_missing

    return embedded_missing(_DEPTH_STUDENT)


def _flow() -> DepthBackend:
    from core.files.weights import installed
    from core.lras.placement import placement
    from core.lras.runtime import Runtime
    from core.lras.weights import load_quantizer, load_transformer
    from core.perception.depth.lras import FlowDepth

    network, rgb, flow = (installed(name) for name in _FLOW_FILES)
    assert network is not None
    assert rgb is not None
    assert flow is not None
    device, dtype = placement()
    runtime = Runtime(load_transformer(network, dtype, device))
    return FlowDepth(runtime, load_quantizer(rgb, device), load_quantizer(flow, device))


def _flow_why_not() -> str | None:
    from core.files.weights import missing

    return missing(_FLOW_FILES)


def _embedded_clicks() -> SegmentationBackend:
    from core.files.weights import embedded
    from core.nets.files import load_click_student
    from core.perception.segmentation.embedded import EmbeddedClicks

    return EmbeddedClicks(load_click_student(embedded(_CLICK_STUDENT)))


def _embedded_clicks_why_not() -> str | None:
    from core.files.weights import embedded_missing

    return embedded_missing(_CLICK_STUDENT) or _graphcut_why_not()


def _graphcut() -> SegmentationBackend:
    from core.perception.segmentation.graphcut import GraphCut

    return GraphCut()


def _graphcut_why_not() -> str | None:
    """Plain OpenCV lacks the superpixels and the guided filter."""
    import cv2

    if hasattr(cv2, "ximgproc"):
        return None
    return (
        "Masks by click need OpenCV's contrib modules; run "
        "'pip uninstall opencv-python opencv-python-headless' and 'pip install opencv-contrib-python-headless'."
    )
