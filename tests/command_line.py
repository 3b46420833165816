"""The command line, called as a shell would."""

from app import cli


def run(*words: str) -> int:
    """The exit code of `launch.py` with these words."""
    try:
        return cli.main(list(words))
    except SystemExit as stop:
        return int(stop.code or 0)
