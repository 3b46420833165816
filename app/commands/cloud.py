"""`cloud`: a photo as points or as a textured mesh."""

import argparse
from typing import Any

from app.arguments import add_photo_arguments, numbers


def add_cloud(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = subparsers.add_parser("cloud", help="write a photo as a point cloud or a textured mesh")
    add_photo_arguments(parser)
    parser.add_argument("-o", dest="out", metavar="OUT", required=True, help=".ply, .pcd, .xyz, .glb or .obj")
    parser.add_argument("--voxel", metavar="SIZE", type=numbers(1), help="one point per cube of that many scene units")
    parser.add_argument("--max-points", metavar="N", type=int, help="at most so many points")
    parser.add_argument("--clean", action="store_true", help="drop lonely points")
    parser.set_defaults(run=run_cloud)


def run_cloud(args: argparse.Namespace) -> int:
    """Write what the photo's camera sees, sky left out. Raises EditorError."""
    from app.opening import open_project
    from app.outputs import check_places, input_files, wanted, write
    from app.services import Services
    from core.editing.takeaway import CloudOptions, photo_view, point_cloud, textured_mesh

    services = Services(depth_backend=args.depth_backend)
    services.check_backends()
    options = CloudOptions(args.voxel[0] if args.voxel else None, args.max_points, args.clean)

    def value(kind: str) -> Any:
        view = photo_view(open_project(args, services))
        return textured_mesh(view) if kind == "mesh" else point_cloud(view, options)

    outputs = wanted(args.out, value, "cloud", "mesh")
    check_places(outputs, input_files(args, "photo", "depth"))
    write(outputs)
    return 0
