"""`replay`: a saved project rendered again, at full size."""

import argparse

from app.arguments import add_result_arguments, existing_file


def add_replay(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = subparsers.add_parser("replay", help="render a saved project")
    parser.add_argument("project", metavar="PROJECT", type=existing_file, help="a .lras file")
    add_result_arguments(parser)
    parser.set_defaults(run=run_replay)


def run_replay(args: argparse.Namespace) -> int:
    """Open the project, render, write. Raises EditorError."""
    from app.places import paths_in
    from app.rendering import Rendering
    from app.services import Services
    from core.files.project import load_project

    services = Services()
    services.check_backends(args.engine or "auto")
    rendering = Rendering(args, services, paths_in(args))
    with rendering.progress.stage("open"):
        project = load_project(args.project)
    rendering.finish(project)
    return 0
