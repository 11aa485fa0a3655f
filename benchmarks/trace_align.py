"""Which release does a leaked text come from? Without any mark.

    PYTHONPATH=. .venv/bin/python benchmarks/trace_align.py [--size quick|short|full] [--million] [--markdown]

An index of 10,000 releases: invented reports (`trace_reports.py`, a page each), the demo's, and, where
../shared/data is at hand, news documents of names-dev. Leaks are excerpts of a fifth of a page, as they stand
and changed. *Right*: the first source named is the report from which the excerpt is. *A right lead*: no
source is named, but the best form is that report. *Not enough*: no source is named. The rest is *wrong*:
another is named first.

Translated: the excerpt is taken from the same report in another language than the one that is indexed. The
demo's 16 reports are the real prose; their passages are one, two or all paragraphs in a row. *Fresh
paragraphs* (`trace_passages.txt`) have no figure and no name, and were written after the vocabulary of
meanings; each ends an invented report.

Unrelated: texts that come from none of the releases. *Other subject*: news about one subject against all
other releases. *Same subject*: news about a subject of which other reports are in the index; agencies copy
one another. Where ten words in a row of what is named stand in the leak too, one was *copied* from the other
or both from a third: the likeness is true. Any other source that is named is false.

Lookup (`--million`): 200,000 forms, of which 1,000,000 releases would be made, and 1,000,000 forms. Their
features are those of invented reports with all rare ones changed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
from rich.progress import track

from benchmarks import trace_reports as made
from tearline.adapters.traces import Traces
from tearline.trace import likeness

ROOT = Path(__file__).parent.parent
NEWS = ROOT.parent / "shared" / "data" / "names-dev"
DEMO = ROOT / "src" / "tearline" / "demo" / "reports"
SHARE = 0.2
_LEAD = 10.0
_COPIED = 10
"""Words in a row."""


class Result(NamedTuple):
    """Of one kind of leak: how many, and how they ended."""

    what: str
    count: int
    right: int
    lead: int
    """No source was named, but the first lead is right."""
    silent: int

    def row(self) -> list[str]:
        wrong = self.count - self.right - self.lead - self.silent
        parts = (self.right, self.lead, self.silent, wrong)
        shown = (f"{100 * each / max(self.count, 1):.1f} %" for each in parts)
        return [self.what, f"{self.count:,}", *shown]


class Article(NamedTuple):
    """A news document."""

    topic: str
    text: str


def news() -> list[Article]:
    """All news documents, in six languages; none where the folder is absent."""
    out = []
    for path in sorted(NEWS.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            out += [Article(each["topic"], each["text"]) for each in map(json.loads, lines)]
    return out


def demo() -> dict[str, dict[str, list[str]]]:
    """The demo's reports as they are released: paragraphs by language, by report."""
    out: dict[str, dict[str, list[str]]] = {}
    for path in sorted(DEMO.glob("*.md")):
        name, language, _ = path.name.split(".")
        _, _, body = path.read_text(encoding="utf-8").partition(f"Language: {language}")
        blocks = [re.sub(r"^(?:\([^)]*//[^)]*\) )?(?:\d\. )?", "", each) for each in body.split("\n\n")]
        kept = [each.strip() for each in blocks if len(each.split()) > 6]
        out.setdefault(name, {})[language] = [
            each for each in kept if not re.match("SOURCE|ДЖЕРЕЛО|ИСТОЧНИК", each)
        ]
    return out


def fresh_paragraphs() -> list[dict[str, str]]:
    """Paragraphs in three languages."""
    blocks = Path(__file__).with_name("trace_passages.txt").read_text(encoding="utf-8").strip().split("\n\n")
    return [dict(zip(made.LANGUAGES, block.split("\n"), strict=True)) for block in blocks]


@cache
def features(text: str) -> likeness.Features:
    """Each text is read once."""
    return likeness.features(text)


def index(path: Path, texts: Iterable[tuple[str, str]]) -> Traces:
    """An index of texts by their names."""
    traces = Traces(path, version=likeness.VERSION)
    traces.add((name, features(text).stored()) for name, text in texts)
    return traces


def trial(what: str, traces: Traces, leaks: Sequence[tuple[str, str]]) -> Result:
    """Look leaks up; each with the name of the form that is right."""
    right = lead = silent = 0
    for name, leak in leaks:
        sources = _sources(traces, leak)
        leads = sources or likeness.candidates(traces, features(leak), enough=_LEAD)
        is_right = bool(leads) and leads[0].best.form == name
        right += is_right and bool(sources)
        lead += is_right and not sources
        silent += not is_right and not sources
    return Result(what, len(leaks), right, lead, silent)


# --- Excerpts --------------------------------------------------------------------------------------


def excerpts(folder: Path, count: int, leaks: int, random: Random) -> list[Result]:
    """Excerpts from English reports among `count` releases, as they stand, changed and translated."""
    reports = {f"r{number}": made.report(random) for number in range(count - min(count // 3, len(news())))}
    others = [(f"n{number}", each.text) for number, each in enumerate(news()[: count - len(reports)])]
    real = {name: "\n\n".join(each["en"]) for name, each in demo().items()}
    texts = {name: each.text("en") for name, each in reports.items()}
    fresh = {f"p{number}": each for number, each in enumerate(fresh_paragraphs())}
    longer = {name: f"{made.report(random).text('en')}\n\n{each['en']}" for name, each in fresh.items()}
    traces = index(folder / "excerpts.db", [*texts.items(), *others, *real.items(), *longer.items()])
    chosen = random.sample(sorted(texts), leaks)
    cut = {name: made.excerpt(texts[name], SHARE, random) for name in chosen}
    changes: dict[str, Callable[[str], str]] = {
        "as it stands": lambda text: text,
        "retyped, 5 % of words with typos": lambda text: made.with_typos(text, 0.05, random),
        "reformatted": lambda text: made.reformatted(text, random),
        "sentences reordered": lambda text: made.reordered(text, random),
        "lightly paraphrased": lambda text: made.paraphrased(text, random),
        "all of these": lambda text: made.reformatted(
            made.reordered(made.paraphrased(made.with_typos(text, 0.05, random), random), random), random
        ),
    }
    out = [
        trial(what, traces, [(name, change(text)) for name, text in cut.items()])
        for what, change in changes.items()
    ]
    for language in made.LANGUAGES[1:]:
        said = [(name, made.excerpt(reports[name].text(language), SHARE, random)) for name in chosen]
        out.append(trial(f"translated, {language} of en", traces, said))
    out += [_passages(what, size, traces, ("uk", "ru")) for size, what in _PASSAGES]
    told = [(name, each[language]) for name, each in fresh.items() for language in ("uk", "ru")]
    out.append(trial("fresh paragraphs without figures, to uk, ru", traces, told))
    two = [(name, cut[name] + "\n\n" + cut[other]) for name, other in pairwise(chosen)]
    both = sum(
        {name, other} <= {source.best.form for source in _sources(traces, leak)}
        for (name, leak), other in zip(two, chosen[1:], strict=False)
    )
    out.append(Result("two reports mixed, both found", len(two), both, 0, len(two) - both))
    return out


def _sources(traces: Traces, leak: str) -> tuple[likeness.Source, ...]:
    return likeness.candidates(traces, features(leak))


_PASSAGES = ((1, "demo's, translated to uk, ru: a paragraph"), (2, "two paragraphs"), (9, "whole"))
_SHORTEST = 40
"""Words of a passage."""


def _passages(what: str, size: int, traces: Traces, languages: Iterable[str]) -> Result:
    """Passages of so many paragraphs of the demo's reports in languages that are not indexed."""
    passages = (
        (name, "\n\n".join(each[language][at : at + size]))
        for name, each in demo().items()
        for language in languages
        for at in range(max(len(each[language]) - size, 0) + 1)
    )
    return trial(what, traces, [each for each in passages if len(each[1].split()) >= _SHORTEST])


def demo_translations(folder: Path) -> list[Result]:
    """Passages of the demo's reports, all six ways, where the index holds nothing but these reports."""
    found: dict[str, list[Result]] = {}
    for base in made.LANGUAGES:
        texts = ((name, "\n\n".join(each[base])) for name, each in demo().items())
        traces = index(folder / f"demo-{base}.db", texts)
        for size, what in _PASSAGES:
            others = [language for language in made.LANGUAGES if language != base]
            found.setdefault(what, []).append(_passages(what, size, traces, others))
    return [
        Result(
            f"{what.replace(' to uk, ru', '')}, among 16 only",
            *map(sum, zip(*(each[1:] for each in results), strict=True)),
        )
        for what, results in found.items()
    ]


# --- Unrelated texts ----------------------------------------------------------------------------------


def unrelated(folder: Path, count: int, leaks: int, random: Random) -> list[Result]:
    """Leaks that come from no release: whole articles and reports. *Right* is to name none."""
    articles, out = news(), []
    reports = [(f"r{number}", made.report(random).text("en")) for number in range(count)]
    traces, held = index(folder / "unrelated.db", reports), dict(reports)
    fresh = [made.report(random).text("en") for _ in range(leaks)]
    out.append(_unrelated("invented reports among others", traces, held, fresh))
    if not articles:
        return out
    chosen = random.sample(articles, min(leaks, len(articles)))
    out.append(_unrelated("news among invented reports", traces, held, [each.text for each in chosen]))
    articles = random.sample(articles, min(10 * leaks, len(articles)))
    topics = sorted({each.topic for each in articles})
    other, same = [], []
    for number, topic in enumerate(topics):
        of_topic = [each.text for each in articles if each.topic == topic]
        cut = min(leaks // len(topics), len(of_topic) // 2)
        asked, kept = of_topic[:cut], of_topic[cut:]
        for name, given, results in (
            ("other", [each.text for each in articles if each.topic != topic], other),
            ("same", kept, same),
        ):
            held = {str(n): text for n, text in enumerate(given)}
            traces = index(folder / f"{name}-{number}.db", held.items())
            results.append(_unrelated(topic, traces, held, asked))
    for what, results in (("other subjects", other), ("the same subject", same)):
        sums = [sum(getattr(each, part) for each in results) for part in ("count", "right", "lead")]
        out.append(Result(f"news among news of {what}", *sums, 0))
    return out


def _unrelated(what: str, traces: Traces, held: Mapping[str, str], texts: Sequence[str]) -> Result:
    """`held`: the texts of the index. As a lead counts what was copied."""
    found = [(text, sources[0].best.form) for text in texts if (sources := _sources(traces, text))]
    copied = sum(_is_copied(held[form], text) for text, form in found)
    return Result(what, len(texts), len(texts) - len(found), copied, 0)


def _is_copied(base: str, leak: str) -> bool:
    runs = (leak[match.leak : match.leak + match.leak_size] for match in likeness.align(base, leak))
    return any(len(run.split()) >= _COPIED for run in runs)


# --- Speed ----------------------------------------------------------------------------------------------


class Speed(NamedTuple):
    """Of one index. CPU seconds, for the machine may be busy; bytes."""

    forms: int
    add: float
    """A page, features and all, CPU milliseconds."""
    page: float
    long: float
    """To look up a fifth of a page, and a text of 100,000 letters."""
    size: int
    peak: int


def speed(folder: Path, forms: int, random: Random) -> Speed:
    """An index of so many forms."""
    texts = [made.report(random).text(made.LANGUAGES[number % 3]) for number in range(1500)]
    for text in texts[:300]:
        likeness.features(text)  # letters and names are read for the first time
    path = folder / f"speed-{forms}.db"
    traces = Traces(path, version=likeness.VERSION)
    start = time.process_time()
    for number, text in enumerate(texts[300:]):
        traces.add([(f"f{number}", likeness.features(text).stored())])
    add = (time.process_time() - start) / (len(texts) - 300)
    traces.add(_clones([likeness.features(text).stored() for text in texts], forms - len(texts) + 300))
    leak = made.excerpt(texts[700], SHARE, random)
    long = "\n\n".join(texts[300:360])[:100_000]
    times = []
    for text in (leak, long):
        start = time.process_time()
        found = likeness.candidates(traces, likeness.features(text))
        times.append(time.process_time() - start)
        if not found:
            raise SystemExit("nothing was found")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    size = sum(file.stat().st_size for file in folder.glob(path.name + "*"))
    return Speed(forms, 1000 * add, times[0], times[1], size, peak)


def _clones(stored: Sequence[bytes], count: int) -> Iterator[tuple[str, bytes]]:
    """As many forms: those that are given, with other codes for what few of them hold."""
    codes = [np.frombuffer(each, "<u4") for each in stored]
    values, counts = np.unique(np.concatenate(codes), return_counts=True)
    common = values[counts > len(codes) / 50]
    is_rare = [~np.isin(each, common) for each in codes]
    generator = np.random.default_rng(1)
    for number in track(range(count), "forms", transient=True):
        at = number % len(codes)
        fresh = codes[at].copy()
        fresh[is_rare[at]] = generator.integers(0, 1 << 32, int(is_rare[at].sum()), dtype=np.uint32)
        yield f"c{number}", np.unique(fresh).tobytes()


# --- Tables ---------------------------------------------------------------------------------------------


SIZES = {"full": (10_000, 300), "short": (4_000, 100), "quick": (1_000, 50)}
"""Releases, and leaks of each kind."""


def table(*, size: str = "full", million: bool = False) -> Iterator[tuple[list[str], list[list[str]]]]:
    """The tables, one after the other: a head and rows each."""
    random = Random(8)
    count, leaks = SIZES[size]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        head = [f"leak, among {count:,} releases", "leaks", "right", "a right lead", "not enough", "wrong"]
        rows = [*excerpts(folder, count, leaks, random), *demo_translations(folder)]
        yield head, [each.row() for each in rows]
        found = unrelated(folder, count // 2, leaks, random)
        yield (
            ["unrelated text", "texts", "none named", "named: copied", "falsely named"],
            [_named(each) for each in found],
        )
        head = [
            "forms",
            "add a page, CPU ms",
            "a fifth of a page, CPU s",
            "100 kB, CPU s",
            "MB on disk",
            "MB in memory",
        ]
        sizes = (count, 200_000, 1_000_000) if million else (count,)
        yield head, [_shown(speed(folder, forms, random)) for forms in sizes]


def _named(result: Result) -> list[str]:
    what, count, right, copied, _, wrong = result.row()
    return [what, count, right, copied, wrong]


def _shown(speed: Speed) -> list[str]:
    figures = [f"{speed.add:.2f}", f"{speed.page:.2f}", f"{speed.long:.2f}"]
    return [f"{speed.forms:,}", *figures, f"{speed.size / 1e6:,.0f}", f"{speed.peak / 1e6:,.0f}"]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--size", choices=SIZES, default="full")
    options.add_argument(
        "--million", action="store_true", help="look up among 200,000 and 1,000,000 forms too"
    )
    options.add_argument("--markdown", action="store_true", help="for docs/likeness.md")
    chosen = options.parse_args()
    for head, rows in table(size=chosen.size, million=chosen.million):
        if chosen.markdown:
            lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
            print("\n".join("| " + " | ".join(line) + " |" for line in lines), end="\n\n")
        else:
            widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
            for line in (head, *rows):
                print("  ".join(each.ljust(width) for each, width in zip(line, widths, strict=True)))
            print()


if __name__ == "__main__":
    main()
