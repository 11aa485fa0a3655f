"""Which words of a base text stand in a leak, and which of its parts are covered."""

from __future__ import annotations

import time
from itertools import accumulate

import pytest

from benchmarks import trace_align
from tearline.trace.likeness import align, covered, echoed, sentences
from tearline.trace.terms import Match

BASE = (
    "At 04:40 on 13 October a column of 34 vehicles left the depot at Zhytvyn and moved north-west. "
    "It consisted of covered trucks, fuel tankers and two escort vehicles.\n\n"
    "The lead vehicle crossed the bridge over the Sukhra, 27 km from the depot, before six in the morning. "
    "A white triangle was painted on each tailgate, and drivers kept their intervals."
)
FIRST, SECOND, THIRD, FOURTH = sentences(BASE)


def said(match: Match, leak: str) -> tuple[str, str]:
    return BASE[match.base :][: match.base_size], leak[match.leak :][: match.leak_size]


def test_a_copy_is_one_match() -> None:
    size = len(BASE) - 1  # the last full stop is no word
    assert align(BASE, BASE) == (Match(0, 0, size, size),)


def test_unrelated_texts_share_nothing() -> None:
    assert align(BASE, "The quick brown fox jumps over the lazy dog while the depot sleeps.") == ()


def test_an_excerpt_is_found_inside_other_text() -> None:
    leak = "Somebody wrote this: " + BASE[FIRST[0] : FIRST[1]] + " And what do we do now?"
    (match,) = align(BASE, leak)
    assert said(match, leak) == (BASE[: FIRST[1] - 1], BASE[: FIRST[1] - 1])


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda text: text.replace(" ", "\n* "),
        lambda text: text.replace("depot", "de-\npot"),
        lambda text: text.replace("column", "c\u200bolumn").replace("Zhytvyn", "<b>Zhytvyn</b>"),
        lambda text: text.translate(str.maketrans("aeocp", "аеоср")),
        lambda text: text.replace(", ", " – ").replace("white", "whíte"),
    ],
)
def test_formatting_does_not_matter(change: object) -> None:
    assert callable(change)
    assert covered(BASE, [(0, len(BASE))], align(BASE, change(BASE))) == (1.0,)


def test_sentences_in_another_order_are_all_found() -> None:
    leak = " ".join(BASE[start:end] for start, end in (THIRD, FIRST, FOURTH, SECOND))
    assert covered(BASE, [FIRST, SECOND, THIRD, FOURTH], align(BASE, leak)) == (1.0,) * 4


def test_words_between_changed_words_are_matched() -> None:
    leak = BASE[slice(*THIRD)].replace("crossed", "passed").replace("over", "across").replace("27", "28")
    found = [said(match, leak) for match in align(BASE, leak)]
    assert found == [
        ("The lead vehicle", "The lead vehicle"),
        ("the bridge", "the bridge"),
        ("the Sukhra", "the Sukhra"),
        ("km from the depot, before six in the morning", "km from the depot, before six in the morning"),
    ]


def test_a_sentence_that_stands_elsewhere_is_not_matched_once_more_in_the_gap() -> None:
    """Its place in the leak holds some of its words, among others."""
    gap = "The late vehicle passed the bridge of the Sukhra, far from the depot."
    leak = f"{BASE[slice(*SECOND)]} {gap} {BASE[slice(*FOURTH)]} {'x ' * 50} {BASE[slice(*THIRD)]}"
    matches = align(BASE, leak)
    ends = [match.base + match.base_size for match in matches]
    assert all(end <= after.base for end, after in zip(ends[:-1], matches[1:], strict=True))
    assert covered(BASE, [SECOND, THIRD, FOURTH], matches) == (1.0, 1.0, 1.0)


def test_three_words_alone_are_no_match() -> None:
    assert align(BASE, "We know that the lead vehicle was lost.") == ()


def test_only_the_parts_that_were_leaked_are_covered() -> None:
    leak = BASE[slice(*SECOND)] + " " + BASE[THIRD[0] : THIRD[0] + 60]
    shares = covered(BASE, [FIRST, SECOND, THIRD, FOURTH], align(BASE, leak))
    assert shares[0] == shares[3] == 0
    assert shares[1] == 1
    assert 0.4 < shares[2] < 0.7


def test_what_has_no_letters_is_not_covered() -> None:
    assert covered(BASE, [(10, 10), (FIRST[1], SECOND[0])], align(BASE, BASE)) == (0.0, 0.0)


def test_a_translation_echoes_the_sentences_that_it_translates() -> None:
    leak = "О 04:40 13 жовтня колона з 34 машин вийшла зі складу в Житвині та рушила на північний захід."
    shares = echoed(BASE, [FIRST, SECOND, THIRD, FOURTH], leak)
    assert shares[0] > 0.8
    assert shares[1:] == (0.0, 0.0, 0.0)


def test_facts_that_stand_far_apart_are_no_echo() -> None:
    far = "ще щось інше. " * 60
    assert echoed(BASE, [FIRST], f"О 04:40 почалося. {far} 13 жовтня. {far} Машин 34. {far} Житвин.") == (
        0.0,
    )


def test_sentences_end_where_a_reader_ends_them() -> None:
    text = (
        "1. Dr. Sorvat came at 4.30 p.m. to the depot. He left!\n\n- a list\n- of two\nAt 46° пн. ш. і далі."
    )
    assert [text[start:end] for start, end in sentences(text)] == [
        "1. Dr. Sorvat came at 4.30 p.m. to the depot.",
        "He left!",
        "- a list",
        "- of two\nAt 46° пн. ш. і далі.",
    ]


@pytest.mark.parametrize(
    ("base", "leak"),
    [
        ("a " * 50_000, "a " * 50_000),
        ("a b c d " * 12_500, "d c b a " * 12_500),
        ("the cat sat on the mat " * 4_000, "on the mat the cat sat " * 4_000),
        (" ".join(map(str, range(16_000))), " ".join(map(str, range(15_999, -1, -1)))),
    ],
)
def test_a_hundred_kilobytes_are_aligned_in_a_moment(base: str, leak: str) -> None:
    start = time.process_time()
    align(base, leak)
    assert time.process_time() - start < 5


def test_a_paragraph_without_facts_is_echoed_by_what_its_words_mean() -> None:
    told = trace_align.fresh_paragraphs()
    base = "\n\n".join(each["en"] for each in told)
    ends = [*accumulate(len(each["en"]) + 2 for each in told)]
    spans = [(end - len(each["en"]) - 2, end - 2) for end, each in zip(ends, told, strict=True)]
    own, others, whole = [], [], []
    for language in ("uk", "ru"):
        for number, each in enumerate(told):
            shares = [*echoed(base, spans, each[language])]
            own.append(shares.pop(number))
            others += shares
            whole += echoed(base, [(0, len(base))], each[language])
    assert sum(share > 0.35 for share in own) >= 16
    assert set(others) == {0.0}
    # Of the whole text each is a small part, and yet mostly seen.
    assert sum(0 < share < 0.2 for share in whole) >= 14
    assert set(echoed(base, spans, "Сьогодні дощ, а завтра буде сонце, і всі підуть на річку.")) == {0.0}
