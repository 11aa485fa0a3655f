"""Our scanner and its rivals behind one door: names and texts in, hits out."""

from __future__ import annotations

import json
import subprocess
import venv
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from benchmarks.names_data.corpus import Span
from tearline.scan import Identity, Kind, Scanner

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".venv-peers"
BASELINES = Path(__file__).with_name("baselines.py")
PACKAGES = (
    "ahocorasick-rs==1.0.3",
    "presidio-analyzer==2.2.366",
    "pymorphy3==2.0.6",
    "pymorphy3-dicts-ru==2.4.417150.4580142",
    "pymorphy3-dicts-uk==2.4.1.1.1663094765",
    "rapidfuzz==3.14.6",
)
RIVALS = {
    "casefold": "Aho-Corasick, case folded",
    "morphology": "pymorphy3 forms, Aho-Corasick",
    "bigrams": "rapidfuzz over word pairs",
    "presidio": "Presidio's deny list",
}
MORPHOLOGY = ("uk", "ru")
"""The languages that pymorphy3 has a dictionary for."""
KEY = bytes(range(32))
ERR = Console(stderr=True)


class Answer(NamedTuple):
    hits: list[list[Span]]
    build: float
    """Seconds of CPU."""
    scan: float
    """Seconds of CPU of the fastest round."""


def install_rivals() -> None:
    mark = PEERS / ".ready-names"
    if not mark.exists():
        ERR.print("installing the other scanners into .venv-peers (about 400 MB)")
        if not (PEERS / "bin" / "pip").exists():
            venv.create(PEERS, with_pip=True)
        pip = [str(PEERS / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES], check=True)
        mark.touch()


def rival(method: str, names: Mapping[str, str], lang: str, texts: Sequence[str], repeat: int = 1) -> Answer:
    return answer(run(method, job_of(names, lang, texts, repeat)))


def rival_hits(method: str, names: Mapping[str, str], lang: str, texts: Sequence[str]) -> list[list[Span]]:
    """The answer is kept in `.venv-peers`: it stays the same while our scanner changes."""
    job = job_of(names, lang, texts, 1)
    asked = sha256("\n".join((method, *PACKAGES, BASELINES.read_text(), job)).encode())
    kept = PEERS / "answers" / f"{asked.hexdigest()}.json"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(run(method, job))
    return answer(kept.read_bytes()).hits


def job_of(names: Mapping[str, str], lang: str, texts: Sequence[str], repeat: int) -> str:
    return json.dumps({"lang": lang, "names": list(names.items()), "texts": list(texts), "repeat": repeat})


def run(method: str, job: str) -> bytes:
    command = [str(PEERS / "bin" / "python"), str(BASELINES), method]
    return subprocess.run(command, input=job.encode(), stdout=subprocess.PIPE, check=True).stdout


def answer(said: bytes) -> Answer:
    read = json.loads(said)
    hits = [[(start, end, identity) for start, end, identity in each] for each in read["hits"]]
    return Answer(hits, read["build"], read["scan"])


def scanner(names: Mapping[str, str], lang: str, kind: Kind = Kind.PERSON) -> Scanner:
    lang = "" if lang == "id" else lang  # names read off ids are in no language that we know
    return Scanner([Identity(each, name, kind, lang) for each, name in names.items()], key=KEY)


def ours(engine: Scanner, texts: Sequence[str]) -> list[list[Span]]:
    return [[(hit.start, hit.end, hit.id) for hit in engine.scan(text)] for text in texts]
