"""`peel`: a photo taken apart into layers, each complete behind what stood before it."""

import argparse
from typing import TYPE_CHECKING

from app.arguments import add_mask_backend, add_painting_arguments, add_photo_arguments, add_private, existing_file

if TYPE_CHECKING:
    from app.progress import Progress
    from app.services import Services
    from core.types.peeled import Peeled
    from core.types.project import Project
    from core.types.protocols import CancelToken

_MOST = 8


def add_peel(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "peel",
        help="take a photo apart into layers with depth",
        description="Objects are removed front to back; each becomes a layer that is continued where those before it "
        "hid it, with the completed background behind them all. Laid over each other the layers show the photo. "
        ".ora: for painting programs, in the photo's own values. .exr: for compositing programs, layers named "
        "layerNN_name.R/G/B/A/Z (01 in front), linear light, premultiplied, Z in scene units. PHOTO may be a .lras "
        "project, which comes with its own objects, depth and camera.",
    )
    add_photo_arguments(parser)
    parser.add_argument(
        "--mask",
        metavar="FILE",
        type=existing_file,
        action="append",
        default=[],
        help="an object, white inside",
    )
    parser.add_argument(
        "--objects", metavar="N", type=int, default=_MOST, help=f"at most so many are looked for (default {_MOST})"
    )
    parser.add_argument("--find", action="store_true", help="look for objects although some are given")
    add_mask_backend(parser)
    add_painting_arguments(parser)
    parser.add_argument(
        "-o", "--out", dest="out", metavar="OUT", action="append", required=True, help=".ora or .exr; repeat for both"
    )
    add_private(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object about the layers")
    parser.set_defaults(run=run_peel)


def run_peel(args: argparse.Namespace) -> int:
    """Open, look for objects unless there are some, peel, write. Raises EditorError."""
    import json

    from app.opening import open_photo_or_project, photo_or_project_file
    from app.outputs import Outputs, wanted
    from app.places import paths_in
    from app.progress import Progress
    from app.rendering import with_settings
    from app.services import Services
    from core.editing.peel import peel
    from core.editing.peel_objects import check_number
    from core.files.privacy import private_project
    from core.types.peeled import Peeled
    from core.types.protocols import CancelToken

    check_number(args.objects)
    services, progress = Services(depth_backend=args.depth_backend, mask_backend=args.mask_backend), Progress()
    services.check_backends(args.engine or "auto")
    made: list[Peeled] = []
    files = [output for path in args.out for output in wanted(path, lambda _: made[0], "peeled")]
    outputs = Outputs(files, [photo_or_project_file(args), *paths_in(args)])
    cancel = CancelToken()
    with progress.stage("open"):
        project = with_settings(open_photo_or_project(args, services), args)
    progress.tell(*project.photo.notices)
    project = _with_objects(args, project, services, progress, cancel)
    project = private_project(project) if args.private else project
    engine = services.engine(project.settings.engine)
    with progress.stage("peel"):
        made.append(peel(project, engine, services.memo, cancel, progress.share("peel")))
    with progress.stage("write"):
        paths = outputs.write(progress.tell)
    if args.json:
        print(json.dumps(_report(made[0], progress) | {"files": [str(path) for path in paths]}))
    return 0


def _with_objects(
    args: argparse.Namespace, project: "Project", services: "Services", progress: "Progress", cancel: "CancelToken"
) -> "Project":
    """The project with the objects of --mask and those that are looked for."""
    from core.editing.apply import apply_all
    from core.editing.peel_objects import with_found_objects
    from core.files.mask import read_mask
    from core.perception.everything import find_objects
    from core.types.edits import AddObject

    photo = project.photo
    given = [(path.stem, read_mask(path, photo.width, photo.height)) for path in args.mask]
    added = [AddObject(f"mask-{number}", mask, name) for number, (name, mask) in enumerate(given)]
    project = apply_all(project, added)
    if project.scene.objects and not args.find:
        return project
    with progress.stage("find"):
        found = find_objects(services.segmentation(), photo, cancel, progress.share("find"))
        return with_found_objects(project, found, args.objects)


def _report(peeled: "Peeled", progress: "Progress") -> dict[str, object]:
    """What --json prints: the layers front to back."""
    return {
        "layers": [
            {"name": layer.name, "origin": layer.origin, "width": layer.alpha.shape[1], "height": layer.alpha.shape[0],
             "median_depth": layer.median_depth}
            for layer in reversed(peeled.layers)
        ],
        "notices": progress.notices,
        "depth_scale": "metric" if peeled.metric else "relative",
        "seconds": {name: round(spent, 4) for name, spent in (progress.seconds | {"total": progress.total}).items()},
    }  # fmt: skip
