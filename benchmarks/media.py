"""Files through a node: what a form that is made already costs, and how fast a file leaves the door.

    python -m benchmarks.media [--size 100] [--releases 20]

- `release`: products whose form is in the store are asked about again, judged, composed, signed, sealed and
  linked; milliseconds for each, by the wall clock and of the processor.
- `download`: the same server, over TLS with client certificates, sends a file as static (Starlette's
  `FileResponse`), and through the partner door, whole and in ranges of 8 MiB; the client is another process,
  which throws away what it reads. Each is the best of three.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from tearline.adapters import tls
from tearline.adapters.view import OUT, Item, ReleasedFile
from tearline.agreement import load
from tearline.doors.partner import ByCertificate, PartnerDoor, Registry, run_door
from tearline.node import Node, consider, hand_over, media
from tearline.node.take_in_file import About, take_in_file
from tests.adoption import adopt
from tests.coalition import AGREEMENTS
from tests.door import Identity, open_view
from tests.media_files import recording
from tests.unit.node.world import nodes

NAME = "00000000-0000-4000-8000-000000000001"
RANGE = 8 << 20
FORM = '\n[forms.near]\nkind = "signal"\nposition_deg = 1.0\n'
CLAUSE = """
@id("forms")
@reason("An example.")
permit (principal, action == Action::"releaseTearline", resource)
when { resource.category == Category::"intercept" };
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=100, help="MiB of the file that is downloaded")
    parser.add_argument("--releases", type=int, default=20)
    parser.add_argument("--client", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.client:
        print(download(*given.client))
        return
    with tempfile.TemporaryDirectory() as folder:
        wall, busy = release(Path(folder), given.releases)
        print(f"release of a form from the store: {wall:.2f} ms, {busy:.2f} ms of the processor")
        asyncio.run(serve(Path(folder) / "door", given.size << 20))


def release(folder: Path, count: int) -> tuple[float, float]:
    """Milliseconds a release: of the wall clock, of the processor."""
    five = AGREEMENTS / "five-eyes"
    manifest = (five / "agreement.toml").read_text(encoding="utf-8").replace('"five-eyes"', '"media"', 1)
    with nodes(folder / "nodes", "GBR", "USA") as (gbr, _):
        adopt(gbr, load(manifest + FORM, CLAUSE, "media"))
        for number in range(count):
            path = recording(folder / "files", str(number), seed=number, samples=512)
            list(take_in_file(gbr, path, About(marking="TLP:GREEN")))
        work(gbr)
        began = time.perf_counter()
        made = media.attend(gbr)
        making = time.perf_counter() - began
        began, busy = time.perf_counter(), time.process_time()
        work(gbr)
        took, busy = time.perf_counter() - began, time.process_time() - busy
        gone = len(gbr.view("USA").released_files())
        if (made, gone) != (count, count):
            raise SystemExit(f"{made} were made and {gone} went, of {count}")
        print(f"making a form of a small recording, two processes each: {1000 * making / count:.0f} ms")
        return 1000 * took / count, 1000 * busy / count


def work(node: Node) -> None:
    while consider(node) + hand_over(node):
        pass


async def serve(folder: Path, size: int) -> None:
    """Print how fast each way is."""
    folder.mkdir()
    server, client = Identity.make(folder / "server", "AAA"), Identity.make(folder / "client", "BBB")
    view = open_view(folder, "BBB")
    view.link(NAME).parent.mkdir()
    with view.link(NAME).open("wb") as file:
        for _ in range(size >> 20):
            file.write(bytes(range(256)) * 4096)
    with view.begin() as writer:
        item = Item("release", f"report--{NAME}", "report", "2026-01-01T00:00:00.000Z", "2.1", b"{}")
        writer.add(OUT, [item], datetime.now(UTC))
        writer.release_files([ReleasedFile(NAME, "release", "a" * 64, size, "image/tiff", True)])
    path = view.link(NAME)
    view.close()
    context = tls.server_context(server.certificate, server.key)
    registry = Registry(lambda party: open_view(folder, party))
    registry.admit({"BBB": client.pem}, context)
    ours = PartnerDoor(registry, ByCertificate(registry), title="AAA")

    async def static(scope: Scope, receive: Receive, send: Send) -> None:
        await FileResponse(path)(scope, receive, send)

    ports: dict[str, int] = {}
    stop = asyncio.Event()
    doors = [
        asyncio.create_task(
            run_door(
                app, context, "127.0.0.1", 0, ready=lambda port, of=of: ports.update({of: port}), stop=stop
            )
        )
        for of, app in (("static", static), ("door", ours))
    ]
    while len(ports) < 2:
        await asyncio.sleep(0.01)
    identities = ":".join(map(str, (server.certificate, client.certificate, client.key)))
    try:
        rates = {
            way: max([await asked(ports[way.partition(" ")[0]], way, size, identities) for _ in range(3)])
            for way in ("static file", "door whole", "door ranges")
        }
    finally:
        stop.set()
        await asyncio.gather(*doors)
        registry.close()
    for way, rate in rates.items():
        print(f"{way:12} {rate / 1e6:8.0f} MB/s   {rate / rates['static file']:.2f} of static")


async def asked(port: int, way: str, size: int, identities: str) -> float:
    """Bytes a second, as another process sees it."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.media", "--client", str(port), way, str(size), identities,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    said, _ = await child.communicate()
    return float(said)


def download(port: str, way: str, size: str, identities: str) -> float:
    server, certificate, key = map(Path, identities.split(":"))
    context = tls.client_context(certificate, key, server.read_text(encoding="ascii"))
    whole, step = int(size), RANGE if way == "door ranges" else int(size)
    with (
        socket.create_connection(("127.0.0.1", int(port))) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        began, got = time.perf_counter(), 0
        for start in range(0, whole, step):
            last = min(whole, start + step) - 1
            asked = f"range: bytes={start}-{last}\r\n" if way == "door ranges" else ""
            line.sendall(f"GET /media/{NAME} HTTP/1.1\r\nhost: door\r\n{asked}\r\n".encode())
            got += thrown_away(line, last + 1 - start)
        took = time.perf_counter() - began
    if got != whole:
        raise SystemExit(f"{got} of {whole} bytes came")
    return whole / took


def thrown_away(line: ssl.SSLSocket, length: int) -> int:
    """Read one answer; the bytes of its body."""
    buffer = memoryview(bytearray(1 << 20))
    head = b""
    while b"\r\n\r\n" not in head:
        head += line.recv(1 << 16)
    got = len(head.partition(b"\r\n\r\n")[2])
    while got < length and (count := line.recv_into(buffer[: length - got])):
        got += count
    return got


if __name__ == "__main__":
    main()
