"""Words that say the same have one key, in three languages; and a text's language is known."""

from __future__ import annotations

import pytest

from tearline.terms import BadInput
from tearline.trace.likeness.concepts import languages, meanings, parse
from tearline.trace.likeness.words import Words


def keys(text: str) -> list[str]:
    return [key for _, key, _ in meanings(Words(text))]


@pytest.mark.parametrize(
    "said",
    [
        ("bridges", "мостами", "мостов"),
        ("satellites", "супутниками", "спутников"),
        ("encrypted", "зашифрували", "зашифрованы"),
        ("smuggling", "контрабанду", "контрабандой"),
        ("railway", "залізниці", "железной"),
        ("wounded", "поранених", "раненых"),
        # Not in the vocabulary: by their consonants.
        ("bulldozers", "бульдозерами", "бульдозеров"),
        ("laboratories", "лабораторією", "лабораторий"),
    ],
)
def test_what_says_the_same_has_the_same_key(said: tuple[str, str, str]) -> None:
    found = [keys(word) for word in said]
    assert found[0]
    assert found[0] == found[1] == found[2]


def test_words_that_say_nothing_have_no_key() -> None:
    assert keys("which were from those або щоб также 1340 12 km") == []


def test_other_things_have_other_keys() -> None:
    assert len(set(keys("port portion portrait station state train training"))) > 4


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The depot was seen by a patrol and is closed.", ("en",)),
        ("Склад був закритий, і патруль це бачив, як і раніше.", ("uk",)),
        ("Склад был закрыт, и патруль это видел, что и раньше.", ("ru",)),
        ("Складът е закрит и патрулът не го е видял, че да съобщи.", ("bg",)),
        ("The depot was closed and seen. Склад був закритий, і його видно з дороги.", ("en", "uk")),
        ("Один склад", ("bg", "ru", "uk")),
        ("12:40", ("bg", "cs", "en", "pl", "ru", "sl", "uk")),
    ],
)
def test_languages_are_known_by_common_words(text: str, found: tuple[str, ...]) -> None:
    assert languages(Words(text)) == found


def test_a_word_in_two_lines_is_refused() -> None:
    assert parse("bridge міст\n# a comment\n\nroad дорог", "v")[1] == {"міст": "bridge", "дорог": "road"}
    with pytest.raises(BadInput, match="twice"):
        parse("bridge міст\ntown міст", "v")
