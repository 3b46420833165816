"""`depth`: how far away everything in a photo is."""

import argparse

from app.arguments import add_photo_arguments


def add_depth(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = subparsers.add_parser("depth", help="write a photo's depth: its own, or an estimate")
    add_photo_arguments(parser)
    parser.add_argument(
        "-o", dest="out", metavar="OUT", required=True, help=".png (16 bit, 1000 a unit if it fits), .exr, .npy"
    )
    parser.add_argument("--colours", action="store_true", help="a coloured PNG for eyes instead of the 16-bit one")
    parser.set_defaults(run=run_depth)


def run_depth(args: argparse.Namespace) -> int:
    """Write the depth at the photo's size. Raises EditorError."""
    from dataclasses import replace

    from app.opening import open_project
    from app.outputs import Outputs, wanted
    from app.places import paths_in
    from app.progress import Progress
    from app.services import Services
    from app.source_photo import source_photo
    from core.editing.takeaway import photo_depth
    from core.errors import InvalidInput
    from core.files.formats import format_named
    from core.types.depth import DepthMap

    services = Services(depth_backend=args.depth_backend)
    services.check_backends()
    source = source_photo(args.photo)
    progress = Progress()

    def value(_kind: str) -> DepthMap:
        project = open_project(args, services)
        progress.tell(*project.photo.notices)
        return photo_depth(project.depth, project.photo.width, project.photo.height)

    outputs = wanted(args.out, value, "depth")
    if args.colours:
        coloured = format_named("depth-colours")
        if outputs[0].path.suffix.lower() != f".{coloured.extension}":
            raise InvalidInput(f"--colours makes a PNG and {args.out} is another format; end its name with .png.")
        outputs = [replace(outputs[0], format=coloured)]
    Outputs(outputs, [source.path, *paths_in(args)]).write(progress.tell)
    return 0
