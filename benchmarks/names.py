"""How well the scanner finds known names and identifiers, beside four other ways to look for them.

    PYTHONPATH=. .venv/bin/python benchmarks/names.py [--vault uk,id] [--text ru] [--topics A,B] [--quick]

The data and the scoring rule are those of ../shared/data/names-dev (its README tells them). Four tables:

pairs        for every vault language and text language: recall of full mentions, of mentions of one word
             (for information), of (document, person) pairs; precision; alarms of 100,000 invented neighbours.
disguises    every way to disguise a name, applied to the full mentions inside the documents: recall beside
             the undisguised recall of the same mentions, their ratio, and the ratio in each language.
identifiers  phones, e-mails, passports, call signs and coordinates, in every punctuation.
alarms       what 10,000 invented identifiers of each kind find in the documents, where there are none.

The other ways run in `.venv-peers`, which this makes and where their answers are kept for the next run;
nothing of them enters the project. Counts stand behind
the figures in brackets. `--errors FILE` writes misses and wrong hits of the first two tables as JSON lines.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TextIO

from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from benchmarks.names_data.corpus import FOLDER, LANGUAGES, Document, Score, Span, Where, load, score, vault
from benchmarks.names_data.decoys import decoys
from benchmarks.names_data.disguises import DISGUISES, disguise
from benchmarks.names_data.identifiers import MAKERS, documents, identifiers
from benchmarks.names_data.methods import ERR, MORPHOLOGY, RIVALS, install_rivals, ours, rival_hits, scanner
from tearline.scan import Kind, Scanner

PAIRS = (
    ("uk", ("uk",)),
    ("ru", ("ru",)),
    ("uk", ("ru",)),
    ("ru", ("uk",)),
    ("id", ("ru", "uk", "bg")),
    ("pl", ("ru", "uk")),
    ("id", ("pl", "cs", "sl")),
    ("pl", ("pl",)),
    ("cs", ("cs",)),
    ("bg", ("bg",)),
    ("sl", ("sl",)),
)
RIVAL_LANGUAGES = ("uk", "ru")
"""Where the other ways are measured under disguises: where all four of them can be."""


class Options(NamedTuple):
    vaults: Collection[str]
    texts: Collection[str]
    topics: Collection[str]
    quick: bool
    rivals: dict[str, str]
    """The other ways that are measured too: method and name."""
    errors: TextIO | None

    def pairs(self) -> list[tuple[str, tuple[str, ...]]]:
        kept = [(held, tuple(each for each in langs if each in self.texts)) for held, langs in PAIRS]
        return [(held, langs) for held, langs in kept if held in self.vaults and langs]

    def load(self, lang: str) -> list[Document]:
        loaded = load(lang, self.topics)
        return loaded[::8] if self.quick else loaded


class Sheet(NamedTuple):
    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]]

    def show(self, markdown: bool) -> None:
        if markdown:
            print(f"\n### {self.title}\n\n| {' | '.join(self.columns)} |")
            print("|---" + "|---:" * (len(self.columns) - 1) + "|")
            for row in self.rows:
                print(f"| {' | '.join(row)} |", flush=True)
            return
        table = Table(title=self.title, title_justify="left")
        for at, column in enumerate(self.columns):
            table.add_column(column, justify="right" if at else "left", overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(cell.strip("*"), style="bold" if "*" in cell else "") for cell in row))
        Console(width=None if Console().is_terminal else 200).print(table)


def share(counts: tuple[int, int]) -> str:
    found, every = counts
    return f"{100 * found / every:.1f} ({every:,})" if every else "–"


def ratio(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}" if whole else "–"


# --- vault language to text language ---------------------------------------------------------------


def pairs(options: Options, added: int) -> Sheet:
    columns = ("vault → text", "scanner", "full mentions", "one word", "pairs", "precision", "alarms/M")
    rows: list[Sequence[str]] = []
    for held, langs in track(options.pairs(), "vault → text", console=ERR):
        names = vault(held)
        texts = [document for lang in langs for document in options.load(lang)]
        bodies = [document.text for document in texts]
        title = f"{held} → {' '.join(langs)}"
        mine = score(texts, ours(scanner(names, held), bodies), names)
        alarms = decoy_alarms(options, title, held, names, texts, added)
        rows.append((f"**{title}**", "Tearline", *figures(mine), alarms))
        if options.errors is not None:
            write_errors(options.errors, title, texts, names, mine)
        for method, name in options.rivals.items():
            if method != "morphology" or held in MORPHOLOGY:
                theirs = score(texts, rival_hits(method, names, held, bodies), names)
                rows.append(("", name, *figures(theirs), ""))
    return Sheet(f"Vault language → text language; {added:,} decoys", columns, rows)


def figures(counted: Score) -> tuple[str, str, str, str]:
    return share(counted.full), share(counted.one), share(counted.pairs), share(counted.spans)


def decoy_alarms(
    options: Options, title: str, lang: str, names: dict[str, str], texts: Sequence[Document], added: int
) -> str:
    """Spans hit by decoys, per million characters, while the real names are in the index too."""
    invented = {f"DECOY-{at}": name for at, name in enumerate(decoys(lang, added, names.values()))}
    alarms = 0
    answers = ours(scanner(names | invented, lang), [document.text for document in texts])
    for document, hits in zip(texts, answers, strict=True):
        found = {hit[:2]: invented[hit[2]] for hit in hits if hit[2] in invented}
        alarms += len(found)
        if options.errors is not None:
            for span, name in found.items():
                write_error(options.errors, title, "alarm", document, (*span, name))
    characters = sum(len(document.text) for document in texts)
    return f"{alarms * 1e6 / characters:.1f} ({alarms:,})"


def write_errors(
    stream: TextIO, pair: str, texts: Sequence[Document], names: dict[str, str], counted: Score
) -> None:
    for number, document in enumerate(texts):
        for at, mention in enumerate(document.mentions):
            if mention.id in names and (number, at) not in counted.found:
                kind = "missed full" if mention.full else "missed one"
                write_error(stream, pair, kind, document, (mention.start, mention.end, names[mention.id]))
    for number, (start, end, identity) in counted.wrong:
        write_error(stream, pair, "wrong", texts[number], (start, end, names[identity]))


def write_error(stream: TextIO, where: str, kind: str, document: Document, span: Span) -> None:
    """`span`: its third part is the name."""
    start, end, name = span
    row = {"pair": where, "error": kind, "topic": document.topic, "name": name}
    row |= {"surface": document.text[start:end], "about": document.text[max(0, start - 60) : end + 60]}
    stream.write(json.dumps(row, ensure_ascii=False) + "\n")


# --- disguises -------------------------------------------------------------------------------------


class Row(NamedTuple):
    """Of one disguise in one language: which mentions were disguised, and the documents with them."""

    texts: list[Document]
    changed: frozenset[Where]


class Tally(NamedTuple):
    disguised: int = 0
    plain: int = 0
    every: int = 0


def disguises(options: Options, most: int) -> Sheet:
    """Same-language vaults; at most `most` documents of each language, of those that name somebody."""
    langs = [each for each in LANGUAGES if each in options.vaults and each in options.texts]
    tallies: dict[tuple[str, str, str], Tally] = {}  # disguise, language, method
    for lang in track(langs, "disguises", console=ERR):
        names = vault(lang)
        plain = [each for each in options.load(lang) if any(m.full and m.id in names for m in each.mentions)]
        plain = Random(lang).sample(plain, min(most, len(plain)))
        changed = [made(plain, names, number) for number in range(len(DISGUISES))]
        every = [plain, *(row.texts for row in changed)]
        bodies = [document.text for texts in every for document in texts]
        answers = {"ours": ours(scanner(names, lang), bodies)}
        if lang in RIVAL_LANGUAGES:
            answers |= {method: rival_hits(method, names, lang, bodies) for method in options.rivals}
        for method, hits in answers.items():
            found = [
                score(texts, hits[at * len(plain) : (at + 1) * len(plain)], names).found
                for at, texts in enumerate(every)
            ]
            for how, row, now in zip(DISGUISES, changed, found[1:], strict=True):
                tally = Tally(len(now & row.changed), len(found[0] & row.changed), len(row.changed))
                tallies[how.name, lang, method] = tally
                if method == "ours" and options.errors is not None:
                    for number, at in sorted(found[0] & row.changed - now):
                        mention = row.texts[number].mentions[at]
                        span = (mention.start, mention.end, names[mention.id])
                        write_error(options.errors, lang, how.name, row.texts[number], span)
    columns = ("disguise", "mentions", "plain", "disguised", "ratio", *langs, *options.rivals.values())
    rows = [disguise_row(how.name, langs, tuple(options.rivals), tallies) for how in DISGUISES]
    return Sheet("Disguises", columns, rows)


def made(plain: Sequence[Document], names: Collection[str], number: int) -> Row:
    chance = Random(f"disguise {number}")
    both = [disguise(document, at, names, DISGUISES[number], chance) for at, document in enumerate(plain)]
    return Row([text for text, _ in both], frozenset(where for _, changed in both for where in changed))


def disguise_row(
    name: str, langs: Sequence[str], rivals: Sequence[str], tallies: dict[tuple[str, str, str], Tally]
) -> list[str]:
    def pooled(method: str) -> Tally:
        each = [tallies[name, lang, method] for lang in langs if (name, lang, method) in tallies]
        return Tally(*map(sum, zip(*each, strict=True)))

    mine = pooled("ours")
    each = [tallies[name, lang, "ours"] for lang in langs]
    return [
        name,
        f"{mine.every:,}",
        ratio(mine.plain, mine.every),
        ratio(mine.disguised, mine.every),
        f"**{ratio(mine.disguised, mine.plain)}**",
        *(ratio(one.disguised, one.plain) for one in each),
        *(ratio(one.disguised, one.every) for one in map(pooled, rivals)),
    ]


# --- identifiers -----------------------------------------------------------------------------------

KINDS = {
    "phone": Kind.PHONE,
    "e-mail": Kind.EMAIL,
    "passport": Kind.DOCUMENT,
    "call sign": Kind.CALLSIGN,
    "coordinates": Kind.OTHER,
}


def identifier_rows(options: Options, count: int) -> Sheet:
    rows: list[Sequence[str]] = []
    others = [each for each in ("casefold", "presidio") if each in options.rivals]
    for kind, maker in track(MAKERS.items(), "identifiers", console=ERR):
        chance = Random(kind)
        held = identifiers(maker, count, chance)
        names = {each: one.value for each, one in held.items()}
        made = [row for lang in ("en", "uk", "ru") for row in documents(held, lang, chance)]
        texts = [document for _, document in made]
        bodies = [document.text for document in texts]
        answers = [ours(scanner(names, "", KINDS[kind]), bodies)]
        answers += [rival_hits(method, names, "", bodies) for method in others]
        for spelling in dict.fromkeys(name for name, _ in made):
            numbers = [at for at, (name, _) in enumerate(made) if name == spelling]
            scores = [identifier_score(texts, hits, names, numbers) for hits in answers]
            found, spans = scores[0]
            rows.append(
                (kind, spelling, share(found), share(spans), *(share(each) for each, _ in scores[1:]))
            )
    columns = ("kind", "punctuation", "found", "precision", *(RIVALS[each] for each in others))
    return Sheet("Identifiers", columns, rows)


def identifier_score(
    texts: Sequence[Document], hits: Sequence[Sequence[Span]], names: Collection[str], numbers: Sequence[int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    counted = score([texts[at] for at in numbers], [hits[at] for at in numbers], names)
    return (len(counted.found), len(numbers)), counted.spans


def identifier_alarms(options: Options, count: int) -> Sheet:
    bodies = [document.text for lang in ("uk", "ru", "pl") for document in options.load(lang)]
    characters = sum(map(len, bodies))
    rows: list[Sequence[str]] = []
    for kind, maker in track(MAKERS.items(), "identifiers in real texts", console=ERR):
        # Of the invented call signs there are fewer.
        held = identifiers(maker, min(count, 4000) if kind == "call sign" else count, Random(kind))
        engine: Scanner = scanner({each: one.value for each, one in held.items()}, "", KINDS[kind])
        alarms = sum(len(hits) for hits in ours(engine, bodies))
        rows.append((kind, f"{len(held):,}", f"{alarms:,}", f"{alarms * 1e6 / characters:.2f}"))
    columns = ("kind", "held", "alarms", "per million characters")
    return Sheet(f"Identifiers that are not in the texts, {characters:,} characters", columns, rows)


# --- the command -----------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    listed: dict[str, Any] = {"type": lambda text: text.split(","), "metavar": "A,B"}
    parser.add_argument(
        "--vault", default=[*LANGUAGES, "id"], help="vault languages, id for names off ids", **listed
    )
    parser.add_argument("--text", default=LANGUAGES, help="text languages", **listed)
    parser.add_argument("--topics", default=(), help="only documents of these topics", **listed)
    parser.add_argument(
        "--only", default=["pairs", "disguises", "identifiers", "alarms"], help="tables", **listed
    )
    parser.add_argument("--quick", action="store_true", help="one document of eight, fewer decoys")
    parser.add_argument("--alone", action="store_true", help="without the other ways")
    parser.add_argument("--markdown", action="store_true", help="tables in Markdown")
    parser.add_argument("--errors", type=Path, help="write misses and wrong hits here (they hold text)")
    asked = parser.parse_args()
    if not FOLDER.exists():
        parser.exit(
            1, f"{FOLDER.name}: the measuring data is not beside the project, so nothing is measured\n"
        )
    if not asked.alone:
        install_rivals()
    errors = asked.errors.open("w", encoding="utf-8") if asked.errors else None
    options = Options(
        asked.vault, asked.text, asked.topics, asked.quick, {} if asked.alone else RIVALS, errors
    )
    quick = asked.quick
    sheets = {
        "pairs": lambda: pairs(options, 10_000 if quick else 100_000),
        "disguises": lambda: disguises(options, 40 if quick else 100),
        "identifiers": lambda: identifier_rows(options, 10 if quick else 50),
        "alarms": lambda: identifier_alarms(options, 1_000 if quick else 10_000),
    }
    for name in asked.only:
        sheets[name]().show(asked.markdown)
    if errors is not None:
        errors.close()


if __name__ == "__main__":
    main()
