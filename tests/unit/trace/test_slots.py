"""Slots in text: what is found and what is never touched, from `tests/vectors/slots`; write, keys, `off`."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from tearline.terms import BadInput
from tearline.trace import slots
from tearline.trace.slots import lexicon
from tearline.trace.terms import SlotKind

ROOT = Path(__file__).parents[3]
VECTORS = sorted((ROOT / "tests" / "vectors" / "slots").glob("*.toml"))
REPORTS = sorted((ROOT / "src" / "tearline" / "demo" / "reports").glob("*.md"))
TEXT = "Somebody bought fuel because of the cold. Nobody saw it on 25 October."


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vector(path: Path) -> None:
    case = tomllib.loads(path.read_text("utf-8"))
    text = case["text"]
    found = slots.find(text, case["language"], product="vector")
    told = [
        [slot.entry, text[slot.start : slot.end], *(set(slot.options) - {text[slot.start : slot.end]})]
        for slot in found
    ]
    assert told == case["slots"]


def test_there_are_vectors() -> None:
    assert len(VECTORS) > 30


def test_key_is_of_product_sentence_kind_and_place() -> None:
    (one, *_, date) = slots.find(TEXT, "en", product="p")
    kinds = Counter(slot.kind for slot in slots.find(TEXT, "en", product="p"))
    assert kinds == {SlotKind.SYNONYM: 4, SlotKind.DATE: 1}
    sentence = "no one saw it on 25 October."
    told = "\0".join(("p", sentence[0].upper() + sentence[1:], "date", "0"))
    assert date.key == sha256(told.encode()).hexdigest()
    assert one.key not in {slot.key for slot in slots.find(TEXT, "en", product="q")}


def test_a_sentence_has_its_slots_whatever_stands_around_it() -> None:
    alone = slots.find("Nobody saw it on 25 October.", "en", product="p")
    within = slots.find(f"(S//NF) 4. {TEXT}\n\nMore.", "en", product="p")
    assert {slot.key for slot in alone} < {slot.key for slot in within}
    assert len(alone) == 2


def test_the_number_of_a_paragraph_changes_no_key() -> None:
    plain = slots.find(TEXT, "en", product="p")
    assert [slot.key for slot in plain] == [
        slot.key for slot in slots.find(f"(//GBR S//REL TO USA) 12. {TEXT}", "en", product="p")
    ]


def test_a_sentence_that_comes_twice_has_its_slots_once() -> None:
    assert len(slots.find(f"{TEXT}\n\n{TEXT}", "en", product="p")) == len(slots.find(TEXT, "en", product="p"))


def test_kept_spans_stay_and_change_no_other_slot() -> None:
    whole = slots.find(TEXT, "en", product="p")
    less = slots.find(TEXT, "en", product="p", keep=[(10, 12)])
    assert set(whole) - set(less) == {slot for slot in whole if slot.start <= 10 < slot.end}
    assert len(whole) == len(less) + 1


@pytest.mark.parametrize("by", ["entry", "key"])
def test_an_officer_switches_off_by_entry_or_key(by: str) -> None:
    whole = slots.find(TEXT, "en", product="p")
    off = whole[1]
    less = slots.find(TEXT, "en", product="p", off={getattr(off, by)})
    assert set(whole) - set(less) == {off}


def test_a_language_without_lexicon_has_none() -> None:
    assert slots.find(TEXT, "fr", product="p") == ()
    assert slots.find("", "en", product="p") == ()


def test_write_puts_the_letters_and_leaves_the_rest() -> None:
    found = slots.find(TEXT, "en", product="p")
    bought = next(slot for slot in found if slot.entry == "en.bought")
    letter = bought.options.index("purchased")
    assert slots.write(TEXT, found, {bought.key: letter}) == TEXT.replace("bought", "purchased")
    assert slots.write(TEXT, found, {}) == TEXT


def test_describe_names_entry_kind_and_wordings() -> None:
    found = {slot.entry: slots.describe(slot) for slot in slots.find(TEXT, "en", product="p")}
    assert found["en.bought"] in {
        "en.bought (synonym): “bought” or “purchased”",
        "en.bought (synonym): “purchased” or “bought”",
    }


def test_the_base_wording_is_as_often_0_as_1() -> None:
    bits = [
        slot.options.index(text[slot.start : slot.end])
        for path in REPORTS
        for text in [path.read_text("utf-8")]
        for slot in slots.find(text, path.suffixes[0][1:], product=path.name)
    ]
    assert len(bits) > 500
    assert 0.44 < sum(bits) / len(bits) < 0.56


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.name)
def test_marks_figures_and_quotations_of_reports_stay(path: Path) -> None:
    text, language = path.read_text("utf-8"), path.suffixes[0][1:]
    found = slots.find(text, language, product="p")
    for bit in (0, 1):
        copy = slots.write(text, found, dict.fromkeys((slot.key for slot in found), bit))
        for pattern in (
            r"\([^()\n]*//[^()\n]*\)",
            r"«[^»]*»|\"[^\"\n]*\"",
            r"\d\d:\d\dZ?",
            r"\S*\w\.\w{2,}\S*",
        ):
            assert re.findall(pattern, copy) == re.findall(pattern, text)


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.name)
def test_figures_stay_but_for_how_they_are_written(path: Path) -> None:
    text, language = path.read_text("utf-8"), path.suffixes[0][1:]
    found = [slot for slot in slots.find(text, language, product="p") if slot.kind is not SlotKind.NUMBER]
    for bit in (0, 1):
        copy = slots.write(text, found, dict.fromkeys((slot.key for slot in found), bit))
        figures = [sorted(re.findall(r"\d", re.sub(r"\b0(?=\d )", "", each))) for each in (text, copy)]
        assert figures[0] == figures[1]


def test_every_entry_is_met_by_its_own_id() -> None:
    entries = {pair.entry for language in slots.LANGUAGES for pair in slots.pairs(language)}
    found = {
        slot.entry
        for path in REPORTS
        for slot in slots.find(path.read_text("utf-8"), path.suffixes[0][1:], product="p")
    }
    rules = {entry for entry in found if entry not in entries}
    assert {
        re.sub(r"\.(?:unit|scale)\..*", lambda m: m[0].rpartition(".")[0], rule) for rule in rules
    } <= set(slots.RULES)


@pytest.mark.parametrize("language", slots.LANGUAGES)
def test_a_lexicon_has_no_wording_in_two_pairs_without_conditions(language: str) -> None:
    free = [
        option.lower() for pair in slots.pairs(language) if not pair.conditions for option in pair.options
    ]
    assert [option for option, count in Counter(free).items() if count > 1] == []


@pytest.mark.parametrize("language", slots.LANGUAGES)
def test_no_entry_touches_words_of_likelihood(language: str) -> None:
    estimative = re.compile(
        r"\b(?:likely|probabl|unlikely|certain(?:ly)?$|confidence|ймовірн|імовірн|впевнен|упевнен|вероятн|уверенн)"
    )
    assert [
        option
        for pair in slots.pairs(language)
        for option in pair.options
        if estimative.search(option) and "a certain" not in option
    ] == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a: one", "it is no entry"),
        ("a: one = one", "it is no entry"),
        ("a: one = two | near <number>", "it is no entry"),
        ("a: one = two | next <nothing>", "it is no entry"),
        ("a: one = two\na: three = four", "its id stands twice"),
        ("[synonyms]", "it heads no kind of slot"),
    ],
)
def test_a_lexicon_with_a_fault_is_refused(line: str, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        lexicon.parse(line, "en.txt", "en")
    assert refused.value.reason == reason
    assert refused.value.place == f"line {len(line.splitlines())}"


def test_zero_width_marks_are_hidden_found_and_lost() -> None:
    text = f"{TEXT}\n\n```\nbought\n```\n"
    spots = list(slots.spots(text))
    mark = 0x81FE0042
    copy = (
        "".join(text[a:b] + slots.signs(mark) for a, b in zip([0, *spots[:-1]], spots, strict=True))
        + text[spots[-1] :]
    )
    assert len(spots) == 2
    assert slots.hidden(copy) == {mark}
    assert slots.bare(copy) == text
    assert "```\nbought\n```" in copy
    assert slots.hidden(slots.bare(copy)) == slots.hidden(copy[: copy.index("\u200d") + 3]) == set()
    assert slots.hidden(slots.signs(1) + slots.signs(2)) == {1, 2}
    assert slots.hidden(slots.signs(1) + "\u200c") == set()
    assert slots.bare("👩\u200d🌾") == "👩\u200d🌾"


def test_zero_width_marks_stand_behind_no_quotation_or_indicator_and_not_at_what_is_kept() -> None:
    text = (
        "He came at noon. “It is over. I leave.” They saw bad.example/x. The rest stayed. A source left.\n\n"
        "HANDLING: Do not pass it on. "
    )
    ends = [text[:at] for at in slots.spots(text)]
    assert [end.rsplit(". ", 1)[-1] for end in ends] == [
        "He came at noon.",
        "The rest stayed.",
        "A source left.",
    ]
    last = len(ends[-1])
    for start, end in ((last, last + 3), (last - 4, last), (last - 1, last + 1)):
        assert last not in slots.spots(text, [(start, end)])
    assert last in slots.spots(text, [(last - 14, last - 1), (last + 1, last + 9)])
