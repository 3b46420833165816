"""Depth and mask back-ends by name; nothing heavy is imported before one is made."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from core.compute import computes
from core.errors import BackendUnavailable
from core.files.hub import HubKind, HubModel, find, hub_models, missing
from core.types.protocols import BackendInfo, DepthBackend, SegmentationBackend

if TYPE_CHECKING:
    from core.perception.depth.lras import FlowDepthSettings

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
    entries: dict[str, Entry[DepthBackend]] = {
        network.name: Entry(network, _embedded_depth, _embedded_depth_why_not),
        layout.name: Entry(layout, _layout, _always),
        flow.name: Entry(flow, _flow, _flow_why_not),
    }
    for model in _of_kind("depth"):
        info = BackendInfo(model.name, model.title, model.licence)
        entries[model.name] = Entry(info, partial(_hub_depth, model, info), partial(_hub_why_not, model))
    return entries


def segmentation_backends() -> dict[str, Entry[SegmentationBackend]]:
    """All mask back-ends, the preferred one first."""
    graphcut = BackendInfo("graphcut", "Colour and edge cut (no network)", "MIT")
    network = BackendInfo("embedded", "Click network (built in)", "MIT")
    entries: dict[str, Entry[SegmentationBackend]] = {
        network.name: Entry(network, _embedded_clicks, _embedded_clicks_why_not),
        graphcut.name: Entry(graphcut, _graphcut, _graphcut_why_not),
    }
    for model in _of_kind("mask"):
        info = BackendInfo(model.name, model.title, model.licence)
        entries[model.name] = Entry(info, partial(_hub_masks, model, info), partial(_hub_why_not, model))
    return entries


def available() -> list[tuple[BackendInfo, str | None]]:
    """Every back-end with the reason why it cannot run here, or None."""
    entries = [*depth_backends().values(), *segmentation_backends().values()]
    return [(entry.info, entry.why_not()) for entry in entries]


def preferred_depth() -> str:
    """The first depth back-end that can run here."""
    return next(name for name, entry in depth_backends().items() if entry.why_not() is None)


def preferred_segmentation() -> str:
    """The first mask back-end that can run here, or the first of all when none can."""
    entries = segmentation_backends()
    return next((name for name, entry in entries.items() if entry.why_not() is None), next(iter(entries)))


def check_depth_backend(name: str) -> None:
    """Raises BackendUnavailable for an unknown name or one that cannot run here."""
    _checked(name, depth_backends(), "depth")


def check_segmentation_backend(name: str) -> None:
    """Raises BackendUnavailable for an unknown name or one that cannot run here."""
    _checked(name, segmentation_backends(), "mask")


def make_depth_backend(name: str) -> DepthBackend:
    """Raises BackendUnavailable for an unknown name or one that cannot run here."""
    return _checked(name, depth_backends(), "depth").make()


def make_segmentation_backend(name: str) -> SegmentationBackend:
    """Raises BackendUnavailable for an unknown name or one that cannot run here."""
    return _checked(name, segmentation_backends(), "mask").make()


@computes
def flow_depth(files: tuple[Path, Path, Path], info: BackendInfo, settings: "FlowDepthSettings") -> DepthBackend:
    """Depth by predicted flow, from the weights of a network, its picture tokenizer and its flow tokenizer.

    Raises InvalidInput for files that are none.
    """
    from core.lras.placement import placement
    from core.lras.runtime import Runtime
    from core.lras.weights import load_quantizer, load_transformer
    from core.perception.depth.lras import FlowDepth

    device, dtype = placement()
    network, rgb, flow = files
    runtime = Runtime(load_transformer(network, dtype, device))
    return FlowDepth(runtime, load_quantizer(rgb, device), load_quantizer(flow, device), settings, info)


def _checked(name: str, entries: dict[str, Entry[Backend]], kind: str) -> Entry[Backend]:
    if name not in entries:
        raise BackendUnavailable(f"There is no {kind} back-end called {name!r}; choose one of: {', '.join(entries)}.")
    reason = entries[name].why_not()
    if reason is not None:
        raise BackendUnavailable(reason)
    return entries[name]


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
    from core.perception.depth.lras import FLOW_DEPTH, FlowDepthSettings

    network, rgb, flow = (installed(name) for name in _FLOW_FILES)
    assert network is not None
    assert rgb is not None
    assert flow is not None
    return flow_depth((network, rgb, flow), FLOW_DEPTH, FlowDepthSettings())


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


def _of_kind(kind: HubKind) -> list[HubModel]:
    return [model for model in hub_models() if model.kind == kind]


def _hub_depth(model: HubModel, info: BackendInfo) -> DepthBackend:
    from core.perception.depth.depth_anything import DepthAnything
    from core.perception.depth.depth_pro import DepthPro

    return (DepthPro if model.family == "depth-pro" else DepthAnything)(info, _folder(model))


def _hub_masks(model: HubModel, info: BackendInfo) -> SegmentationBackend:
    from core.perception.segmentation.sam import Sam
    from core.perception.segmentation.sam2 import Sam2

    if model.family == "sam":
        return Sam(info, _folder(model) / model.files[0].path)
    return Sam2(info, _folder(model))


def _hub_why_not(model: HubModel) -> str | None:
    package = "segment-anything" if model.family == "sam" else "transformers"
    if importlib.util.find_spec(package.replace("-", "_")) is None:
        return f"{model.title} needs the package {package}, which is not installed; run 'pip install {package}'."
    return missing(model) or (_graphcut_why_not() if model.kind == "mask" else None)


def _folder(model: HubModel) -> Path:
    """Raises BackendUnavailable when its files went away since it was offered."""
    folder = find(model)
    if folder is None:
        raise BackendUnavailable(missing(model) or "")
    return folder


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
