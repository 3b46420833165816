"""`ui`: the studio in the browser."""

import argparse
import math
import os
import socket
import sys
import threading
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from app.arguments import add_mask_backend
from app.notices import sentence_of
from core.errors import Cancelled, InvalidInput
from core.files.folders import user_folder

if TYPE_CHECKING:
    import uvicorn

    from app.session import Session
    from app.store import SessionStore

DEFAULT_PORT = 7860
EVERYWHERE = ("0.0.0.0", "::", "")
TOKEN_VARIABLE = "LRAS_TOKEN"


def add_ui(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "ui",
        help="open the studio in the browser",
        description="Serves the page until Ctrl+C or SIGTERM, which end it within seconds with exit code 130 or 143. "
        "Who can reach it: docs/security.md.",
    )
    parser.add_argument(
        "photo",
        nargs="?",
        metavar="PHOTO",
        help="a photo, a .lras project or sample:NAME, opened while the page is already there: what is none is refused "
        "at once, what proves damaged is told in the page and here",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets other machines in, by a token"
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port to listen on (default %(default)s)")
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME[:PORT]",
        help="a further name that the studio answers to, as a reverse proxy's; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--token", default=os.environ.get(TOKEN_VARIABLE) or None,
        help=f"ask for this token, on 127.0.0.1 too (default: ${TOKEN_VARIABLE}, else one is made where it is needed)",
    )  # fmt: skip
    parser.add_argument("--depth-backend", metavar="NAME", help="what estimates depth of photos that come without")
    add_mask_backend(parser)
    parser.add_argument(
        "--memory", type=gigabytes, metavar="GB",
        help="the most that results kept for quick edits take, of all pages together; past it the oldest are dropped, "
        "which costs time only (default: an eighth of what is free at the start)",
    )  # fmt: skip
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.set_defaults(run=run_ui)


def run_ui(args: argparse.Namespace) -> int:
    """Serve until stopped; the photo is opened while the page is already there.

    Raises InvalidInput for a port that cannot be had or what is no photo by its first bytes, BackendUnavailable for a
    back-end that cannot run.
    """
    if args.photo:
        check_source(args.photo)
    listener = listening_socket(args.host, args.port)
    os.environ.setdefault("GRADIO_TEMP_DIR", str(user_folder("XDG_CACHE_HOME", ".cache") / "gradio"))  # not /tmp
    import uvicorn

    from app.access import access_for
    from app.former_autosaves import former_folder, take_over
    from app.server import build_app
    from app.services import Services
    from app.serving import QUIETLY, StudioServer
    from app.store import SessionStore
    from app.unsaved import unsaved_folder
    from core.editing.memo import Memo, MemoPool, ceiling_bytes
    from core.memory import on_shortage

    access = access_for(listener, args.host, args.allow_host, args.token)
    pool = MemoPool(args.memory or ceiling_bytes())
    on_shortage(pool.shed)
    services = Services(Memo(pool), depth_backend=args.depth_backend, mask_backend=args.mask_backend)
    services.check_backends()
    store = SessionStore(services, unsaved_folder())
    threading.Thread(target=take_over, args=(store.unsaved, former_folder()), name="autosaves", daemon=True).start()
    query = {} if access.token is None else {"token": access.token}
    key = store.create().key if args.photo else None
    if key is not None:
        query["session"] = key
    address, *elsewhere = addresses(args.host, listener.getsockname()[1], query)
    print(f"LRAS Studio: {address}  (Ctrl+C stops it)", flush=True)
    for other in elsewhere:
        print(f"From other machines: {other}", flush=True)
    if not args.no_browser:
        opened = address if access.token is None else address.replace(access.token, access.opening.code)
        threading.Timer(1.0, webbrowser.open, (opened,)).start()
    server = StudioServer(uvicorn.Config(build_app(store, access=access), **QUIETLY), store.give_up)
    begin = (server, store, key, args.photo)
    threading.Thread(target=_begin_once_serving, args=begin, name="warm-up", daemon=True).start()
    server.run(sockets=[listener])
    return 0


def _begin_once_serving(server: "uvicorn.Server", store: "SessionStore", key: str | None, source: str) -> None:
    """Open and compile while the page is loading; before that they would only slow the start."""
    while not server.started:
        time.sleep(0.1)
    if key is not None:
        try:
            open_source(store.get(key), source)
        except Cancelled:
            return
        except Exception as failure:  # noqa: BLE001 - the thread's boundary: every failure becomes a sentence
            print(f"error: {sentence_of(failure)}", file=sys.stderr, flush=True)
    store.services.warm_up()


def gigabytes(text: str) -> int:
    """As argparse reads it, in bytes. Raises argparse.ArgumentTypeError."""
    try:
        count = float(text)
    except ValueError:
        count = math.nan
    if not 0 < count < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no amount of memory; give gigabytes above 0, as 1.5")
    return round(count * 1e9)


def check_source(source: str) -> None:
    """Raises InvalidInput for what can be known at once not to be a photo, a project or a sample."""
    from app.opening import is_project, sample_name
    from core.files.limits import PHOTO_LIMITS
    from core.files.photo import picture_format
    from core.files.project import DEFAULT_LIMITS, check_project_head
    from core.files.samples import check_sample
    from core.files.source import name_of, read_head
    from core.types.names import shown

    sample = sample_name(source)
    if sample is not None:
        check_sample(sample)
        return
    path, name = Path(source), name_of(Path(source), source)
    if not path.exists():
        raise InvalidInput(f"There is no file {shown(source)}; give a photo, a .lras project or sample:coffee.")
    if is_project(source):
        check_project_head(read_head(path, name, DEFAULT_LIMITS.max_bytes), name)
    else:
        picture_format(read_head(path, name, PHOTO_LIMITS.max_bytes), name)


def open_source(session: "Session", source: str) -> None:
    """Open what the command line names. Raises InvalidInput when it cannot be read, Cancelled."""
    from app.opening import is_project, sample_name

    sample, path = sample_name(source), Path(source)
    if sample is not None:
        session.open_sample(sample)
    elif is_project(source):
        session.load_project(path, path.name)
    else:
        session.open_photo(path, path.name)


def listening_socket(host: str, port: int) -> socket.socket:
    """Take the port before anything slow begins. Raises InvalidInput when it is not to be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Where the protocol is named, asyncio sends each part of an answer at once; else the second waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as problem:
        listener.close()
        raise InvalidInput(
            f"Cannot listen on {host}:{port} ({problem}); is the studio already running? Choose another --port."
        ) from problem
    return listener


def addresses(host: str, port: int, query: dict[str, str]) -> list[str]:
    """The page's address for a browser on this machine; where it listens everywhere, also one for others."""
    hosts = ["127.0.0.1", _outward_address()] if host in EVERYWHERE else [host]
    asked = f"?{urlencode(query)}" if query else ""
    return [f"http://{f'[{name}]' if ':' in name else name}:{port}/{asked}" for name in hosts]


def _outward_address() -> str:
    """The address of this machine in its network, or its name; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return socket.gethostname()
        return probe.getsockname()[0]
