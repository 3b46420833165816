"""Peel the photo: its objects taken off front to back, each a layer that is complete behind what stood before it."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.editing.costs import require_for_peeling
from core.editing.layers import enlarged_window, object_at_rest, rim_width
from core.editing.memo import Memo
from core.editing.peel_order import ordered_objects
from core.editing.peel_parts import Front, Part, parts_of, see_through
from core.editing.plate import Plate, source_plate, without_objects
from core.errors import InvalidInput
from core.maths.bands import copied, in_bands, paste, reciprocal
from core.maths.mask import bounding_box
from core.maths.unmix import laid_over, least_alpha, unmixed
from core.types.mask import Mask
from core.types.peeled import Peeled, PeeledLayer
from core.types.photo import Coverage, Photo, Pixels
from core.types.project import Project, Settings
from core.types.protocols import CancelToken, Engine, EngineRequest
from core.types.scene import Placement

BACKGROUND = "Background"

_PLATE_SHARE = 0.6  # of the time
_SLACK = 6 / 255  # how far invented pixels give way, so that noise at an edge does not make it opaque
_SOLID = 250


def peel(
    project: Project,
    engine: Engine,
    memo: Memo,
    cancel: CancelToken | None = None,
    tell: Callable[[float], None] = lambda _: None,
) -> Peeled:
    """The photo as layers: the background without any object, then every object, farthest first.

    Objects are peeled where the photo shows them, wherever they were moved. Laid over each other in the photo's own
    coded values, as painting programs do, the layers show the photo: exactly where they are opaque, and at soft edges
    because their colours are solved for that. `tell` hears the share done. Raises InvalidInput without an object,
    NotEnoughMemory, Cancelled soon after `cancel`, EngineFailed if the engine cannot finish.
    """
    cancel = cancel or CancelToken()
    at_rest = _at_rest(project)
    items = ordered_objects(at_rest, cancel)
    if not items:
        raise InvalidInput("There is no object to peel off the photo; cut one out first.")
    require_for_peeling(project)
    parts, front = parts_of(project.photo, items, cancel)
    plate = None
    for plate in source_plate(without_objects(at_rest), engine, memo, cancel=cancel):
        tell(_PLATE_SHARE * plate.done)
    assert plate is not None
    layers = [_background(project.photo, plate, front, parts)]
    canvas = copied(project.photo.pixels)
    canvas[layers[0].window] = layers[0].pixels
    for number, part in enumerate(reversed(parts)):
        cancel.check()
        layers.append(_layer(at_rest, part, canvas, engine, cancel))
        tell(_PLATE_SHARE + (1 - _PLATE_SHARE) * (number + 1) / len(parts))
    return Peeled(project.photo, tuple(layers), project.depth.scale == "metric")


def _at_rest(project: Project) -> Project:
    """Every object where the photo shows it."""
    objects = tuple(replace(o, placement=Placement(), hidden=False) for o in project.scene.objects if o.copy_of is None)
    return replace(project, scene=replace(project.scene, objects=objects), flow_override=None, rerolls=())


def _background(photo: Photo, plate: Plate, front: Front, parts: list[Part]) -> PeeledLayer:
    """The plate, but the photo's own pixels where no object spoils them."""
    pixels = copied(photo.pixels)
    _complete(pixels, plate.pixels, front.spoiled, front.coverage)
    alpha = np.full(front.spoiled.shape, np.iinfo(pixels.dtype).max, pixels.dtype)
    if photo.alpha is not None and (through := see_through(photo)) is not None:
        paste(alpha, photo.alpha, through)
        for part in parts:
            assert part.clear is not None
            alpha[part.window][part.clear] = 0
    return _peeled_layer(BACKGROUND, (0, 0), pixels, alpha, plate.inverse_depth)


def _layer(project: Project, part: Part, canvas: Pixels, engine: Engine, cancel: CancelToken) -> PeeledLayer:
    """One object, its colours such that over `canvas` it shows the photo; `canvas` becomes what is shown with it."""
    photo = project.photo
    inverse = _inverse_depth(project, part)
    pixels = photo.pixels[part.window].copy()
    continued = _continued(photo, part, inverse, engine, project.settings, cancel)
    _complete(pixels, continued, part.hidden, part.before)
    full = np.iinfo(pixels.dtype).max
    alpha = part.extent.astype(pixels.dtype) * pixels.dtype.type(full // 255)
    alpha[(part.hidden == 0) & (part.spoiled == 0)] = 0
    soft = (part.hidden == 0) & (part.spoiled > 0) & (part.extent < 255)
    if part.clear is not None:
        through = see_through(photo)
        assert photo.alpha is not None
        assert through is not None
        soft &= ~through[part.window]
        alpha[through[part.window]] = 0
        paste(alpha, photo.alpha[part.window], part.clear)
    under = canvas[part.window]
    _solve(photo.pixels[part.window], under, soft, pixels, alpha, rim_width((photo.width, photo.height)))
    seen = alpha > 0
    under[seen] = laid_over(pixels[seen], under[seen], alpha[seen])
    pixels[~seen] = 0
    return _peeled_layer(part.item.label, part.origin, pixels, alpha, inverse)


def _complete(
    pixels: Pixels, invented: Pixels, spoiled: UInt8[np.ndarray, "h w"], before: UInt8[np.ndarray, "h w"]
) -> None:
    """Replace `pixels` in place as far as they are spoiled; `before` is the coverage of what spoils them.

    At soft edges what is invented gives way to the photo where they differ by no more than noise.
    """

    def mix(first: int, last: int) -> None:
        rows = slice(first, last)
        y, x = np.nonzero(spoiled[rows])
        full = np.float32(np.iinfo(pixels.dtype).max)
        own = pixels[rows][y, x].astype(np.float32)
        share = (spoiled[rows][y, x] / np.float32(255))[:, None]
        mixed = own + share * (invented[rows][y, x] - own)
        room = (1 - before[rows][y, x] / np.float32(255))[:, None] * np.float32(_SLACK) * full
        missing = own - mixed
        most = np.abs(missing).max(axis=1, keepdims=True)
        mixed += missing * np.clip(2 - np.divide(most, room, out=np.full_like(most, 2), where=room > 0), 0, 1)
        pixels[rows][y, x] = np.rint(mixed).astype(pixels.dtype)

    in_bands(spoiled.shape, mix)


def _continued(
    photo: Photo,
    part: Part,
    inverse: Float32[np.ndarray, "h w"],
    engine: Engine,
    settings: Settings,
    cancel: CancelToken,
) -> Pixels:
    """The part's window with the object's own texture where it goes on behind what stands before it."""
    own = np.ascontiguousarray(photo.pixels[part.window])
    unknown = (part.hidden > 0) & (part.extent > 0)
    if not unknown.any():
        return own
    visible = part.hidden == 0
    known = visible & (part.coverage >= _SOLID)
    if not known.any():
        known = visible & (part.coverage >= 128)
    request = EngineRequest(
        source=Photo(photo.name, own, np.ascontiguousarray(photo.srgb[part.window]), icc_profile=photo.icc_profile),
        draft=own,
        unknown=unknown,
        foreground=~known & ~unknown,
        depth=reciprocal(inverse),
        flow=None,
        seed=settings.seed,
        order=settings.order,
        previews=False,
    )
    image = own
    for update in engine.render(request, cancel):
        image = update.image
    return image


def _solve(
    photo: Pixels,
    under: Pixels,
    soft: Bool[np.ndarray, "h w"],
    pixels: Pixels,
    alpha: Coverage,
    reach: int,
) -> None:
    """Colours and opacity of the soft pixels so that the photo is seen, in place.

    They become more opaque than `alpha` where it takes colours that the photo does not show within `reach` pixels.
    """
    full = np.float32(np.iinfo(pixels.dtype).max)
    around = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    lowest, highest = (extreme(photo, around)[soft] / full for extreme in (cv2.erode, cv2.dilate))
    target, behind = photo[soft] / full, under[soft] / full
    needed = np.maximum(alpha[soft] / full, least_alpha(target, behind, lowest, highest))
    levels = np.minimum(np.ceil(needed * full - np.float32(1e-3)), full)
    pixels[soft] = np.rint(unmixed(target, behind, levels / full) * full).astype(pixels.dtype)
    alpha[soft] = levels.astype(alpha.dtype)


def _inverse_depth(project: Project, part: Part) -> Float32[np.ndarray, "h w"]:
    """The object's own depth as far as it can be seen, continued over its window."""
    photo, mask = project.photo, part.item.mask
    if not project.depth.upright_objects:
        visible = np.zeros_like(mask.coverage)
        visible[part.window] = np.where(part.hidden == 0, part.coverage, 0)
        mask = Mask(visible)
    at_rest = object_at_rest(project, mask, with_relief=True)
    rows, columns = part.window
    box = (columns.start, rows.start, columns.stop, rows.stop)
    return enlarged_window(at_rest.inverse_depth, (photo.width, photo.height), box)


def _peeled_layer(
    name: str, origin: tuple[int, int], pixels: Pixels, alpha: Coverage, inverse: Float32[np.ndarray, "h w"]
) -> PeeledLayer:
    """Cropped to what is there."""
    present = alpha > 0
    x0, y0, x1, y1 = bounding_box(present.astype(np.uint8)) or (0, 0, 0, 0)
    window = (slice(y0, y1 + 1), slice(x0, x1 + 1))
    valid = present[window] & (inverse[window] > 0)
    depth = np.where(valid, reciprocal(np.ascontiguousarray(inverse[window])), np.float32(0))
    return PeeledLayer(name, (origin[0] + x0, origin[1] + y0), pixels[window], alpha[window], depth, valid)
