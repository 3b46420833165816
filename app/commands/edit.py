"""`edit`: one photo in, one edited photo out, without the interface."""

import argparse

from app.arguments import (
    COPY,
    OBJECT,
    ShadowSearch,
    add_mask_backend,
    add_mask_label,
    add_photo_arguments,
    add_result_arguments,
    existing_file,
    numbers,
    shadow,
)


def add_edit(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "edit",
        help="move, copy or remove an object, or move the camera",
        description="Axes: x right, y down, z forward; pixel centres at integers; scene units (metres when the depth "
        f"is metric); degrees. The selected object is called {OBJECT!r} in an --edits file, its copy {COPY!r}.",
    )
    add_photo_arguments(parser)
    selection = parser.add_mutually_exclusive_group()
    selection.add_argument("--select", metavar="X,Y", type=numbers(2), help="the object at this pixel of the photo")
    selection.add_argument(
        "--mask", metavar="FILE", type=existing_file, help="the object by a mask: white or one label"
    )
    add_mask_label(parser)
    add_mask_backend(parser)
    parser.add_argument(
        "--shadow",
        metavar="FILE|require",
        nargs="?",
        const=ShadowSearch.WANTED,
        type=shadow,
        help="its shadow on the ground goes with it: by a mask, white inside, or looked for without FILE; when none is "
        "found the edit goes on without, or with 'require' is refused (a file of that name is ./require)",
    )
    parser.add_argument("--move", metavar="DX,DY,DZ", type=numbers(3), help="move the object")
    parser.add_argument("--slide", metavar="RIGHT,AWAY", type=numbers(2), help="move it over the ground")
    parser.add_argument("--turn", metavar="DEG", type=numbers(1), help="turn it about the upright through its foot")
    parser.add_argument(
        "--rotate", metavar="RX,RY,RZ", type=numbers(3), help="rotate it by Rz Ry Rx, before --turn, about its foot"
    )
    parser.add_argument("--scale", metavar="S", type=numbers(1), help="scale it about its foot")
    parser.add_argument("--remove", action="store_true", help="take the object away")
    parser.add_argument("--duplicate", action="store_true", help="leave the object and place a copy instead")
    parser.add_argument(
        "--orbit", metavar="YAW,PITCH", type=numbers(2), help="camera to the right and up around the scene's centre"
    )
    parser.add_argument("--dolly", metavar="D", type=numbers(1), help="camera forward")
    parser.add_argument("--truck", metavar="DX,DY", type=numbers(2), help="camera right and down")
    parser.add_argument("--pose", metavar="FILE", type=existing_file, help="4x4 target_from_source as text")
    parser.add_argument("--edits", metavar="FILE.json", type=existing_file, help="more edits, after those above")
    parser.add_argument("--flow", metavar="FILE", type=existing_file, help="source-to-target .flo or .exr to follow")
    add_result_arguments(parser)
    parser.set_defaults(run=run_edit)


def run_edit(args: argparse.Namespace) -> int:
    """Apply the edits in the order of the help, render at full size, write. Raises EditorError."""
    from app import edit_plan
    from app.opening import open_given
    from app.places import paths_in
    from app.rendering import Rendering
    from app.services import Services
    from app.source_photo import source_photo
    from core.editing.apply import apply_all

    edit_plan.check_combination(args)
    services = Services(depth_backend=args.depth_backend, mask_backend=args.mask_backend)
    services.check_backends(args.engine or "auto")
    source = source_photo(args.photo)
    inputs = [source.path, *paths_in(args), *edit_plan.named_files(args)]
    rendering = Rendering(args, services, inputs, source)
    with rendering.progress.stage("open"):
        opened = open_given(args)
        given = edit_plan.read_files(args, opened.photo)
        project = opened.project(services)
    rendering.progress.tell(*project.photo.notices)
    with rendering.progress.stage("select"):
        mask = edit_plan.chosen_mask(args, given, project.photo, services)
    if mask is not None:
        project = apply_all(project, [edit_plan.cut_out(mask)])
        project = apply_all(project, edit_plan.shadow_edits(args, given, project, rendering.progress.tell))
        project = apply_all(project, edit_plan.object_edits(args, project))
    project = apply_all(project, edit_plan.camera_edits(args, given, project))
    project = apply_all(project, given.edits)
    rendering.finish(project)
    return 0
