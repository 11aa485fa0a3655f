"""What organisations write in a simulated year, with what the observer knows of it beside it.

Every text has a word of its own in it, its *token*. Wherever a token turns up, the observer knows what was
given away, whatever object, portion or field it stands in.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

import msgspec
import orjson

from tearline.simulate.deals import Facts
from tearline.terms import Party, Reach, Topic

TOKEN = re.compile(rb"TK[0-9A-F]{10}")
_MARKS = {
    Reach.CLEAR: "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    Reach.GREEN: "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Reach.AMBER: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Reach.RED: "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
"""OASIS, STIX 2.1 best practices: the marking definitions of TLP 2.0."""
_LETTER = {0: "U", 2: "C", 3: "S", 4: "TS"}
_TOPICS = (
    (Topic.LAND,),
    (Topic.MARITIME,),
    (Topic.MARITIME, Topic.LOGISTICS),
    (Topic.THREAT_TO_LIFE,),
    (Topic.PROLIFERATION,),
    (),
)


class Source(msgspec.Struct, frozen=True):
    """A protected person of a node. `name` may stand in texts; `secret` stands nowhere but in the vault."""

    cryptonym: str
    name: str
    secret: str
    facts: tuple[tuple[str, str], ...]
    """What is true of it: (attribute, value) as in the population's table."""
    k: int


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A portion, or the whole of an object. `release`: to whom by its list; `None` is anybody."""

    token: str
    role: str = "body"
    rank: int = 0
    release: frozenset[Party] | None = None
    reach: Reach = Reach.CLEAR
    facts: tuple[tuple[str, str], ...] = ()
    """What it tells of the item's source."""
    names: bool = False
    """Whether the source's name stands in it."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A product, as its author knows it."""

    id: str
    owner: Party
    category: str
    topics: frozenset[Topic] = frozenset()
    humint: bool = False
    parts: tuple[Part, ...]
    unmarked: bool = False
    """It came without a marking: it goes to nobody until an officer gives it one."""
    source: Source | None = None
    version: str = ""
    """As the node tells versions apart: an instant."""

    def facts(self, parts: Sequence[Part]) -> Facts:
        """What a deal may ask of these parts of it. A deal's table has no row for TOP SECRET."""
        rank = max(part.rank for part in parts)
        return Facts(self.category, self.topics, self.humint, 9 if rank == 4 else rank)

    @property
    def touches(self) -> bool:
        """Whether it rests on a source or names one."""
        return self.source is not None and any(part.facts or part.names for part in self.parts)


class Writer:
    """Draws what one organisation writes. `partners`: whom its lists may name."""

    def __init__(
        self, party: Party, partners: Sequence[Party], draw: Random, sources: Sequence[Source]
    ) -> None:
        self.party, self._partners, self._draw, self._sources = party, list(partners), draw, sources
        self.items: dict[str, Item] = {}

    def batch(self, at: datetime, size: int) -> list[tuple[bytes, list[Item]]]:
        """Files that come in together: a bundle of objects, and reports. With what stands in each."""
        reports = sum(self._draw.random() < 0.3 for _ in range(size))
        files = [self._bundle(at, size - reports)] if size > reports else []
        files += [self._report(at) for _ in range(reports)]
        for _, items in files:
            self.items |= {f"{item.id} {item.version}": item for item in items}
        return files

    def _token(self) -> str:
        return f"TK{self._draw.getrandbits(40):010X}"

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._draw.getrandbits(128), version=4))

    # --- Objects ----------------------------------------------------------------------------------

    def _bundle(self, at: datetime, size: int) -> tuple[bytes, list[Item]]:
        items = [self._object(_stamp(at + timedelta(milliseconds=number))) for number in range(size)]
        objects = [self._stix(item) for item in items]
        bundle = {"type": "bundle", "id": f"bundle--{self._uuid()}", "objects": objects}
        return orjson.dumps(bundle), items

    def _object(self, version: str) -> Item:
        own = [item for item in list(self.items.values())[-20:] if item.category == "cyber"]
        if own and self._draw.random() < 0.1:  # a newer version of an older object
            old = self._draw.choice(own)
            (part,) = old.parts
            return msgspec.structs.replace(
                old, version=version, parts=(msgspec.structs.replace(part, token=self._token()),)
            )
        reach = self._draw.choices(list(_MARKS), [4, 6, 4, 1])[0]
        named = self._sources and self._draw.random() < 0.05
        return Item(
            id=f"malware--{self._uuid()}",
            owner=self.party,
            category="cyber",
            topics=frozenset({Topic.MALWARE}),
            parts=(Part(token=self._token(), reach=reach, names=bool(named)),),
            unmarked=self._draw.random() < 0.03,
            version=version,
            source=self._draw.choice(self._sources) if named else None,
        )

    def _stix(self, item: Item) -> dict[str, object]:
        (part,) = item.parts
        body: dict[str, object] = {
            "type": "malware",
            "spec_version": "2.1",
            "id": item.id,
            "created": "2026-01-01T00:00:00.000Z",
            "modified": item.version,
            "name": f"Quiet Heron {part.token}",
            "is_family": False,
        }
        if part.names and item.source is not None:
            body["description"] = f"Sold on by {item.source.name}."
        return body if item.unmarked else body | {"object_marking_refs": [_MARKS[part.reach]]}

    # --- Reports ----------------------------------------------------------------------------------

    def _report(self, at: datetime) -> tuple[bytes, list[Item]]:
        draw = self._draw
        release = frozenset(draw.sample(self._partners, draw.randint(1, len(self._partners))))
        wide = frozenset(self._partners)
        humint = draw.random() < 0.4
        source = draw.choice(self._sources) if self._sources and draw.random() < 0.5 else None
        parts = [Part(token=self._token(), role="title")]
        for _ in range(draw.randint(1, 3)):
            rank = draw.choices((0, 2, 3, 4), (3, 3, 4, 1))[0]
            told: tuple[tuple[str, str], ...] = ()
            if source is not None and draw.random() < 0.7:
                told = (draw.choice(source.facts),)
            parts.append(
                Part(
                    token=self._token(),
                    rank=rank,
                    release=None if rank == 0 else draw.choice((release, wide, frozenset())),
                    facts=told,
                    names=source is not None and draw.random() < 0.2,
                )
            )
        if humint:
            parts.append(
                Part(token=self._token(), role="source", rank=3, release=draw.choice((release, wide)))
            )
        item = Item(
            id=f"report--{self._uuid()}",
            owner=self.party,
            category="report",
            topics=frozenset(draw.choice(_TOPICS)),
            humint=humint,
            parts=tuple(parts),
            source=source,
            version=_stamp(at.replace(microsecond=0)),
        )
        return self._text(item).encode(), [item]

    def _text(self, item: Item) -> str:
        title, *rest = item.parts
        lines = [
            f"Id: {item.id}",
            f"Title: {self._mark(title)} Notes {title.token}",
            f"Date: {item.version[:19]}Z",
            f"Discipline: {'humint' if item.humint else 'osint'}",
        ]
        lines += [f"Topics: {', '.join(sorted(item.topics))}"] if item.topics else []
        return "\n".join(lines) + "\n\n" + "\n\n".join(self._paragraph(item, part) for part in rest) + "\n"

    def _paragraph(self, item: Item, part: Part) -> str:
        if part.role == "source":
            return f"{self._mark(part)} SOURCE: A pilot with direct access, {part.token}."
        text = f"Nine barges lay at Velna, {part.token}."
        if item.source is not None:
            text += f" {item.source.name} counted them." if part.names else ""
            told = "; ".join(f"{name}={value}" for name, value in part.facts)
            text += f" [[{item.source.cryptonym}: {told}]]" if part.facts else ""
        return f"{self._mark(part)} {text}"

    def _mark(self, part: Part) -> str:
        listed = ", ".join(sorted(part.release)) if part.release else ""
        return f"(//{self.party} {_LETTER[part.rank]}" + (f"//REL TO {listed})" if listed else ")")


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
