"""`doctor`: what this machine has and what can run on it."""

import argparse
import dataclasses
import json


def add_doctor(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = subparsers.add_parser("doctor", help="print what was found: versions, GPU, memory, back-ends, engines")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run_doctor)


def run_doctor(args: argparse.Namespace) -> int:
    """Print the report; 0 whatever it finds."""
    from app import doctor

    report = doctor.examine()
    print(json.dumps(dataclasses.asdict(report), indent=2) if args.json else doctor.as_text(report))
    return 0
