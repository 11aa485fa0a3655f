"""Who is named as a source, and who is not."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

import numpy as np
import pytest

from benchmarks import trace_align
from benchmarks import trace_reports as made
from tearline.trace import likeness
from tearline.trace.likeness import concepts, ranking
from tearline.trace.likeness.features import FACT
from tearline.trace.likeness.words import Ints


class Answer(NamedTuple):
    size: int
    counts: Ints
    shared: Mapping[str, Ints]
    lengths: Mapping[str, float]


class Shelf:
    """An index in memory, without a limit."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._forms = {
            name: np.frombuffer(likeness.features(text).stored(), "<u4") for name, text in texts.items()
        }

    def candidates(self, features: likeness.Features, limit: int) -> Answer:
        shared = {form: np.flatnonzero(np.isin(features.codes, codes)) for form, codes in self._forms.items()}
        counts = np.bincount(np.concatenate([*shared.values()]), minlength=len(features.codes))
        mean = sum(map(len, self._forms.values())) / len(self._forms)
        return Answer(len(shared), counts, shared, {form: len(c) / mean for form, c in self._forms.items()})


RANDOM = Random(5)
REPORTS = {f"r{number}": made.report(RANDOM) for number in range(120)}
TEXTS = {name: each.text("en") for name, each in REPORTS.items()}
SHELF = Shelf(TEXTS)


def named(leak: str, shelf: Shelf = SHELF) -> list[str]:
    return [source.best.form for source in likeness.candidates(shelf, likeness.features(leak))]


def part(name: str, language: str = "en", paragraphs: slice = slice(1, 3)) -> str:
    return "\n\n".join(REPORTS[name].text(language).split("\n\n")[paragraphs])


@pytest.mark.parametrize("language", made.LANGUAGES)
def test_the_report_is_named_in_every_language(language: str) -> None:
    assert [named(part(f"r{n}", language)) for n in range(10)] == [[f"r{n}"] for n in range(10)]


def test_a_mix_names_every_report_in_it() -> None:
    assert set(named("\n\n".join(part(f"r{n}") for n in range(3, 6)))) == {"r3", "r4", "r5"}


def test_a_short_passage_does_not_drown_in_a_long_text() -> None:
    noise = "\n\n".join(made.report(RANDOM).text("en") for _ in range(40))
    assert named(noise[:30_000] + "\n\n" + part("r7") + "\n\n" + noise[30_000:]) == ["r7"]


def test_unrelated_texts_name_nobody() -> None:
    assert [named(made.report(RANDOM).text(made.LANGUAGES[n % 3])) for n in range(20)] == [[]] * 20
    assert named("") == named("Nothing here.") == named("42 " * 1000) == []


def test_an_empty_index_names_nobody() -> None:
    features = likeness.features(TEXTS["r0"])
    empty = Answer(0, np.zeros(len(features.codes), np.int64), {}, {})
    assert likeness.ranked(features, empty) == ()


def test_forms_that_say_the_same_are_alternatives_of_the_fullest() -> None:
    short = part("r1")
    shelf = Shelf({**TEXTS, "r1-tearline": short, "r1-again": TEXTS["r1"]})
    (source,) = likeness.candidates(shelf, likeness.features(TEXTS["r1"]))
    assert source.best.form in {"r1", "r1-again"}
    assert {each.form for each in source.alternatives} == {"r1", "r1-again", "r1-tearline"} - {
        source.best.form
    }
    assert source.margin == 0
    (source,) = likeness.candidates(shelf, likeness.features(short))
    assert {source.best.form, *(each.form for each in source.alternatives)} == {
        "r1",
        "r1-again",
        "r1-tearline",
    }


def test_in_an_index_of_two_both_forms_of_a_text_are_found() -> None:
    shelf = Shelf({"whole": TEXTS["r3"], "tearline": part("r3")})
    (source,) = likeness.candidates(shelf, likeness.features(TEXTS["r3"]))
    assert (source.best.form, [each.form for each in source.alternatives]) == ("whole", ["tearline"])


def test_a_lead_is_weaker_than_a_finding() -> None:
    few = " ".join(TEXTS["r2"].split()[10:22])
    features = likeness.features(few)
    sure, leads = (ranking.candidates(SHELF, features, enough=enough) for enough in (likeness.ENOUGH, 100.0))
    assert len(sure) <= len(leads)
    assert all(source.best.chance <= likeness.ENOUGH for source in sure)


def test_the_bound_holds_where_features_are_independent() -> None:
    """Of many random forms not more reach a score than the bound says."""
    generator, size, forms, count = np.random.default_rng(1), 10_000, 20_000, 60
    at = np.arange(count)
    codes, kept = at.astype(np.uint32), np.ones(count, np.bool_)
    kind = np.full(count, FACT, np.uint8)
    features = likeness.Features(codes, at, at + 1, np.full(count, 0.01), kept, kind, count)
    counts = generator.integers(2, 2000, count)
    chances = features.chances(counts, size)
    held = {str(n): np.flatnonzero(generator.random(len(chances)) < chances) for n in range(forms)}
    answer = Answer(size, counts, held, dict.fromkeys(held, 1.0))
    bound = ranking._Chance(features, answer, False, 1.0)
    bounds = np.array([*map(bound, ranking._evidence(features, answer))]) / size
    assert bounds.min() < 0.003
    for level in (0.3, 0.1, 0.03, 0.01, 0.003, 0.001):
        assert (bounds <= level).mean() <= level


def on_one_subject(random: Random) -> str:
    """Twenty sentences about the same few people, places and days; in every language the same facts."""
    names = ["Zhytvyn", "Sorvat", "Ternorud", "Sukhra", "Dobrank", "Kelmin", "Vostrik", "Brinov", "Garmast"]
    names += ["Polshin", "Drevnik", "Chastov", "Mirzan", "Helvort", "Tarnuv", "Zubrest", "Lomkan", "Skvirov"]
    some = random.sample(names, 10)
    days = random.sample(range(1, 29), 3)
    said = ((random.choice(some), random.choice(VERBS), random.choice(some)) for _ in range(20))
    return " ".join(f"{' '.join(words)} am {random.choice(days)} October." for words in said)


VERBS = [made._name(RANDOM)["en"].lower() for _ in range(300)]


def test_a_subject_in_common_is_no_source() -> None:
    """By chance alone many of these would be named."""
    random = Random(2)
    shelf = Shelf({**TEXTS, **{f"s{n}": on_one_subject(random) for n in range(40)}})
    leaks = [on_one_subject(random) for _ in range(20)]
    assert sum(bool(named(leak, shelf)) for leak in leaks) <= 1
    alone = [ranking.ranked(f, shelf.candidates(f, 0), enough=1e9) for f in map(likeness.features, leaks)]
    assert sum(sources[0].best.chance <= likeness.ENOUGH for sources in alone if sources) >= 5


PASSAGES = trace_align.fresh_paragraphs()


def test_a_paragraph_without_a_figure_or_a_name_is_found_in_translation() -> None:
    texts = {f"p{n}": f"{TEXTS[f'r{n}']}\n\n{each['en']}" for n, each in enumerate(PASSAGES)}
    shelf = Shelf({**TEXTS, **texts})
    told = [(f"p{n}", each[language]) for n, each in enumerate(PASSAGES) for language in ("uk", "ru")]
    found = [named(leak, shelf) for _, leak in told]
    right = sum(names == [form] for names, (form, _) in zip(found, told, strict=True))
    assert right >= 16
    assert found.count([]) == len(told) - right
    assert [named(leak) for _, leak in told[::4]] == [[]] * 5


def test_what_words_mean_counts_between_languages_only() -> None:
    """In one language a text on the same subject with the same words, all in another order, is no source."""
    random = Random(4)
    said = {name: each.text("uk") for name, each in REPORTS.items()}
    texts = {f"p{n}": f"{said[f'r{n}']}\n\n{each['uk']}" for n, each in enumerate(PASSAGES)}
    shelf = Shelf({**said, **texts})
    for each in PASSAGES:
        words = each["uk"].lower().replace(".", "").replace(",", "").split()  # no capital: no name
        random.shuffle(words)
        assert named(" ".join(words), shelf) == []


def test_a_long_form_is_not_named_for_its_length() -> None:
    """A book holds every meaning; it is no source of what none of the shorter forms holds either."""
    book = "\n\n".join(f"{each['en']} {TEXTS[f'r{n}']}" for n, each in enumerate(PASSAGES[1:] * 3))
    vocabulary = " ".join({word for word in concepts._vocabulary()[0] if word.isascii()})
    shelf = Shelf({**TEXTS, "book": book + " The end of it was that: " + vocabulary})
    assert [named(PASSAGES[0][language], shelf) for language in ("uk", "ru")] == [[], []]
