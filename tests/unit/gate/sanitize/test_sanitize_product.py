"""The texts of a product together: what is owed, flags, seams."""

from __future__ import annotations

import time
from datetime import date

import pytest

from tearline.gate.sanitize import CODES, DONE, Sanitized, sanitize
from tearline.scan import Disposition, Hit
from tearline.terms import BadInput
from tearline.vault.source import Obligations, PlaceGrain, TimeGrain

DAY = date(2026, 10, 20)
NAME = "Sorvat"


def made(*texts: str, language: str = "en", day: date = DAY, **owed: Obligations) -> Sanitized:
    """Each "Sorvat" is HERON's."""
    hits = [
        [
            Hit(at, at + 6, "HERON", 1.0, Disposition.HOLD, "exact")
            for at in range(len(text))
            if text.startswith(NAME, at)
        ]
        for text in texts
    ]
    return sanitize(texts, hits, owed, language=language, day=day)


def codes(result: Sanitized) -> list[str]:
    return [flag.code for flag in result.flags]


def test_texts_without_a_source_keep_their_times() -> None:
    text = "At 04:40 on 13 October 2026 (46.2183° N, 45.6071° E) he said “no”."
    result = made(text, HERON=Obligations())
    assert result == Sanitized(texts=(text,), done=({},), flags=(), sources=())


def test_one_source_coarsens_every_text_title_included() -> None:
    result = made(
        "Convoy, 13 October 2026", "Sorvat left at 04:40.", HERON=Obligations(time=TimeGrain.QUARTER)
    )
    assert result.texts == ("Convoy, the fourth quarter of 2026", "A source left.")
    assert result.done == ({"date": 1}, {"mask": 1, "clock": 1})
    assert not result.flags


def test_the_coarsest_of_what_several_sources_are_owed_counts() -> None:
    text = "Sorvat met Bo on 13 October 2026 (46.2183° N, 45.6071° E)."
    hits = [
        Hit(0, 6, "HERON", 1.0, Disposition.HOLD, "exact"),
        Hit(11, 13, "PIKE", 1.0, Disposition.HOLD, "exact"),
    ]
    owed = {
        "HERON": Obligations(time=TimeGrain.YEAR, place=PlaceGrain.EXACT),
        "PIKE": Obligations(time=TimeGrain.EXACT, place=PlaceGrain.DISTRICT),
        "WREN": Obligations(place=PlaceGrain.COUNTRY),
    }
    result = sanitize([text], [hits], owed, language="en", day=DAY)
    assert result.texts == ("A source met another source in 2026 (46° N, 46° E).",)
    assert result.sources == ("HERON", "PIKE")


def test_a_source_whose_obligations_are_not_known_is_owed_the_coarsest() -> None:
    result = made("Sorvat left on 13 October 2026 from 46.2183, 45.6071.")
    assert result.texts == ("A source left in 2026 in the area.",)
    assert codes(result) == ["sanitize.unknown-source"]


def test_expired_obligations_are_flagged() -> None:
    owed = Obligations(expires=date(2026, 10, 19))
    assert codes(made("Sorvat left.", HERON=owed)) == ["sanitize.expired"]
    assert codes(made("Sorvat left.", HERON=owed, day=date(2026, 10, 19))) == []


def test_a_language_without_rules_is_flagged() -> None:
    assert codes(made("Sorvat wyjechał.", language="pl", HERON=Obligations())) == ["sanitize.language"]


@pytest.mark.parametrize(
    "text",
    [
        "Sorvat left yesterday evening.",
        "Sorvat прибув учора о 5.",
        "Sorvat приехал вчера в пять часов.",
        "Sorvat left at half past four.",
        "Sorvat came the day before.",
        "Sorvat came at noon.",
        "Sorvat прибув о п'ятій годині.",
        "Sorvat lived at 16 Vyshneva Street.",
        "Sorvat came on the thirteenth of October.",
        "Sorvat прибув тринадцятого жовтня.",
        "Sorvat came in early May 2026 and 2026-W42.",
        "Sorvat left the village of Tykhorud.",
        "Sorvat чекав у Тихороді.",
        "Sorvat прибув 13 числа.",
        "Sorvat waited 27 km from there.",
    ],
)
def test_what_coarsening_cannot_rewrite_is_referred(text: str) -> None:
    owed = Obligations(time=TimeGrain.MONTH, place=PlaceGrain.REGION)
    result = made(text, HERON=owed)
    assert set(codes(result)) & {"sanitize.finer", "sanitize.place-name"}
    assert result.reasons(6)[0].check == 6


@pytest.mark.parametrize(
    "text",
    [
        "He met Sorvat: “two of us know”.",
        "Sorvat: «знаємо двоє».",
        "He told Sorvat 'we go'.",
        "Sorvat „двоє“.",
        'Sorvat "two".',
        "Sorvat came.\n— Знаємо двоє.",
        "Sorvat said: only two know.",
        "Sorvat сказав: — Йдемо.",
        "A stray “ mark of Sorvat.",
    ],
)
def test_quoted_words_are_flagged(text: str) -> None:
    owed = Obligations(time=TimeGrain.EXACT, place=PlaceGrain.EXACT)
    assert set(codes(made(text, HERON=owed))) == {"sanitize.quote"}
    plain = made("Sorvat's men don't know it: the road is shut; 5\" pipes.", HERON=owed)
    assert codes(plain) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2. The road is shut (see paragraphs 3 and 4).", "The road is shut."),
        ("As stated in paragraph 2, the road is shut.", "The road is shut."),
        ("Дорогу закрито, див. п. 3 вище.", "Дорогу закрито."),
        ("(7) Дорога закрыта (см. пункт 3).", "Дорога закрыта."),
        ("They hold:\n3. boats\n5. nets\n9. oars", "They hold:\n1. boats\n2. nets\n3. oars"),
        ("The road [...] is  shut , now ().", "The road is shut, now."),
        ("3. 34 vehicles left.", "34 vehicles left."),
        ("13. 10. 2026 was calm.", "13. 10. 2026 was calm."),
    ],
)
def test_numbers_and_gaps_do_not_show(before: str, after: str) -> None:
    assert made(before).texts == (after,)


def test_a_reference_that_is_a_part_of_its_sentence_is_flagged() -> None:
    assert codes(made("Paragraph 3 explains it.")) == ["sanitize.reference"]


def test_flags_say_where_in_the_result() -> None:
    owed = Obligations(time=TimeGrain.MONTH, place=PlaceGrain.EXACT)
    result = made("Calm.", "At 04:40 Sorvat left yesterday.", HERON=owed)
    (flag,) = result.flags
    assert (flag.text, result.texts[1][flag.start : flag.end]) == (1, "yesterday")


def test_hits_that_do_not_belong_to_the_texts_are_refused() -> None:
    hit = Hit(3, 9, "HERON", 1.0, Disposition.HOLD, "exact")
    for texts, hits in ((["short"], [[hit]]), (["long enough"], [])):
        with pytest.raises(BadInput) as refusal:
            sanitize(texts, hits, {}, language="en", day=DAY)
        assert "short" not in str(refusal.value)


def test_words_for_officers_hold_no_content() -> None:
    result = made("Sorvat said: “no”.", HERON=Obligations())
    assert set(result.done[0]) <= DONE.keys()
    assert set(codes(result)) <= CODES.keys()
    assert "no" not in str(result.reasons(6)).replace("none", "").split("'")


@pytest.mark.parametrize("piece", ['"', "a.", "1", "10-10-", "(", "13 October "])
def test_a_hostile_text_takes_no_time(piece: str) -> None:
    """Linear in its length: each of these took a minute or more where a pattern was not."""
    text = NAME + " " + piece * (20_000 // len(piece))
    began = time.process_time()
    made(text, HERON=Obligations(time=TimeGrain.YEAR, place=PlaceGrain.COUNTRY))
    assert time.process_time() - began < 8
