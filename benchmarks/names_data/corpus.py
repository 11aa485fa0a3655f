"""The measuring data of ../shared/data/names-dev, its vaults and its scoring rule (see the README there)."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "names-dev"
LANGUAGES = ("uk", "ru", "pl", "cs", "bg", "sl")
WORD = re.compile(r"\w+(?:['’‘]\w+)*")

Span = tuple[int, int, str]
"""A hit: start, end (code points, exclusive), id."""


class Mention(NamedTuple):
    start: int
    end: int
    surface: str
    lemma: str
    """Base form in the document's language."""
    id: str

    @property
    def full(self) -> bool:
        return len(WORD.findall(self.surface)) >= 2


class Document(NamedTuple):
    topic: str
    lang: str
    text: str
    mentions: tuple[Mention, ...]


Where = tuple[int, int]
"""A mention: the number of its document, its number in the document."""


class Score(NamedTuple):
    """Counts: each figure is a found and an all."""

    full: tuple[int, int]
    one: tuple[int, int]
    pairs: tuple[int, int]
    spans: tuple[int, int]
    """Right spans of all spans hit."""
    characters: int
    found: frozenset[Where]
    """Which mentions were found."""
    wrong: tuple[tuple[int, Span], ...]
    """(document, hit) of the spans that carry no right id, for a look at what they are."""


def load(lang: str, topics: Collection[str] = ()) -> list[Document]:
    with gzip.open(FOLDER / f"{lang}.jsonl.gz", "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    return [
        Document(
            row["topic"],
            row["lang"],
            row["text"],
            tuple(Mention(*(each[key] for key in Mention._fields)) for each in row["mentions"]),
        )
        for row in rows
        if not topics or row["topic"] in topics
    ]


def vault(lang: str) -> dict[str, str]:
    """id -> name. `id`: the name is read off the id, for every person of any language."""
    if lang == "id":
        ids = {mention.id for each in LANGUAGES for document in load(each) for mention in document.mentions}
        names = {each: each.removeprefix("PER-").replace("-", " ") for each in sorted(ids) if _person(each)}
        return {each: name for each, name in names.items() if len(WORD.findall(name)) >= 2}
    lemmas: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for document in load(lang):
        for mention in document.mentions:
            if _person(mention.id) and len(WORD.findall(mention.lemma)) >= 2:
                lemmas[mention.id][mention.lemma] += 1
    return {each: found.most_common(1)[0][0] for each, found in lemmas.items()}


def _person(identity: str) -> bool:
    return identity.startswith("PER-")


def score(documents: Sequence[Document], hits: Iterable[Sequence[Span]], held: Collection[str]) -> Score:
    """`hits`: one list a document. `held`: the ids of the vault: mentions of others are no gold."""
    full, one, pairs, spans = [0, 0], [0, 0], [0, 0], [0, 0]
    found: set[Where] = set()
    wrong: list[tuple[int, Span]] = []
    for number, (document, spans_hit) in enumerate(zip(documents, hits, strict=True)):
        gold = [(at, each) for at, each in enumerate(document.mentions) if each.id in held]
        by_id: defaultdict[str, list[Span]] = defaultdict(list)
        for span in spans_hit:
            by_id[span[2]].append(span)
        right: set[tuple[int, int]] = set()
        seen: set[str] = set()
        for at, mention in gold:
            over = [each for each in by_id[mention.id] if each[0] < mention.end and mention.start < each[1]]
            right.update(each[:2] for each in over)
            if over:
                found.add((number, at))
                seen.add(mention.id)
            count = full if mention.full else one
            count[0] += bool(over)
            count[1] += 1
        persons = {mention.id for _, mention in gold if mention.full}
        pairs[0] += len(persons & seen)
        pairs[1] += len(persons)
        spans[0] += len(right)
        spans[1] += len({each[:2] for each in spans_hit})
        wrong += [(number, each) for each in spans_hit if each[:2] not in right]
    return Score(
        (full[0], full[1]),
        (one[0], one[1]),
        (pairs[0], pairs[1]),
        (spans[0], spans[1]),
        sum(len(document.text) for document in documents),
        frozenset(found),
        tuple(wrong),
    )
