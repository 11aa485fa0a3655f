"""For clients that cannot show a certificate, or want the rest of the world: stand-ins on loopback.

`forwarding` takes TLS connections and passes them on to a door, with a partner's certificate. `world` is a
proxy behind which some hosts of the internet answer with given documents, and no others.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

from tearline.adapters import tls
from tests.door import Door, Identity


class _Server(ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def _running(server: ThreadingTCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@contextmanager
def forwarding(door: Door, partner: Identity, front: Identity) -> Iterator[int]:
    """The port on which everything goes to `door` as `partner`; it shows the certificate of `front`."""
    inward = tls.server_context(front.certificate, front.key, require_client=False)
    outward = tls.client_context(partner.certificate, partner.key, door.server.pem)

    class Forward(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                near = inward.wrap_socket(self.request, server_side=True)
                with socket.create_connection(("127.0.0.1", door.port)) as plain:
                    far = outward.wrap_socket(plain, server_hostname="127.0.0.1")
                    back = threading.Thread(target=_pump, args=(far, near), daemon=True)
                    back.start()
                    _pump(near, far)
                    back.join(10)

    with _running(_Server(("127.0.0.1", 0), Forward)) as port:
        yield port


def _pump(source: ssl.SSLSocket, sink: ssl.SSLSocket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def world(documents: Mapping[str, bytes], front: Identity) -> Iterator[tuple[int, list[str]]]:
    """The port of a proxy behind which the documents are, by URL; and what else was asked for."""
    context = tls.server_context(front.certificate, front.key, require_client=False)
    missing: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        host = ""

        def do_CONNECT(self) -> None:
            self.host = self.path.partition(":")[0]
            self.send_response(200)
            self.end_headers()
            self.connection: Any = context.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
            self.close_connection = False

        def do_GET(self) -> None:
            url = f"https://{self.host}{self.path}" if self.host else self.path
            body = documents.get(url)
            if body is None:
                missing.append(url)
            self.send_response(200 if body is not None else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Nothing: what was missing is told."""

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, missing
