"""What the coalition shares: threat-actor profiles, marked reports, pictures and recordings, and files of
one's own."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import msgspec
import orjson

from tearline.demo.coalition import FIVE_EYES, NAMES
from tearline.node.take_in_file import About
from tearline.terms import BadInput, Party, Topic

OWN_INPUT_HOLDER: Party = "USA"
"""Who takes in the files that the user names, unless the name says otherwise (`GBR=FILE`)."""


OWN = About(marking="TLP:GREEN", topics=frozenset({Topic.LAND}))
"""What is said of them where they do not say it themselves."""


class Delivery(msgspec.Struct, frozen=True):
    """Files that one node takes in with one command. `about`: what is said of them that they do not say."""

    party: Party
    paths: tuple[Path, ...]
    about: About


def prepare(folder: Path, own: Sequence[str], seed: int) -> list[Delivery]:
    """Write the input files of every node into `folder`. The same seed gives the same files."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    return [*_media(folder / "media"), *_reports(folder), *_galaxy(folder, draw), *_own(own)]


def _own(names: Sequence[str]) -> list[Delivery]:
    found = []
    for name in names:
        party, _, rest = name.partition("=")
        holder, path = (party, rest) if party in NAMES and rest else (OWN_INPUT_HOLDER, name)
        found.append(Delivery(holder, (Path(path).resolve(),), OWN))
    return found


def _media(folder: Path) -> list[Delivery]:
    """Pictures and recordings, first: their forms take longest."""
    try:
        from tearline.demo import scenes  # noqa: PLC0415 - heavy, and an extra
    except ModuleNotFoundError:
        reason = "needs libraries for pictures and recordings that are missing"
        raise BadInput("the demo", "", reason, "install tearline[demo,image,signal]") from None
    return [Delivery(each.party, (each.path,), each.about) for each in scenes.make(folder)]


def _reports(folder: Path) -> list[Delivery]:
    """The reports that ship with the demo, each to the node that made it."""
    by_party: dict[Party, list[Path]] = defaultdict(list)
    for report in sorted((files("tearline.demo") / "reports").iterdir(), key=lambda entry: entry.name):
        text = report.read_text(encoding="utf-8")
        originator = next(line[11:].strip() for line in text.splitlines() if line.startswith("Originator:"))
        path = folder / report.name
        path.write_text(text, encoding="utf-8")
        by_party[originator].append(path)
    return [Delivery(party, tuple(paths), About()) for party, paths in sorted(by_party.items())]


def _galaxy(folder: Path, draw: random.Random) -> list[Delivery]:
    """The threat-actor clusters of the MISP galaxy, dealt out to the nodes under the markings they would use.

    The clusters carry no markings of their own: who holds which, and how it is marked, is drawn.
    """
    source = files("pymispgalaxies") / "data" / "misp-galaxy" / "clusters" / "threat-actor.json"
    galaxy = orjson.loads(source.read_bytes())
    dealt: dict[tuple[Party, str], list[object]] = defaultdict(list)
    for cluster in galaxy["values"]:
        party = draw.choice(list(NAMES))
        markings = _markings(party)
        marking = draw.choices(list(markings), weights=list(markings.values()))[0]
        dealt[party, marking].append(cluster)
    deliveries = []
    for number, ((party, marking), clusters) in enumerate(sorted(dealt.items())):
        path = folder / f"threat-actors-{party}-{number:02}.json"
        path.write_bytes(orjson.dumps({**galaxy, "values": clusters}))
        deliveries.append(Delivery(party, (path,), About(marking=marking)))
    return deliveries


def _markings(party: Party) -> dict[str, int]:
    """Markings that `party` would use, with how often."""

    def rel(level: str, *parties: Party) -> str:
        owner = "" if party == "USA" else f"//{party} "
        listed = sorted({"USA", party, *parties}, key=lambda code: (code != "USA", code))
        return f"{owner}{level}//REL TO {', '.join(listed)}"

    return {
        "TLP:CLEAR": 10,
        "TLP:GREEN": 25,
        "TLP:AMBER": 15,
        "TLP:AMBER+STRICT": 5,
        rel("SECRET", *FIVE_EYES): 15,
        rel("SECRET", *FIVE_EYES, "UKR"): 10,
        rel("CONFIDENTIAL", *NAMES): 10,
        "SECRET//NOFORN" if party == "USA" else f"//{party} SECRET": 10,
    }
