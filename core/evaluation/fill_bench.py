"""Compares fills on holes whose true content is known: real view changes, and object shapes cut out of backgrounds."""

import csv
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from core.engines.network_fill import NetworkFill
from core.errors import InvalidInput
from core.evaluation.index import read_index
from core.evaluation.metrics import gradient_energy_ratio, lpips, psnr, ssim
from core.evaluation.sheets import write_sheet
from core.maths import fill
from core.maths.bands import paste
from core.maths.depth import continue_far_side
from core.maths.exemplar import exemplar
from core.maths.fill import Fill, Picture
from core.maths.holes import background_side, fill_depth, find_holes
from core.maths.raster import rasterise_grid, surface_links
from core.nets.lpips import Lpips

_SHIFTS = 200
_LARGEST_SHARE = 0.12
# Height of a picture in the sheet, pixels.
_SHEET_ROW = 240


@dataclass(frozen=True)
class Case:
    """A picture with holes and its true content; `scored` are the unknown pixels whose truth is known."""

    name: str
    kind: str
    picture: Picture
    truth: Picture
    unknown: np.ndarray
    foreground: np.ndarray
    depth: np.ndarray
    scored: np.ndarray


@dataclass(frozen=True)
class Row:
    """One method on one case: dB, SSIM, gradient energy ratio and LPIPS (None: not asked) inside the hole; seconds."""

    case: str
    kind: str
    method: str
    psnr: float
    ssim: float
    texture: float
    seconds: float
    share: float
    lpips: float | None = None


# Picture, hole, allowed sources, and the depth with its hole filled where the case has depth.
Method = Callable[[Picture, np.ndarray, np.ndarray, np.ndarray | None], Picture]


def _by_colour(method: Fill) -> Method:
    return lambda picture, unknown, allowed, _: method(picture, unknown, allowed)


METHODS: dict[str, Method] = {
    "membrane": _by_colour(fill.smooth),
    "telea": _by_colour(fill.telea),
    "navier-stokes": _by_colour(fill.navier_stokes),
    "fsr-fast": _by_colour(fill.frequency_selective),
    "biharmonic": _by_colour(fill.biharmonic),
    "exemplar": lambda picture, unknown, allowed, depth: exemplar(picture, unknown, allowed, depth=depth),
}


def network_method(weights: Path) -> Method:
    """The fill network of that file. Raises InvalidInput on first use when it is missing or damaged."""
    network = NetworkFill(weights)

    def method(picture: Picture, unknown: np.ndarray, allowed: np.ndarray, depth: np.ndarray | None) -> Picture:
        return network(picture, unknown, allowed, depth=depth, seed=0, check=lambda: None)

    return method


def run(
    folder: Path,
    limit: int | None = None,
    sheet: Path | None = None,
    network: Path | None = None,
    judge: Lpips | None = None,
) -> list[Row]:
    """Every method on the `nvs` pairs of `folder` and on the object shapes of `folder/../masks/bench`, where present.

    `limit` bounds the cases of each kind; `sheet` is a PNG of hole, results and truth side by side; `network` are
    weights of the fill network, one method more; `judge` adds LPIPS. Raises InvalidInput when `folder` has no
    index.json.
    """
    methods = METHODS if network is None else {**METHODS, "network": network_method(network)}
    cases = [*_taken(view_cases(folder), limit), *_taken(shape_cases(folder.parent / "masks" / "bench"), limit)]
    rows: list[Row] = []
    strips: list[np.ndarray] = []
    for case in cases:
        results = {}
        for name, method in methods.items():
            start = time.perf_counter()
            results[name] = _fill_case(case, method)
            rows.append(_score(case, name, results[name], time.perf_counter() - start, judge))
        if sheet is not None:
            strips.append(_strip(case, results))
    if sheet is not None and strips:
        write_sheet(sheet, strips)
    return rows


def report(rows: list[Row]) -> str:
    """A table of medians per kind and method, as text; of LPIPS, where told, also the mean."""
    told = any(row.lpips is not None for row in rows)
    head = f"{'kind':8} {'method':14} {'cases':>5} {'PSNR dB':>8} {'SSIM':>6} {'texture':>8} {'seconds':>8}"
    lines = [f"{head} {'LPIPS':>7} {'mean':>7}" if told else head]
    for kind in dict.fromkeys(row.kind for row in rows):
        for method in dict.fromkeys(row.method for row in rows):
            some = [row for row in rows if (row.kind, row.method) == (kind, method)]
            middle = {key: float(np.median([getattr(row, key) for row in some])) for key in _FIGURES}
            lines.append(
                f"{kind:8} {method:14} {len(some):5d} {middle['psnr']:8.2f} {middle['ssim']:6.3f} "
                f"{middle['texture']:8.2f} {middle['seconds']:8.2f}"
            )
            if told:
                seen = [row.lpips for row in some if row.lpips is not None]
                lines[-1] += f" {np.median(seen):7.3f} {np.mean(seen):7.3f}"
    return "\n".join(lines)


_FIGURES = ("psnr", "ssim", "texture", "seconds")


def view_cases(folder: Path) -> Iterator[Case]:
    """The uncovered pixels of each real pair: source warped with its measured depth, completed where not measured.

    Pixels of the target count as scored up to 80 px from a covered one: beyond lies what the source never saw.
    """
    for item in read_index(folder):
        if item["kind"] != "nvs":
            continue
        source, target = _read(folder / item["src"]), _read(folder / item["dst"])
        depth = _read(folder / item["src_depth"], cv2.IMREAD_UNCHANGED).astype(np.float32) / 1000
        camera = item["intrinsics"]
        pose = np.array(item["pose_dst_from_src"])
        picture, unknown, z = _warp(source, depth, camera, item.get("intrinsics_dst", camera), pose)
        close = cv2.distanceTransform(unknown.astype(np.uint8), cv2.DIST_L2, 3) < 80
        scored = unknown & close
        if scored.any():
            none = np.zeros_like(unknown)
            yield Case(item["id"], "view", picture, target, unknown, none, z, scored)


def shape_cases(folder: Path) -> Iterator[Case]:
    """An object's shape cut from background elsewhere in its own photo; the object itself is foreground."""
    index = folder / "index.csv"
    if not index.is_file():
        return
    with index.open(newline="") as lines:
        for line in csv.DictReader(lines):
            photo = _read(folder / line["file"])
            with Image.open(folder / line["mask"]) as palette:
                labels = np.array(palette)
            hole = _shifted(labels)
            if hole is not None:
                none = np.zeros(hole.shape, np.float32)
                yield Case(Path(line["file"]).stem, "shape", photo, photo, hole, labels != 0, none, hole)


def _shifted(labels: np.ndarray) -> np.ndarray | None:
    """The largest object's shape at the first of some seeded places where it meets no object; None without one."""
    areas = np.bincount(labels.ravel(), minlength=256)[1:255]
    share = areas.max() / labels.size
    if not 0.005 <= share <= _LARGEST_SHARE:
        return None
    shape = labels == areas.argmax() + 1
    y, x = np.nonzero(shape)
    occupied = cv2.dilate((labels != 0).astype(np.uint8), np.ones((13, 13), np.uint8)).astype(bool)
    generator = np.random.default_rng(0)
    for _ in range(_SHIFTS):
        dy = int(generator.integers(-y.min(), labels.shape[0] - y.max()))
        dx = int(generator.integers(-x.min(), labels.shape[1] - x.max()))
        if not occupied[y + dy, x + dx].any():
            hole = np.zeros(labels.shape, bool)
            hole[y + dy, x + dx] = True
            return hole
    return None


def _warp(
    source: np.ndarray, depth: np.ndarray, camera: list[float], target: list[float], pose: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    height, width = depth.shape
    measured = depth > 0
    inverse = np.divide(1, depth, out=np.zeros_like(depth), where=measured)
    inverse = np.maximum(continue_far_side(inverse, ~measured, measured), 1e-3)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    points = np.stack([(x - camera[2]) / camera[0], (y - camera[3]) / camera[1], np.ones_like(x)]) / inverse
    moved = np.einsum("ij,jhw->ihw", pose[:3, :3], points) + pose[:3, 3, None, None]
    z = np.where(moved[2] > 1e-3, moved[2], np.nan)
    u, v = target[0] * moved[0] / z + target[2], target[1] * moved[1] / z + target[3]
    links = surface_links(inverse, np.ones_like(measured))
    near = np.nan_to_num(1 / z).astype(np.float32)
    where = rasterise_grid(u.astype(np.float32), v.astype(np.float32), near, links, width, height)
    picture = cv2.remap(source, np.nan_to_num(where.x), np.nan_to_num(where.y), cv2.INTER_LINEAR)
    covered = where.covered
    picture[~covered] = 0
    z = np.divide(1, where.inverse_depth, out=np.zeros_like(where.inverse_depth), where=covered)
    return picture, ~covered, z


def _fill_case(case: Case, method: Method) -> Picture:
    """Fill the holes as the warp engine does: depth first, then cracks smoothly and the rest by `method`."""
    result, depth = case.picture.copy(), case.depth.copy()
    parts = []
    for hole in find_holes(case.unknown):
        window = hole.window
        allowed = background_side(case.depth[window], case.unknown[window], case.foreground[window])
        paste(depth[window], fill_depth(case.depth[window], hole.pixels, allowed), hole.pixels)
        parts.append((hole, allowed))
    for hole, allowed in parts:
        window, own = hole.window, hole.pixels
        z = depth[window] if (depth[window] > 0).all() else None
        chosen = METHODS["membrane"] if hole.is_thin else method
        paste(result[window], chosen(case.picture[window], own, allowed, z), own)
    return result


def _score(case: Case, method: str, result: Picture, seconds: float, judge: Lpips | None) -> Row:
    pictures = (result, case.truth, case.scored)
    share = float(case.unknown.mean())
    figures = psnr(*pictures), ssim(*pictures), gradient_energy_ratio(*pictures)
    seen = None if judge is None else lpips(judge, *pictures)
    return Row(case.name, case.kind, method, *figures, seconds, share, seen)


def _taken(cases: Iterator[Case], limit: int | None) -> list[Case]:
    everything = list(cases)
    if limit is None or len(everything) <= limit:
        return everything
    return [everything[i] for i in np.linspace(0, len(everything) - 1, limit).astype(int)]


def _read(path: Path, how: int = cv2.IMREAD_COLOR) -> np.ndarray:
    image = cv2.imread(str(path), how)
    if image is None:
        raise InvalidInput(f"{path} cannot be read as a picture; the benchmark folder may be incomplete.")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if how == cv2.IMREAD_COLOR else image


def _strip(case: Case, results: dict[str, Picture]) -> np.ndarray:
    shown = case.picture.copy()
    shown[case.unknown] = (255, 0, 255)
    pictures = {f"{case.name} {case.kind}": shown, **results, "truth": case.truth}
    width = round(case.picture.shape[1] * _SHEET_ROW / case.picture.shape[0])
    cells = []
    for title, picture in pictures.items():
        cell = cv2.resize(picture, (width, _SHEET_ROW), interpolation=cv2.INTER_AREA)
        cv2.putText(cell, title, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 0), 1, cv2.LINE_AA)
        cells.append(cell)
    return np.hstack(cells)
