"""Slots in texts: how many there are on a page, how many survive what is done to a leak, how long it takes.

    PYTHONPATH=. .venv/bin/python benchmarks/trace.py --only slots
    PYTHONPATH=. .venv/bin/python benchmarks/trace_slots.py [--sentences 60 --language uk]

The texts are the demo's reports and, where `../shared/data/names-dev` is, news (Ukrainian, Russian). With
`--sentences` it prints so many slots by chance with both wordings, for the review by eye.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tearline.trace import slots
from tearline.trace.likeness import align
from tearline.trace.slots import finding
from tearline.trace.terms import Bit, SlotKind

REPORTS = Path(__file__).parents[1] / "src" / "tearline" / "demo" / "reports"
NEWS = Path(__file__).parents[2] / "shared" / "data" / "names-dev"
PAGE = 400
Sheet = tuple[list[str], list[list[str]]]
_TITLE = re.compile(r"(?s)\A.*?\n\n")


def reports(language: str) -> list[str]:
    """The bodies of the demo's reports."""
    return [
        _TITLE.sub("", path.read_text("utf-8"), count=1) for path in sorted(REPORTS.glob(f"*.{language}.md"))
    ]


def news(language: str) -> list[str]:
    path = NEWS / f"{language}.jsonl.gz"
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


NEWS_READ = {"full": 240, "short": 120, "quick": 60}
"""News articles of each language in which slots are counted."""


def corpora(size: str) -> Iterator[tuple[str, str, list[str]]]:
    for language in slots.LANGUAGES:
        yield "reports", language, reports(language)
        if found := news(language):
            yield "news", language, random.Random(1).sample(found, min(len(found), NEWS_READ[size]))


def table(*, size: str = "full") -> Iterator[Sheet]:
    """Slots of each kind on a page; what can be read of a leak; CPU time."""
    yield _counted(size)
    yield _read(size)
    yield _timed()


def _words(text: str) -> int:
    return len(re.findall(r"\w+(?:['’-]\w+)*", text))


def _counted(size: str) -> Sheet:
    head = ["slots on 400 words", "lexical", "fact-level", *SlotKind, "all", "entries met"]
    rows = []
    for name, language, texts in corpora(size):
        found = [slot for text in texts for slot in slots.find(text, language, product="p")]
        pages = sum(map(_words, texts)) / PAGE
        kinds = Counter(slot.kind for slot in found)
        lexical = kinds[SlotKind.SYNONYM] + kinds[SlotKind.LIST] + kinds[SlotKind.PUNCTUATION]
        each = [lexical, len(found) - lexical, *(kinds[kind] for kind in SlotKind), len(found)]
        entries = len({slot.entry for slot in found})
        rows.append([f"{name} {language}", *(f"{count / pages:.1f}" for count in each), str(entries)])
    return head, rows


def _leaks(copy: str, draw: random.Random) -> Iterator[tuple[str, str]]:
    """A copy as it may leak."""
    yield "as it is", copy
    yield "lower case, one line", " ".join(copy.lower().split())
    yield "no marks", re.sub(r"[^\w\s%]", " ", copy)
    start = draw.randrange(max(1, len(copy) * 4 // 5))
    yield "a fifth of it", copy[start : start + len(copy) // 5]
    paragraphs = copy.split("\n\n")
    yield "paragraphs in another order", "\n\n".join(draw.sample(paragraphs, len(paragraphs)))
    for share in (0.05, 0.15):
        words = [word if draw.random() > share else "інше" for word in copy.split(" ")]
        yield f"{share:.0%} of the words replaced", " ".join(words)


def _read(size: str) -> Sheet:
    draw, seen, wrong, held = random.Random(2), Counter[str](), Counter[str](), Counter[str]()
    for language in slots.LANGUAGES:
        for text in reports(language)[: 6 if size == "quick" else 16]:
            found = slots.find(text, language, product="p")
            letters: dict[str, Bit] = {slot.key: draw.choice((0, 1)) for slot in found}
            for name, leak in _leaks(slots.write(text, found, letters), draw):
                read = slots.read(found, text, leak, align(text, leak))
                held[name] += len(found)
                seen[name] += len(read)
                wrong[name] += sum(letters[key] != bit for key, bit in read.items())
    head = ["what was read of the slots", "share", "read wrongly", "slots"]
    rows = [
        [name, f"{seen[name] / held[name]:.1%}", f"{wrong[name] / max(1, seen[name]):.2%}", str(held[name])]
        for name in held
    ]
    return head, rows


def _timed() -> Sheet:
    rows = []
    for language in slots.LANGUAGES:
        texts = reports(language)
        slots.find(texts[0], language, product="p")
        pages = sum(map(_words, texts)) / PAGE
        finding.forget()
        started = time.process_time()
        found = [slots.find(text, language, product="p") for text in texts]
        first = time.process_time()
        for text in texts:
            slots.find(text, language, product="p")
        again = time.process_time()
        for text, places in zip(texts, found, strict=True):
            slots.write(text, places, {slot.key: 1 for slot in places})
        took = (first - started, again - first, time.process_time() - again)
        rows.append([language, *(f"{1000 * each / pages:.2f}" for each in took)])
    return ["ms of CPU on 400 words", "find, first time", "find, again", "write"], rows


def _sentences(count: int, language: str, seed: int) -> Iterator[str]:
    draw = random.Random(seed)
    texts = [*reports(language), *news(language)]
    found = [(text, slot) for text in texts for slot in slots.find(text, language, product="p")]
    for text, slot in draw.sample(found, min(count, len(found))):
        here = text[slot.start : slot.end]
        other = slot.options[1 - slot.options.index(here)]
        about = text[max(0, slot.start - 70) : slot.start], text[slot.end : slot.end + 50]
        yield f"{slot.entry}: …{about[0]}[{here} → {other}]{about[1]}…".replace("\n", " ")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--size", choices=NEWS_READ, default="full")
    options.add_argument("--sentences", type=int, default=0)
    options.add_argument("--language", choices=slots.LANGUAGES, default="en")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    if chosen.sentences:
        print("\n".join(_sentences(chosen.sentences, chosen.language, chosen.seed)))
        return
    for head, rows in table(size=chosen.size):
        print("\n".join("| " + " | ".join(line) + " |" for line in (head, *rows)), end="\n\n")


if __name__ == "__main__":
    main()
