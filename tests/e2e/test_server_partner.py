"""A plain TAXII server as a partner: medallion, really running, over TLS. It is pushed releases alone."""

from __future__ import annotations

import importlib.util
import json
import ssl
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tearline.adapters import tls
from tearline.ledger import Act
from tearline.node import Node, ledger_tail, verify_ledger
from tests.coalition import bundle, free_port, make_nodes, serve, stop, tearline, until

PEERS = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"
PYTHON = Path(sys.executable) if importlib.util.find_spec("medallion") else PEERS
COLLECTION = str(uuid.uuid5(uuid.NAMESPACE_URL, "releases"))
MEDIA_TYPE = "application/taxii+json;version=2.1"
RUN = """
import json, sys
from medallion import application_instance as app, register_blueprints, set_config
settings, port, certificate, key = sys.argv[1:]
with open(settings) as file:
    configuration = json.load(file)
for part in ("users", "taxii", "backend"):
    set_config(app, part, configuration)
register_blueprints(app)
app.run(host="127.0.0.1", port=int(port), ssl_context=(certificate, key))
"""


@contextmanager
def medallion(folder: Path, port: int) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    if not (folder / "tls.crt").exists():
        tls.make_identity(folder, "CAN", "127.0.0.1")
    shelf = {
        "id": COLLECTION,
        "title": "releases",
        "can_read": True,
        "can_write": True,
        "media_types": ["application/stix+json;version=2.1"],
        "objects": [],
        "manifest": [],
    }
    data = {
        "/discovery": {"title": "plain", "default": "api", "api_roots": ["api"]},
        "api": {
            "information": {"title": "api", "versions": [MEDIA_TYPE], "max_content_length": 10_000_000},
            "status": [],
            "collections": [shelf],
        },
    }
    (folder / "data.json").write_text(json.dumps(data))
    backend = {
        "module": "medallion.backends.memory_backend",
        "module_class": "MemoryBackend",
        "filename": str(folder / "data.json"),
    }
    settings = {"backend": backend, "users": {"desk": "marsh harrier"}, "taxii": {"max_page_size": 1000}}
    (folder / "config.json").write_text(json.dumps(settings))
    command = [str(PYTHON), "-c", RUN, str(folder / "config.json"), str(port)]
    command += [str(folder / "tls.crt"), str(folder / "tls.pem")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def objects(folder: Path, port: int) -> list[dict[str, Any]]:
    context = ssl.create_default_context(cafile=folder / "tls.crt")
    url = f"https://127.0.0.1:{port}/api/collections/{COLLECTION}/objects/?limit=1000"
    try:
        answer = httpx.get(
            url,
            auth=("desk", "marsh harrier"),
            headers={"accept": MEDIA_TYPE},
            verify=context,
            trust_env=False,
        )
    except httpx.TransportError:
        return []
    assert answer.status_code == 200, (answer.status_code, answer.headers, answer.text)
    found: list[dict[str, Any]] = answer.json().get("objects", [])
    return [item for item in found if item["type"] == "malware"]


@pytest.mark.skipif(not PYTHON.exists(), reason="medallion is installed neither here nor in .venv-peers")
def test_a_plain_server_is_pushed_what_is_released_to_it_also_after_an_outage(tmp_path: Path) -> None:
    homes = make_nodes(tmp_path, "GBR", "USA", pull_interval=60.0)
    home, there, port = homes["GBR"], tmp_path / "server", free_port()
    there.mkdir()
    tls.make_identity(there, "CAN", "127.0.0.1")
    (tmp_path / "password").write_text("marsh harrier\n")
    words = ["partner", "add-server", "CAN", "--url", f"https://127.0.0.1:{port}/api/"]
    words += ["--collection", COLLECTION, "--user", "desk", "--password-file", str(tmp_path / "password")]
    words += ["--ca", str(there / "tls.crt"), "--clearance", "GBR=SECRET", "--reach", "AMBER"]
    subprocess.run(tearline(home, *words), check=True, stdout=subprocess.DEVNULL)
    running = serve(home)
    try:
        take(home, tmp_path, "before it is there", 3)
        with medallion(there, port):
            until(lambda: len(objects(there, port)) == 3, "what waited has come")
            take(home, tmp_path, "while it is there", 60)
            until(lambda: len(objects(there, port)) == 63, "all has come")
    finally:
        stop(running)
    with Node.open(home) as node:
        assert verify_ledger(node)[1] == []
        assert Act.RELEASE_UNDELIVERED not in {entry.act for _, entry in ledger_tail(node, 1000)}
        assert node.view("CAN").inbox_after(-1, 10) == []


def take(home: Path, folder: Path, seed: str, count: int) -> None:
    path = folder / f"{seed}.json"
    path.write_bytes(bundle(count, seed))
    subprocess.run(tearline(home, "intake", str(path)), check=True, stdout=subprocess.DEVNULL)
