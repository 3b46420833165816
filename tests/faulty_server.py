"""A local HTTP server that misbehaves on request."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 4000


@dataclass
class Server:
    """What it serves, by name or the same for all, and its faults: `cuts` are the answers' lengths, one by one."""

    base: str = ""
    content: bytes = CONTENT
    files: dict[str, bytes] = field(default_factory=dict)
    etag: str | None = '"one"'
    cuts: list[int] = field(default_factory=list)
    status: int | None = None
    ranges: bool = True
    shift: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(dict(handler.headers))
        self.paths.append(handler.path)
        content = self.files.get(handler.path.rpartition("/")[2], self.content)
        if self.status is not None:
            handler.send_error(self.status)
            return
        found = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        same = handler.headers.get("If-Range") == self.etag
        start = int(found[1]) if found and same and self.ranges else 0
        if start >= len(content):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(content)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        body = content[start:]
        handler.send_response(206 if start else 200)
        if start:
            whole = len(content)
            handler.send_header("Content-Range", f"bytes {start + self.shift}-{whole - 1}/{whole}")
        if self.etag is not None:
            handler.send_header("ETag", self.etag)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: self.cuts.pop(0)] if self.cuts else body)


@contextmanager
def serving() -> Iterator[Server]:
    """A server while the block runs."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            state.answer(self)

        def log_message(self, *args):
            pass

    class Silent(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """A client that hangs up is part of the tests."""

    http = Silent(("127.0.0.1", 0), Handler)
    state.base = f"http://127.0.0.1:{http.server_port}/files"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
