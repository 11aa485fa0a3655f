"""Masks: what goes with a name, and what stands in its place."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tearline.gate.sanitize import Sanitized, sanitize
from tearline.scan import Disposition, Hit
from tearline.vault.source import Obligations, PlaceGrain, TimeGrain

DAY = date(2026, 10, 20)
FREE = {"time": TimeGrain.EXACT, "place": PlaceGrain.EXACT}
OWED = {
    "HERON": Obligations(descriptor="a source with direct access", **FREE),
    "PIKE": Obligations(descriptor="a source with direct access", **FREE),
    "SORREL": Obligations(descriptor="водій колони", **FREE),
}
IDS = {"Sorvat": "HERON", "Сорват": "HERON", "Badzhara": "PIKE", "Клин": "SORREL"}


def hits(text: str, disposition: Disposition = Disposition.HOLD) -> list[Hit]:
    found = re.finditer(r"(?:(?:Hlib|Гліб\w*) )?(" + "|".join(IDS) + r")[а-яіїє]*", text)
    return [Hit(m.start(), m.end(), IDS[m[1]], 1.0, disposition, "exact") for m in found]


def made(*texts: str, language: str = "en") -> Sanitized:
    return sanitize(texts, [hits(text) for text in texts], OWED, language=language, day=DAY)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Major Hlib Sorvat left.", "A source with direct access left."),
        ("They met Mr. Sorvat; then H. P. Sorvat and the Sorvat.", "They met {}; then {} and {}."),
        ("They met Sorvat H. P., too.", "They met {}, too."),
        ("They met Sorvat’s wife and Sorvat's men.", "They met {}'s wife and {}'s men."),
        ("The commander (Sorvat, as before) spoke.", "The commander ({}) spoke."),
        ("He is known as “Sorvat” there.", "He is known as {} there."),
        ("He wrote to hlib.Sorvat@mail.example.", "He wrote to {}."),
        ("Look at https://x.example/Sorvat/1 now.", "Look at {} now."),
        ("Look at [Sorvat](http://x.example) now.", "Look at {} now."),
        ("It is Sorvat-Lymar, a <b>Sorvat</b>ov.", "It is {}, {}."),
        ("It was _Sorvat_, Lymar-Sorvat or **Sor**Sorvat.", "It was _{}_, {} or {}."),
        ("They saw Sorvat, Sorvat.", "They saw {}."),
        ("It was call sign “Sorvat”, phone: Sorvat.", "It was {}, {}."),
    ],
)
def test_what_belongs_to_a_name_goes_with_it(before: str, after: str) -> None:
    assert made(before).texts[0] == after.replace("{}", "a source with direct access")


def test_each_source_keeps_its_own_phrase_throughout() -> None:
    texts = made("Sorvat met Badzhara.", "Badzhara told Sorvat of Клин.").texts
    assert texts == (
        "A source with direct access met another source with direct access.",
        "Another source with direct access told a source with direct access of a further source.",
    ) or texts[1].endswith("another source.")
    assert len({"a source with direct access", "another source with direct access", texts[1][-17:-1]}) == 3


def test_the_descriptor_is_of_the_texts_language() -> None:
    assert made("Тут був пан Сорват.", language="uk").texts == ("Тут був джерело.",)
    assert made("Тут був Клин.", language="uk").texts == ("Тут був водій колони.",)
    assert made("Здесь был Клин.", language="ru").texts == ("Здесь был источник.",)
    assert made("Sorvat", "Тут були Сорват і він.", language="en").texts[1] == "Тут були джерело і він."


def test_a_cryptonym_in_the_text_is_masked() -> None:
    assert made("We asked HERON again.").texts == ("We asked a source with direct access again.",)


def test_a_birth_date_goes_with_its_words() -> None:
    text = "Sorvat (born 4 March 1980) left. He was born on 4 March 1980. The car stayed."
    births = [
        Hit(*m.span(), "HERON", 1.0, Disposition.REVIEW, "birth-date")
        for m in re.finditer("4 March 1980", text)
    ]
    result = sanitize([text], [hits(text) + births], OWED, language="en", day=DAY)
    assert result.texts == ("A source with direct access left. The car stayed.",)


def test_weak_hits_stay_and_are_counted() -> None:
    text = "The village of Sorvat."
    result = sanitize([text], [hits(text, Disposition.NOTE)], OWED, language="en", day=DAY)
    assert (result.texts, result.done, result.flags, result.sources) == ((text,), ({"note": 1},), (), ())


def test_what_the_scanner_would_review_is_masked_too() -> None:
    text = "Then Sorvat left."
    result = sanitize([text], [hits(text, Disposition.REVIEW)], OWED, language="en", day=DAY)
    assert result.texts == ("Then a source with direct access left.",)


def test_overlapping_hits_become_one_mask_and_a_shared_identity_is_flagged() -> None:
    text = "Then Hlib Sorvat left."
    own = [
        Hit(5, 9, "HERON", 0.9, Disposition.REVIEW, "exact"),
        Hit(5, 16, "HERON", 1.0, Disposition.HOLD, "exact"),
    ]
    assert sanitize([text], [own], OWED, language="en", day=DAY).texts == (
        "Then a source with direct access left.",
    )
    other = Hit(10, 16, "PIKE", 1.0, Disposition.HOLD, "exact")
    shared = sanitize([text], [[*own, other]], OWED, language="en", day=DAY)
    assert shared.done == ({"mask": 1},)
    assert [flag.code for flag in shared.flags] == ["sanitize.ambiguous"]
    assert shared.sources == ("HERON", "PIKE")


@pytest.mark.parametrize(
    "text", ["We saw Ilko Sorvat there.", "We saw Sorvat Petrenko there.", "Тут Ілько Сорват."]
)
def test_a_word_that_may_be_a_part_of_the_name_is_flagged(text: str) -> None:
    assert [flag.code for flag in made(text).flags] == ["sanitize.neighbour"]
    assert not made("Then Sorvat left.", "When Sorvat left, they came.").flags
