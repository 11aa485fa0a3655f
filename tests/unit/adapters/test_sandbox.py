"""The walls around a reader: tried from inside, with what a taken-over reader would try."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tearline.adapters import sandbox
from tearline.media import Inspect, Made, Make
from tearline.terms import BadInput, Imagery, ImageryForm
from tests import pictures

ROOT = Path(sandbox.__file__).parents[2]


def inside(source: Path, code: str, target: str = "", limits: sandbox.Limits | None = None) -> str:
    """What `code` prints behind the walls."""
    start = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from tearline.adapters import sandbox\nimport tearline.media.__main__ as ours\n"
        f"def act():\n    import os, socket, json\n    {code}\n"
        "ours.main = act\nsandbox.become_reader()\n"
    )
    arguments = [msgspec.json.encode(limits or sandbox.Limits()).decode(), str(source), target, ""]
    done = subprocess.run(
        [sys.executable, "-I", "-c", start, *arguments],
        capture_output=True,
        text=True,
        env=sandbox.ENVIRONMENT,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr.splitlines()[-1] if done.stderr else done.stdout


def test_no_network(tmp_path):
    source = pictures.raster(tmp_path / "source.tif")
    for family in ("AF_INET", "AF_INET6", "AF_UNIX"):
        for kind in ("SOCK_STREAM", "SOCK_DGRAM"):
            assert "PermissionError" in inside(source, f"socket.socket(socket.{family}, socket.{kind})")


def test_no_other_file(tmp_path):
    source, other = pictures.raster(tmp_path / "source.tif"), tmp_path / "source.tif.aux.xml"
    other.write_text("secret")
    assert "PermissionError" in inside(source, f"print(open({str(other)!r}).read())")
    assert "PermissionError" in inside(source, f"print(os.listdir({str(tmp_path)!r}))")
    assert "PermissionError" in inside(source, f"open({str(source)!r}, 'ab').write(b'x')")
    assert "PermissionError" in inside(source, f"open({str(tmp_path / 'new')!r}, 'wb')")
    target = tmp_path / "target"
    target.touch()
    assert inside(source, f"open({str(target)!r}, 'wb').write(b'made')", str(target)) == ""
    assert target.read_bytes() == b"made"


def test_nothing_of_the_surroundings(tmp_path, monkeypatch):
    monkeypatch.setenv("TEARLINE_PASSPHRASE", "secret")
    source = pictures.raster(tmp_path / "source.tif")
    assert "TEARLINE" not in inside(source, "print(dict(os.environ))")


def test_memory_and_time_have_an_end(tmp_path):
    source = pictures.raster(tmp_path / "source.tif")
    limits = sandbox.Limits(address_space=1 << 30)
    assert "MemoryError" in inside(source, "bytearray(2 << 30)", limits=limits)
    with pytest.raises(BadInput, match="takes longer"):
        sandbox.run(Inspect(source=str(source)), limits=sandbox.Limits(wall_s=0.01))


def test_a_crash_is_one_plain_sentence(tmp_path, monkeypatch):
    source, target = pictures.raster(tmp_path / "source.tif"), tmp_path / "form"
    request = Make(source=str(source), target=str(target), form=ImageryForm(name="x"), marking="UNCLASSIFIED")
    facts = Imagery(
        format="geotiff", width=1, height=1, bands=1, dtype="uint8", gsd_m=None, box=None, taken=None
    )
    other = msgspec.json.encode(Made(sha256="", size=0, media_type="", facts=facts))
    for said in (b"", b"{", b'{"type":"made"}', b"\xff", b"[]", other[:-3]):
        monkeypatch.setattr(sandbox, "_talk", lambda *_, said=said: said)
        with pytest.raises(BadInput, match="makes its reader fail") as caught:
            sandbox.run(request)
        assert caught.value.where == str(source)
        assert not target.exists()
    monkeypatch.setattr(sandbox, "_talk", lambda *_: other)
    with pytest.raises(BadInput, match="something else"):
        sandbox.run(Inspect(source=str(source)))


def test_what_is_made_is_the_owners_alone_and_progress_is_told(tmp_path):
    source, target = pictures.raster(tmp_path / "source.tif"), tmp_path / "form"
    told: list[float] = []
    before = os.umask(0)
    try:
        sandbox.run(
            Make(source=str(source), target=str(target), form=ImageryForm(name="x"), marking="UNCLASSIFIED"),
            progress=told.append,
        )
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == 0o600
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_starting_it_loads_no_library():
    libraries = "{'numpy', 'rasterio', 'scipy', 'jbpy', 'PIL'}"
    code = f"import sys, tearline.adapters.sandbox; print({libraries} & {{*sys.modules}})"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert said.stdout.strip() == "set()"


def test_a_socket_can_be_opened_outside():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()  # else the test of the walls proves nothing
