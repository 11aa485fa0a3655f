"""The post room's process can open the views, and nothing else of the node."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tearline.adapters.home import Config
from tearline.doors.post import Settings
from tearline.node import Node

TRY = """
import sqlite3, sys, msgspec
from pathlib import Path
from tearline.adapters.view import View
from tearline.doors.post import talk
from tearline.doors.post.room import confine_to
settings = msgspec.json.decode(sys.argv[1], type=talk.Settings)
home = Path(settings.views).parent
assert confine_to(settings)
Path(settings.tls_key).read_bytes()
View(settings.view("USA"), node="GBR", party="USA", secret=b"s" * 32).close()
for name in ("node.toml", "node.db", "keys/signing.pem", "keys/secret"):
    try:
        (home / name).read_bytes()
        print("read", name)
    except PermissionError:
        print("refused", name)
try:
    sqlite3.connect(home / "node.db").execute("SELECT count(*) FROM sqlite_schema")
    print("opened")
except sqlite3.OperationalError:
    print("not opened")
print("read", (Path(settings.released) / "USA" / "file").read_bytes())
try:
    (Path(settings.released) / "USA" / "file").write_bytes(b"y")
    print("changed")
except PermissionError:
    print("not changed")
try:
    (home / "new").write_text("x")
    print("written")
except PermissionError:
    print("not written")
"""


def knows_landlock() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1)) >= 1)


@pytest.mark.skipif(not knows_landlock(), reason="this kernel does not know Landlock")
def test_the_post_room_can_open_nothing_but_the_views(tmp_path: Path) -> None:
    with Node.create(tmp_path / "GBR", Config(party="GBR", name="Desk", port=8443)) as node:
        home = node.home
    home.released_to("USA").mkdir(parents=True)
    (home.released_to("USA") / "file").write_bytes(b"x")
    settings = Settings(
        config=home.config,
        views=str(home.views),
        released=str(home.released),
        certificate=str(home.certificate),
        tls_key=str(home.tls_key),
    )
    done = subprocess.run(
        [sys.executable, "-c", TRY, msgspec.json.encode(settings).decode()],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "refused node.toml", "refused node.db", "refused keys/signing.pem", "refused keys/secret",
        "not opened", "read b'x'", "not changed", "not written",
    ], done.stderr  # fmt: skip
