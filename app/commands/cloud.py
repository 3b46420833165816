"""`cloud`: a photo as points or as a textured mesh."""

import argparse
from pathlib import Path
from typing import Any

from app.arguments import add_overwrite, add_photo_arguments, add_space_arguments, numbers


def add_cloud(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = subparsers.add_parser("cloud", help="write a photo as a point cloud or a textured mesh")
    add_photo_arguments(parser)
    parser.add_argument("-o", dest="out", metavar="OUT", required=True, help=".ply, .pcd, .xyz, .glb or .obj")
    parser.add_argument("--voxel", metavar="SIZE", type=numbers(1), help="one point per cube of that many scene units")
    parser.add_argument("--max-points", metavar="N", type=int, help="at most so many points")
    parser.add_argument("--clean", action="store_true", help="drop lonely points")
    add_space_arguments(parser)
    add_overwrite(parser)
    parser.set_defaults(run=run_cloud)


def run_cloud(args: argparse.Namespace) -> int:
    """Write what the photo's camera sees, sky left out. Raises EditorError."""
    from functools import cache

    from app.opening import open_project
    from app.outputs import Outputs, wanted
    from app.places import paths_in
    from app.progress import Progress
    from app.services import Services
    from app.source_photo import named_from, source_photo
    from core.editing.takeaway import CloudOptions, axes_of, photo_view, point_cloud, textured_mesh
    from core.files.cameras import CameraPath, stored_shots
    from core.files.formats import Kind
    from core.types.camera import Camera
    from core.types.project import Project

    services = Services(depth_backend=args.depth_backend)
    services.check_backends()
    options = CloudOptions(args.voxel[0] if args.voxel else None, args.max_points, args.clean)
    source, progress = source_photo(args.photo), Progress()

    @cache
    def project() -> Project:
        opened = open_project(args, services)
        progress.tell(*opened.photo.notices)
        return opened

    def value(kind: Kind) -> Any:
        axes = axes_of(kind, args.axes)
        if kind == "camera":
            camera = Camera(project().scene.source_intrinsics)
            named = named_from(source.path, Path(args.cameras_out).parent)
            return CameraPath(stored_shots(named, camera, source.header), axes)
        view = photo_view(project())
        return textured_mesh(view, axes=axes) if kind == "mesh" else point_cloud(view, options, axes)

    files = [*wanted(args.out, value, "cloud", "mesh"), *wanted(args.cameras_out, value, "camera")]
    Outputs(files, [source.path, *paths_in(args)], args.overwrite).write(progress.tell)
    return 0
