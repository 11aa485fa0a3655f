"""`tearline scan` as others call it: in a pipe, without a node, on more documents than memory should hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

PEOPLE = "id,name,kind,lang\nHERON,Орест Дубогляд,person,uk\nHERON,+380 44 555-01-99,phone,\n"
TEXT = "Ореста Дубогляда бачили біля ставу; телефон (044) 555 01 99."
MODULES_OF_A_NODE = (
    "tearline.node",
    "tearline.adapters",
    "tearline.doors",
    "sqlalchemy",
    "cedarpy",
    "starlette",
)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE)
    return path


def command(people: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "tearline.cli", "scan", "--identities", str(people), *more]


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {"HOME": str(folder / "nobody"), "TEARLINE_HOME": str(folder / "nowhere")}


def test_in_a_pipe_hits_come_while_documents_still_do(people: Path, tmp_path: Path) -> None:
    line = json.dumps({"doc": "a", "text": TEXT}).encode() + b"\n"
    with subprocess.Popen(
        command(people), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path)
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        guard = threading.Timer(60, process.kill)  # else a missing hit would be waited for without end
        guard.start()
        for _ in range(3):
            process.stdin.write(line)
            process.stdin.flush()
            hits = [json.loads(process.stdout.readline()) for _ in range(2)]
            assert [TEXT[hit["start"] : hit["end"]][-5:] for hit in hits] == ["гляда", "01 99"]
        process.stdin.close()
        assert process.stdout.read() == b""
        guard.cancel()
    assert process.returncode == 0
    assert not (tmp_path / "nowhere").exists()


def test_a_reader_that_leaves_ends_it_quietly(people: Path, tmp_path: Path) -> None:
    documents = tmp_path / "d.jsonl"
    documents.write_text((json.dumps({"doc": "a", "text": TEXT}) + "\n") * 5000)
    with subprocess.Popen(
        command(people, "--documents", str(documents)), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read().decode()
    assert process.returncode == 1
    assert "Traceback" not in said


def test_nothing_of_a_node_is_loaded(people: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command(people)[1:]], input=b"", capture_output=True, check=True
    )
    loaded = {line.rpartition(b"|")[2].strip().decode() for line in done.stderr.splitlines() if b"|" in line}
    assert "tearline.scan" in loaded
    assert not loaded.intersection(MODULES_OF_A_NODE)


def test_memory_does_not_grow_with_the_documents(people: Path, tmp_path: Path) -> None:
    """Peak memory with 8 MB of documents, beside that with half a MB: no more than 4 MB apart."""
    line = json.dumps({"doc": "a", "text": TEXT + " " * 100_000}).encode() + b"\n"
    peaks = []
    for count in (5, 80):
        documents = tmp_path / f"{count}.jsonl"
        with documents.open("wb") as stream:
            for _ in range(count):
                stream.write(line)
        measured = (
            "import resource, sys; from tearline.cli import main\n"
            "try: main(sys.argv[1:])\n"
            "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        words = [*command(people)[3:], "--documents", str(documents), "--output", str(tmp_path / "hits")]
        done = subprocess.run(
            [sys.executable, "-c", measured, *words],
            capture_output=True,
            check=True,
            env=environment(tmp_path),
        )
        peaks.append(int(done.stdout) * 1024)
        assert len((tmp_path / "hits").read_bytes().splitlines()) == 2 * count
    assert peaks[1] - peaks[0] < 4 << 20, peaks
