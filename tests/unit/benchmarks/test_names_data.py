"""The generators of the scanner's benchmark do what their names say, so that its figures mean something."""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from random import Random

import pytest
from rapidfuzz.distance import OSA

from benchmarks.names_data.corpus import Document, Mention, score
from benchmarks.names_data.decoys import PARTS, decoys
from benchmarks.names_data.disguises import DISGUISES, INVISIBLE, LOOK_ALIKE, Disguise, Subject, disguise
from benchmarks.names_data.identifiers import MAKERS, documents, identifiers
from benchmarks.names_data.romanise import STANDARDS, romanise

BY_NAME = {each.name: each for each in DISGUISES}
TEXT = (
    "Вчора Олександр Дубогляд, він же Дубогляд, і Ганна Кривописька були біля ставу. "
    "Олександра Дубогляда бачили."
)


def mention(start: int, surface: str, lemma: str, identity: str) -> Mention:
    assert TEXT[start : start + len(surface)] == surface
    return Mention(start, start + len(surface), surface, lemma, identity)


DOCUMENT = Document(
    "ponds",
    "uk",
    TEXT,
    (
        mention(80, "Олександра Дубогляда", "Олександр Дубогляд", "PER-A"),
        mention(6, "Олександр Дубогляд", "Олександр Дубогляд", "PER-A"),
        mention(33, "Дубогляд", "Дубогляд", "PER-A"),
        mention(45, "Ганна Кривописька", "Ганна Кривописька", "PER-B"),
    ),
)


def spelt(how: Disguise, seed: int = 0, surface: str = "Олександр Дубогляд", lang: str = "uk") -> str | None:
    return how.apply(Subject(surface, surface, lang, 1, Random(seed)))


@pytest.mark.parametrize("how", DISGUISES, ids=lambda how: how.name)
def test_offsets_follow_the_disguise(how: Disguise) -> None:
    changed_text, changed = disguise(DOCUMENT, 5, {"PER-A", "PER-B"}, how, Random(1))
    for at, (before, after) in enumerate(zip(DOCUMENT.mentions, changed_text.mentions, strict=True)):
        now = changed_text.text[after.start : after.end]
        if (5, at) in changed:
            assert before.full
            assert now != (how.rest or str)(before.surface) or how.rest is not None
        else:
            assert now == (how.rest or str)(before.surface)
    if how.rest is None and not changed:
        assert changed_text.text == TEXT
    again = disguise(DOCUMENT, 5, {"PER-A", "PER-B"}, how, Random(1))
    assert again == (changed_text, changed)


def test_persons_out_of_the_vault_stay_as_they_are() -> None:
    changed_text, changed = disguise(DOCUMENT, 0, {"PER-B"}, BY_NAME["ALL CAPS"], Random(1))
    assert changed == [(0, 3)]
    assert changed_text.text == TEXT.replace("Ганна Кривописька", "ГАННА КРИВОПИСЬКА")


@pytest.mark.parametrize("seed", range(40))
def test_what_hides_can_be_undone(seed: int) -> None:
    name = "Олександр Дубогляд"
    for word in ("zero-width characters", "soft hyphens"):
        hidden = spelt(BY_NAME[word], seed)
        assert hidden not in (None, name)
        assert "".join(char for char in hidden or "" if char not in (*INVISIBLE, "\u00ad")) == name
    assert unescape(spelt(BY_NAME["HTML entities"], seed) or "") == name
    for word in ("HTML tags around the words", "HTML tags inside a word"):
        assert re.sub("<[^>]*>", "", spelt(BY_NAME[word], seed) or "") == name
    assert (
        re.sub(r"[*_~`\[]|\]\([^)]*\)", "", spelt(BY_NAME["Markdown emphasis around the words"], seed) or "")
        == name
    )
    assert re.sub("-\n", "", spelt(BY_NAME["hyphenated over a line break"], seed) or "") == name


@pytest.mark.parametrize("seed", range(40))
def test_homoglyphs_make_mixed_words(seed: int) -> None:
    name = "Олександр Дубогляд"
    new = spelt(BY_NAME["homoglyphs in every word"], seed) or ""
    assert len(new) == len(name)
    for before, after in zip(name.split(), new.split(), strict=True):
        changed = [b for a, b in zip(before, after, strict=True) if a != b]
        assert 1 <= len(changed) <= 2
        assert all(LOOK_ALIKE[b] in before for b in changed)
        assert {unicodedata.name(letter).split()[0] for letter in after} == {"CYRILLIC", "LATIN"}


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("kind", ["substitution", "deletion", "insertion", "transposition"])
def test_a_typo_is_one_edit(kind: str, seed: int) -> None:
    new = spelt(BY_NAME[f"typo: {kind}"], seed)
    assert new is None or OSA.distance(new, "Олександр Дубогляд") == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lower case", "олександр дубогляд"),
        ("l e t t e r - s p a c e d, three spaces between words", "О л е к с а н д р   Д у б о г л я д"),
        ("line break between the words", "Олександр\nДубогляд"),
        ("HTML, entity of a no-break space between the words", "Олександр&nbsp;Дубогляд"),
        ("initial, space", "О. Дубогляд"),
        ("initial, no space", "О.Дубогляд"),
        ("surname, then initial", "Дубогляд О."),
        ("swapped order", "Дубогляд Олександр"),
        ("Surname, First", "Дубогляд, Олександр"),
        ("surname alone after a full name", "Дубогляд"),
        ("romanised: national 2010", "Oleksandr Dubohliad"),
    ],
)
def test_disguises_by_example(name: str, expected: str) -> None:
    assert spelt(BY_NAME[name]) == expected


def test_a_patronymic_agrees_with_the_person() -> None:
    assert re.fullmatch(r"Олександр \w+ович Дубогляд", spelt(BY_NAME["patronymic inserted"]) or "")
    woman = spelt(BY_NAME["patronymic inserted"], surface="Ганна Кривописька")
    assert re.fullmatch(r"Ганна \w+івна Кривописька", woman or "")


def test_particles() -> None:
    for particled in ("Отто фон дер Дубогляд", "Отто уль-Дубогляд"):
        assert spelt(BY_NAME["particle added"], surface=particled) is None
        respelt = {spelt(BY_NAME["particle respelt"], seed, particled) for seed in range(9)}
        assert len(respelt - {None}) > 1
    assert spelt(BY_NAME["particle dropped"], surface="Отто аль-Дубогляд") == "Отто Дубогляд"


@pytest.mark.parametrize(
    ("lang", "standard", "cyrillic", "latin"),
    [
        # The examples of the Ukrainian resolution of 2010 and of the Bulgarian act of 2009.
        ("uk", "national 2010", "Згорани", "Zghorany"),
        ("uk", "national 2010", "Єнакієве", "Yenakiieve"),
        ("uk", "national 2010", "Їжакевич", "Yizhakevych"),
        ("uk", "national 2010", "Короп'є", "Koropie"),
        ("uk", "national 2010", "Щербухи", "Shcherbukhy"),
        ("uk", "BGN/PCGN 1965", "Щаслива Ґава", "Shchaslyva Gava"),
        ("uk", "ISO 9", "Їжакевич", "Ïžakevič"),
        ("uk", "scholarly", "Юрій Щур", "Jurij Ščur"),
        ("uk", "newspaper", "Кривописький", "Kryvopysky"),
        ("ru", "BGN/PCGN 1947", "Егор Алексеев", "Yegor Alekseyev"),
        ("ru", "passport", "Юрий Подъячев", "Iurii Podieiachev"),
        ("ru", "passport, French-like", "Шувалов", "Chouvalov"),
        ("ru", "newspaper", "Александр Крутинский", "Alexandr Krutinsky"),
        ("bg", "national 2009", "София Къщова", "Sofia Kashtova"),
    ],
)
def test_romanisations(lang: str, standard: str, cyrillic: str, latin: str) -> None:
    assert romanise(cyrillic, lang, standard) == latin


def test_every_letter_is_romanised() -> None:
    alphabets = {"uk": "щїєґью", "ru": "щёъыэью", "bg": "щъью"}
    for lang, standards in STANDARDS.items():
        for standard in standards:
            assert not re.search("[а-яёєіїґ]", romanise(alphabets[lang], lang, standard)), (lang, standard)


@pytest.mark.parametrize("lang", PARTS)
def test_decoys_are_different_and_nobody(lang: str) -> None:
    real = next(decoys(lang, 1, ()))
    made = list(decoys(lang, 3000, [real.upper()]))
    assert len({name.casefold() for name in made}) == 3000
    assert real not in made
    assert made == list(decoys(lang, 3000, [real]))
    assert all(len(name.split()) == 2 for name in made)


@pytest.mark.parametrize("kind", MAKERS)
def test_identifiers_stand_where_their_mention_says(kind: str) -> None:
    held = identifiers(MAKERS[kind], 5, Random(1))
    made = list(documents(held, "uk", Random(2)))
    assert len(made) == sum(len(one.spellings) for one in held.values())
    for name, document in made:
        (only,) = document.mentions
        assert document.text[only.start : only.end] == held[only.id].spellings[name]


def test_the_scoring_rule() -> None:
    hits = [[(10, 20, "PER-A"), (10, 20, "PER-B"), (33, 41, "PER-B"), (60, 70, "PER-A"), (99, 100, "PER-A")]]
    counted = score([DOCUMENT], hits, {"PER-A", "PER-B"})
    assert counted.full == (2, 3)
    assert counted.one == (0, 1)
    assert counted.pairs == (1, 2)
    assert counted.spans == (2, 4)
    assert counted.found == {(0, 0), (0, 1)}
    assert [span[:2] for _, span in counted.wrong] == [(33, 41), (60, 70)]
    assert score([DOCUMENT], hits, {"PER-B"}).full == (0, 1)
