"""The memory that one photo takes, stage by stage: opened, the camera moved, an object moved, both, exported.

    python -m benchmarks.memory [--megapixels N] [--bits 16]

Each figure is the stage's peak on top of what the process held before the photo, in bytes a pixel. Linux only, where
a process's peak can be begun anew.
"""

import argparse
import gc
from collections.abc import Callable
from typing import Any

import numpy as np

from app.services import Services
from benchmarks.footprint import begin_peak, peak_since_gb, resident_gb
from benchmarks.workload import large_photo, orbited, project_with_cup, size_of, slid, tell
from core.editing.memo import Memo
from core.editing.peel import peel
from core.editing.render import render
from core.editing.takeaway import Result, frame_view, layer_stack, point_cloud, textured_mesh
from core.files.cloud import encode_ply
from core.files.layers import encode_ora
from core.files.mesh import encode_glb
from core.files.peeled import encode_peeled_exr, encode_peeled_ora
from core.files.photo import open_photo
from core.files.picture import Picture, encode_picture_jpeg, encode_picture_png, picture_of
from core.types.frame import Frame
from core.types.project import Project


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=12.0, help="size of the photo (default 12)")
    parser.add_argument("--bits", type=int, choices=(8, 16), default=8, help="bits per channel (default 8)")
    args = parser.parse_args()
    width, height = size_of(args.megapixels)
    services = Services()
    _warm_up(services)
    data = _file_of((width, height), args.bits)
    gc.collect()
    before = resident_gb()
    figures: dict[str, float] = {}

    def measured(name: str, work: Callable[[], Any]) -> Any:
        gc.collect()
        begin_peak()
        value = work()
        figures[name] = (peak_since_gb() - before) * 2**30 / (width * height)
        return value

    photo = measured("opened", lambda: open_photo(data, "cup.jpg"))
    project = measured("depth_estimated", lambda: project_with_cup(photo, services))
    frame = measured("camera_moved", lambda: _final(orbited(project), services))
    for encode in (encode_picture_jpeg, encode_picture_png):
        measured(encode.__name__, lambda encode=encode: encode(picture_of(project.photo, frame)))
    measured("point_cloud", lambda: encode_ply(point_cloud(frame_view(frame, project))))
    measured("mesh_glb", lambda: encode_glb(textured_mesh(frame_view(frame, project))))
    del frame
    peeled = measured("peeled", lambda: peel(project, services.engine("warp"), Memo()))
    for encode in (encode_peeled_ora, encode_peeled_exr):
        measured(encode.__name__, lambda encode=encode: encode(peeled))
    del peeled
    moved = slid(project, 0.1, 0.1)
    measured("half_of_it_moved", lambda: _final(moved, services))
    measured("both_moved", lambda: _final(orbited(moved), services))
    measured("both_moved_as_layers", lambda: encode_ora(layer_stack(_result(orbited(moved), services))))
    tell("memory", {"size": f"{width}x{height}", "bits": args.bits, "process_gb": before, **figures})


def _file_of(size: tuple[int, int], bits: int) -> bytes:
    """A photo of 8 bits as JPEG, of 16 as PNG."""
    photo = large_photo(size)
    if bits == 8:
        return encode_picture_jpeg(picture_of(photo))
    return encode_picture_png(Picture(photo.pixels.astype(np.uint16) * np.uint16(257), None, None))


def _warm_up(services: Services) -> None:
    """What is loaded and compiled once is no photo's."""
    small = project_with_cup(large_photo((400, 300)), services)
    for project in (orbited(small), slid(small, 0.1, 0.1)):
        _final(project, services)
    peel(small, services.engine("warp"), Memo())


def _final(project: Project, services: Services) -> Frame:
    return _result(project, services).frame


def _result(project: Project, services: Services) -> Result:
    memo, engine = Memo(), services.engine("warp")
    (frame,) = render(project, engine, memo, stream=False)
    return Result(project, frame, engine, memo)


if __name__ == "__main__":
    main()
