"""Other ways to look for known names, each in a process of `.venv-peers`: nothing of them enters the project.

    .venv-peers/bin/python benchmarks/names_data/baselines.py METHOD < job.json > hits.json

The job: {"lang": vault's language, "names": [[id, name], ...], "texts": [...], "repeat": n}. The answer:
{"hits": [[[start, end, id], ...] a text], "build": seconds of CPU, "scan": those of the fastest of n rounds}.
Every method gets what it is good at: word boundaries for the automata, whole words for the bigrams.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, product
from typing import Any

Span = tuple[int, int, str]
Scan = Callable[[str], list[Span]]
WORD = re.compile(r"\w+(?:['’‘]\w+)*")


def folded(text: str) -> str:
    """Case folded without a change of length, so that offsets stay."""
    return "".join(low if len(low := letter.casefold()) == 1 else letter for letter in text)


def automaton(forms: dict[str, set[str]]) -> Scan:
    """Aho-Corasick over case-folded forms (form -> ids), whole words only."""
    from ahocorasick_rs import AhoCorasick, MatchKind

    patterns = sorted(forms)
    search = AhoCorasick(patterns, matchkind=MatchKind.LeftmostLongest)

    def scan(text: str) -> list[Span]:
        low, found = folded(text), []
        for pattern, start, end in search.find_matches_as_indexes(low):
            inside = (start and low[start - 1].isalnum()) or (end < len(low) and low[end].isalnum())
            if not inside:
                found += [(start, end, each) for each in sorted(forms[patterns[pattern]])]
        return found

    return scan


def raw(names: Sequence[tuple[str, str]], _: str) -> Scan:
    """One pass of the automaton and nothing else: the yardstick of speed."""
    from ahocorasick_rs import AhoCorasick

    search = AhoCorasick([name for _, name in names])

    def scan(text: str) -> list[Span]:
        return [(start, end, names[at][0]) for at, start, end in search.find_matches_as_indexes(text)]

    return scan


def casefold(names: Sequence[tuple[str, str]], _: str) -> Scan:
    forms: defaultdict[str, set[str]] = defaultdict(set)
    for each, name in names:
        forms[folded(name)].add(each)
    return automaton(forms)


def morphology(names: Sequence[tuple[str, str]], lang: str) -> Scan:
    """Every word of a name in all its cases by pymorphy3 (ru, uk); forms of one case go together."""
    from pymorphy3 import MorphAnalyzer

    analyzer = MorphAnalyzer(lang=lang)
    forms: defaultdict[str, set[str]] = defaultdict(set)
    for each, name in names:
        for words in inflected(analyzer, name):
            forms[folded(words)].add(each)
    return automaton(forms)


def inflected(analyzer: Any, name: str) -> Iterator[str]:
    parts = re.split(r"(\W+)", name)
    for case in ("nomn", "gent", "datv", "accs", "ablt", "loct", "voct"):
        choices = [sorted(_cases(analyzer, part, case)) if part[:1].isalpha() else [part] for part in parts]
        yield from ("".join(words) for words in product(*choices))
    yield name


def _cases(analyzer: Any, word: str, case: str) -> set[str]:
    readings = [each for each in analyzer.parse(word) if {"Name", "Surn"} & each.tag.grammemes]
    found = {each.inflect({case}) for each in (readings or analyzer.parse(word))[:3]}
    return {each.word for each in found if each} | {word}


def bigrams(names: Sequence[tuple[str, str]], _: str) -> Scan:
    """rapidfuzz.fuzz.ratio of every two neighbouring words with every name, from 85 on."""
    import numpy
    from rapidfuzz import fuzz, process

    wanted = [folded(name) for _, name in names]
    known: dict[str, list[int]] = {}

    def scan(text: str) -> list[Span]:
        words = list(WORD.finditer(text))
        spans = [(a.start(), b.end()) for a, b in pairwise(words) if b.start() - a.end() < 3]
        pairs = [folded(text[start:end]) for start, end in spans]
        fresh = sorted({pair for pair in pairs if pair not in known})
        for at in range(0, len(fresh), 2000):
            some = fresh[at : at + 2000]
            scores = process.cdist(some, wanted, scorer=fuzz.ratio, score_cutoff=85, dtype=numpy.uint8)
            known.update(
                {pair: numpy.flatnonzero(row).tolist() for pair, row in zip(some, scores, strict=True)}
            )
        return [(*span, names[at][0]) for span, pair in zip(spans, pairs, strict=True) for at in known[pair]]

    return scan


def presidio(names: Sequence[tuple[str, str]], _: str) -> Scan:
    """The deny list of Microsoft Presidio: its recogniser alone, without a language model."""
    from presidio_analyzer import PatternRecognizer

    recogniser = PatternRecognizer(supported_entity="NAME", deny_list=[name for _, name in names])
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for each, name in names:
        ids[name.casefold()].add(each)

    def scan(text: str) -> list[Span]:
        found = recogniser.analyze(text, entities=["NAME"])
        return [
            (hit.start, hit.end, each)
            for hit in found
            for each in sorted(ids.get(text[hit.start : hit.end].casefold(), ()))
        ]

    return scan


METHODS = {method.__name__: method for method in (raw, casefold, morphology, bigrams, presidio)}


def main() -> None:
    job = json.load(sys.stdin)
    start = time.process_time()
    scan = METHODS[sys.argv[1]]([(each, name) for each, name in job["names"]], job["lang"])
    scan("")
    build = time.process_time() - start
    rounds, hits = [], []
    for _ in range(job.get("repeat", 1)):
        start = time.process_time()
        hits = [scan(text) for text in job["texts"]]
        rounds.append(time.process_time() - start)
    json.dump({"hits": hits, "build": build, "scan": min(rounds)}, sys.stdout)


if __name__ == "__main__":
    main()
