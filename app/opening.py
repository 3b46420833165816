"""From what the command line names to a project: a photo or sample, its depth and its camera."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from app.services import Services
from core.editing.apply import new_project
from core.errors import InvalidInput
from core.files.depth import read_depth
from core.files.embedded_depth import embedded_depth
from core.files.photo import open_photo
from core.files.project import load_project
from core.files.samples import open_sample, sample_file
from core.files.source import opened
from core.types.camera import Intrinsics
from core.types.depth import DepthMap
from core.types.photo import Photo
from core.types.project import Project

_SAMPLE, _PROJECT = "sample:", ".lras"
_GEOMETRY = ("depth", "depth_scale", "depth_backend", "intrinsics")


@dataclass(frozen=True)
class Opened:
    """A photo and what came with it of its geometry."""

    photo: Photo
    depth: DepthMap | None
    intrinsics: Intrinsics | None

    def project(self, services: Services) -> Project:
        """Unedited. Raises InvalidInput for depth of another shape, BackendUnavailable."""
        return new_project(self.photo, services.geometry(self.photo, self.depth, self.intrinsics))


def open_given(args: argparse.Namespace) -> Opened:
    """The photo of `app.arguments.add_photo_arguments`; nothing is estimated.

    Raises InvalidInput for files that cannot be used.
    """
    if args.depth is not None and args.depth_backend is not None:
        raise InvalidInput("--depth and --depth-backend both say where depth comes from; give only one of them.")
    if args.depth_scale is not None and args.depth is None:
        raise InvalidInput("--depth-scale belongs to a --depth FILE; give both.")
    given = None
    if args.depth is not None:
        given = read_depth(args.depth, None if args.depth_scale is None else args.depth_scale[0])
    photo, depth, intrinsics = open_source(args.photo)
    if args.intrinsics is not None:
        fx, fy, cx, cy = args.intrinsics
        intrinsics = Intrinsics(fx, fy, cx, cy, photo.width, photo.height)
    if args.depth_backend is not None:
        depth = None
    return Opened(photo, given or depth, intrinsics)


def open_project(args: argparse.Namespace, services: Services) -> Project:
    """The photo as an unedited project.

    Depth comes from --depth or --depth-backend, else from inside the photo or with the sample, else it is estimated.
    Raises InvalidInput as `open_given` does and for depth of another shape, BackendUnavailable.
    """
    return open_given(args).project(services)


def open_photo_or_project(args: argparse.Namespace, services: Services) -> Project:
    """As `open_project`; a .lras project comes with its own objects and depth. Raises InvalidInput as it does."""
    path = photo_or_project_file(args)
    return load_project(path) if is_project(args.photo) else open_project(args, services)


def photo_or_project_file(args: argparse.Namespace) -> Path:
    """The file behind PHOTO. Raises InvalidInput when it cannot be read, or is a project and geometry is given too."""
    if not is_project(args.photo):
        path = photo_file(args.photo)
    else:
        path = Path(args.photo)
        given = [f"--{name.replace('_', '-')}" for name in _GEOMETRY if getattr(args, name) is not None]
        if given:
            raise InvalidInput(f"{path} is a project and has its own depth and camera; leave out {', '.join(given)}.")
    with opened(path, args.photo, sys.maxsize):
        return path


def sample_name(source: str) -> str | None:
    """NAME of sample:NAME, None for a file."""
    return source.removeprefix(_SAMPLE) if source.startswith(_SAMPLE) else None


def is_project(source: str) -> bool:
    """Whether it names a project and neither a photo nor a sample."""
    return sample_name(source) is None and Path(source).suffix.lower() == _PROJECT


def open_source(source: str) -> tuple[Photo, DepthMap | None, Intrinsics | None]:
    """A picture file or sample:NAME, with the depth and the camera that come with it.

    Raises InvalidInput when it cannot be opened.
    """
    sample, path = sample_name(source), photo_file(source)
    if sample is not None:
        return open_sample(sample)
    photo = open_photo(path)
    return photo, embedded_depth(path), None


def photo_file(source: str) -> Path:
    """The file behind a picture file or sample:NAME. Raises InvalidInput for a project and for an unknown sample."""
    sample = sample_name(source)
    if sample is not None:
        return sample_file(sample)
    if is_project(source):
        raise InvalidInput(f"{source} is a project, not a photo; use: launch.py replay {source} -o OUT.")
    return Path(source)
