"""A web server on loopback, over TLS, with whatever a test puts there, and a list of what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tearline.adapters import tls
from tests.door import Identity

Answers = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class WebSite:
    server: Identity
    port: int = 0
    there: dict[str, bytes | Answers] = field(default_factory=dict)
    """By path, with its query: bytes, or what answers by itself."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Paths and headers, names of these in small letters."""

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def put(self, path: str, body: Any) -> str:
        """Returns the address."""
        is_document = isinstance(body, dict)
        self.there[path] = json.dumps(body).encode() if is_document else body
        return self.url + path

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


def send(request: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    if "content_length" not in headers:
        request.send_header("content-length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _file(request: BaseHTTPRequestHandler, body: bytes) -> None:
    """As file servers do it: a strong tag, ranges to the end, conditions (RFC 9110)."""
    tag = f'"{sha256(body).hexdigest()[:16]}"'
    told = request.headers
    if told.get("if-none-match") == tag:
        send(request, 304, etag=tag)
    elif (span := told.get("range")) and told.get("if-range") == tag:
        start = int(span.removeprefix("bytes=").removesuffix("-"))
        extent = f"bytes {start}-{len(body) - 1}/{len(body)}"
        send(request, 206, body[start:], etag=tag, content_range=extent)
    else:
        send(request, 200, body, etag=tag)


@contextmanager
def web_site(folder: Path) -> Iterator[WebSite]:
    site = WebSite(Identity.make(folder, "web.example"))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            found = site.there.get(self.path)
            if found is None:
                send(self, 404)
            elif isinstance(found, bytes):
                _file(self, found)
            else:
                found(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        context = tls.server_context(site.server.certificate, site.server.key, require_client=False)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        site.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join(10)
