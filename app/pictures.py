"""A session's arrays as pictures for the page."""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from app.frames import PREVIEW_SIDE
from app.session import Session
from app.thumbnail import frame_srgb, jpeg, shrunk, thumbnail
from core.editing.apply import apply
from core.editing.layers import working_size
from core.editing.render import render
from core.errors import InvalidInput
from core.files.depth import depth_colours
from core.maths.flow_colour import flow_colours
from core.types.depth import DepthMap
from core.types.edits import HideObject

_HATCH_PERIOD = 8
_SHADOW_COLOUR = (110, 150, 255)


def picture(session: Session, which: str, max_side: int = 1280) -> bytes | None:
    """An encoded picture: "photo", "result", "depth", "confidence", "flow", "invented", "mask", "thumb-N" (history
    step N) or "variation-N" (seed N).

    Photographs are JPEG, overlays are PNG with alpha. None when there is nothing to show yet.
    Raises InvalidInput for another name.
    """
    name, _, number = which.partition("-")
    if name == "thumb" and number.isdigit():
        return _thumb(session, int(number))
    if name == "variation" and number.isdigit():
        return jpeg(shrunk(frame_srgb(session.variation(int(number)), session.project.photo), max_side))
    if which not in _PICTURES:
        raise InvalidInput(f"There is no picture called {which!r}; ask for one of {', '.join(_PICTURES)}.")
    return _PICTURES[which](session, max_side)


def _photo(session: Session, max_side: int) -> bytes:
    return jpeg(shrunk(session.project.photo.srgb, max_side))


def _result(session: Session, max_side: int) -> bytes | None:
    frame = session.frame
    return None if frame is None else jpeg(shrunk(frame_srgb(frame, session.project.photo), max_side))


def _thumb(session: Session, step: int) -> bytes | None:
    """A history step's picture; the photo's while the step has not been rendered."""
    return thumbnail(session.frame_of_step(step), session.project.photo)


def _depth(session: Session, max_side: int) -> bytes | None:
    frame = session.frame
    if frame is None:
        return None
    depth = DepthMap(frame.depth, frame.depth_valid, "relative", "edited frame")
    return jpeg(shrunk(depth_colours(depth, "cividis"), max_side))


def _confidence(session: Session, max_side: int) -> bytes | None:
    """How sure the photo's depth is, sure is bright; None where nobody says."""
    confidence = session.project.depth.confidence
    if confidence is None:
        return None
    shades = cv2.applyColorMap(np.rint(255 * confidence).astype(np.uint8), cv2.COLORMAP_CIVIDIS)
    return jpeg(shrunk(cv2.cvtColor(shades, cv2.COLOR_BGR2RGB), max_side))


def _flow(session: Session, max_side: int) -> bytes | None:
    frame = session.frame
    return None if frame is None else jpeg(shrunk(flow_colours(frame.flow.flow), max_side))


def _invented(session: Session, max_side: int) -> bytes | None:
    frame = session.frame
    if frame is None:
        return None
    doubt = shrunk(np.where(frame.invented, 1 - frame.confidence, 0).astype(np.float32), max_side)
    return png(_hatched(_fit(frame.invented, max_side), doubt))


def _mask(session: Session, max_side: int) -> bytes | None:
    item = session.selected_object
    if item is None:
        return None
    width, height = working_size(session.project, max_side)
    overlay = np.zeros((height, width, 4), np.uint8)
    if item.shadow is not None:
        overlay[..., :3] = _SHADOW_COLOUR
        overlay[..., 3] = cv2.resize(item.shadow.coverage, (width, height), interpolation=cv2.INTER_AREA) // 3
    own = cv2.resize(item.mask.coverage, (width, height), interpolation=cv2.INTER_AREA)
    overlay[..., 3] = np.where(own > 0, own // 5, overlay[..., 3])
    overlay[own > 0, :3] = 255
    return png(overlay)


def _hatched(flags: Bool[np.ndarray, "H W"], doubt: Float32[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W 4"]:
    """Fine diagonal hatching, light and dark, that shows on any picture and does not rest on colour.

    The stronger, the more doubt (0..1) there is.
    """
    y, x = np.indices(flags.shape)
    phase = (x + y) % _HATCH_PERIOD
    overlay = np.zeros((*flags.shape, 4), np.uint8)
    for rows, colour, least, most in ((phase < 2, 255, 90, 235), ((phase >= 2) & (phase < 4), 20, 60, 190)):
        where = flags & rows
        overlay[where, :3] = colour
        overlay[where, 3] = np.rint(least + (most - least) * doubt[where].clip(0, 1)).astype(np.uint8)
    return overlay


def _fit(flags: Bool[np.ndarray, "H W"], max_side: int) -> Bool[np.ndarray, "h w"]:
    return shrunk(flags.astype(np.uint8) * 255, max_side) >= 128


def behind(session: Session, object_id: str, final: bool) -> bytes:
    """The picture without one object, JPEG: as good as it is to be had at once, or `final`.

    A finished one is remembered, so that the picture after a drag needs no second filling. Raises Cancelled when the
    session is closed meanwhile.
    """
    project = session.project
    project.scene.object(object_id)
    without = apply(project, HideObject(object_id))
    engine = session.services.engine(project.settings.engine)
    memo, cancel = session.services.memo, session.closing
    frame = next(render(without, engine, memo, PREVIEW_SIDE, cancel, stream=not final))
    return jpeg(frame_srgb(frame, project.photo))


def detail(session: Session, window: tuple[int, int, int, int], max_side: int) -> bytes | None:
    """A window (x, y, width, height) of the shown picture at its full size, JPEG; None until that has been made."""
    pixels = session.detail(*window)
    return None if pixels is None else jpeg(shrunk(pixels, max_side))


def png(rgba: UInt8[np.ndarray, "H W 4"]) -> bytes:
    """With alpha; quick rather than small."""
    _, encoded = cv2.imencode(".png", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded.tobytes()


_PICTURES: dict[str, Callable[[Session, int], bytes | None]] = {
    "photo": _photo,
    "result": _result,
    "depth": _depth,
    "confidence": _confidence,
    "flow": _flow,
    "invented": _invented,
    "mask": _mask,
}
