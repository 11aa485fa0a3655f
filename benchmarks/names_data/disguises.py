"""Disguises: other ways to write a name that stands in a text. Pure; all chance comes from the argument.

A disguise takes a `Subject` and gives the new spelling, or None where it cannot be applied to this one. The
small tables (nicknames, patronymics, particles, look-alikes) are the benchmark's own, not the scanner's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from random import Random
from typing import NamedTuple

from benchmarks.names_data.corpus import WORD, Document, Mention, Where
from benchmarks.names_data.romanise import STANDARDS, romanise


class Subject(NamedTuple):
    surface: str
    """As it stands in the text, inflected."""
    lemma: str
    lang: str
    nth: int
    """How many full mentions of the same person stand before it in the document."""
    chance: Random

    @property
    def words(self) -> list[str]:
        return WORD.findall(self.surface)


class Disguise(NamedTuple):
    name: str
    apply: Callable[[Subject], str | None]
    rest: Callable[[str], str] | None = None
    """What happens to the text between the mentions."""


def disguise(
    document: Document, number: int, held: Collection[str], how: Disguise, chance: Random
) -> tuple[Document, list[Where]]:
    """The document with its full mentions of persons in `held` disguised, and which mentions were.

    Mentions keep their place in the list; their offsets are those in the new text.
    """
    pieces: list[str] = []
    changed: list[Where] = []
    met: dict[str, int] = {}
    at = length = start = 0

    def put(text: str) -> None:
        nonlocal length
        pieces.append(text)
        length += len(text)

    rest = how.rest or (lambda text: text)
    order = sorted(range(len(document.mentions)), key=lambda each: document.mentions[each].start)
    moved: dict[int, Mention] = {}
    for index in order:
        mention = document.mentions[index]
        if mention.start < at:  # inside the one before: it goes with that
            moved[index] = mention._replace(start=start, end=length)
            continue
        put(rest(document.text[at : mention.start]))
        new = None
        if mention.full and mention.id in held:
            nth = met[mention.id] = met.get(mention.id, -1) + 1
            new = how.apply(Subject(mention.surface, mention.lemma, document.lang, nth, chance))
            if new is not None:
                changed.append((number, index))
        start = length
        put(rest(mention.surface) if new is None else new)
        moved[index] = mention._replace(start=start, end=length)
        at = mention.end
    put(rest(document.text[at:]))
    mentions = [moved[index] for index in range(len(document.mentions))]
    return document._replace(text="".join(pieces), mentions=tuple(mentions)), changed


# --- letters ---------------------------------------------------------------------------------------

_LIKE = dict(zip("АВЕКМНОРСТХІЈЅаеорсухіјѕ", "ABEKMHOPCTXIJSaeopcyxijs", strict=True))
LOOK_ALIKE = _LIKE | {latin: cyrillic for cyrillic, latin in _LIKE.items()}
_LEET = dict(zip("оoіilеeзzаaчsбbвтtg", "0011133324445688779"[:19], strict=True))
LEET = _LEET | {letter.upper(): digit for letter, digit in _LEET.items()}
INVISIBLE = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")
ALPHABETS = {
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "bg": "абвгдежзийклмнопрстуфхцчшщъьюя",
    "pl": "aąbcćdeęfghijklłmnńoóprsśtuwyzźż",
    "cs": "aábcčdďeéěfghiíjklmnňoóprřsštťuúůvyýzž",
    "sl": "abcčdefghijklmnoprsštuvzž",
}


def in_words(subject: Subject, change: Callable[[str, Random], str | None], least: int = 3) -> str | None:
    """Change every word of at least `least` letters that can be changed; None if none can."""
    done = 0

    def one(word: re.Match[str]) -> str:
        nonlocal done
        new = change(word[0], subject.chance) if len(word[0]) >= least else None
        done += new is not None
        return word[0] if new is None else new

    new = WORD.sub(one, subject.surface)
    return new if done else None


def in_a_word(subject: Subject, change: Callable[[str, Random], str | None], least: int = 4) -> str | None:
    """Change one word of at least `least` letters, taken by chance."""
    words = [word for word in WORD.finditer(subject.surface) if len(word[0]) >= least]
    if not words:
        return None
    word = subject.chance.choice(words)
    new = change(word[0], subject.chance)
    return None if new is None else subject.surface[: word.start()] + new + subject.surface[word.end() :]


def between(subject: Subject, gap: str) -> str | None:
    new = re.sub(r"[ \u00a0]+", gap, subject.surface)
    return new if new != subject.surface else None


def spaced(subject: Subject, gap: str) -> str | None:
    return gap.join(" ".join(word) for word in subject.surface.split())


def swap(table: dict[str, str], most: int, word: str, chance: Random) -> str | None:
    """Some letters, at most `most` and never all, by what `table` has for them."""
    places = [at for at, letter in enumerate(word) if letter in table]
    if not places or len(word) < 2:
        return None
    chosen = set(chance.sample(places, min(len(places), chance.randint(1, most), len(word) - 1)))
    return "".join(table[letter] if at in chosen else letter for at, letter in enumerate(word))


def sprinkle(signs: Sequence[str], word: str, chance: Random) -> str:
    places = chance.sample(range(1, len(word)), min(len(word) - 1, chance.randint(1, 3)))
    return "".join((chance.choice(signs) if at in places else "") + letter for at, letter in enumerate(word))


def cut(sign: str, word: str, chance: Random) -> str | None:
    if len(word) < 4:
        return None
    at = chance.randint(2, len(word) - 2)
    return word[:at] + sign + word[at:]


def wrap(signs: Sequence[tuple[str, str]], word: str, chance: Random) -> str | None:
    """A sign before and one after a part of the word."""
    if len(word) < 4:
        return None
    start = chance.randint(1, len(word) - 2)
    end = chance.randint(start + 1, len(word) - 1)
    before, after = chance.choice(signs)
    return word[:start] + before + word[start:end] + after + word[end:]


def entities(word: str, chance: Random) -> str:
    def entity(letter: str) -> str:
        return chance.choice((f"&#{ord(letter)};", f"&#x{ord(letter):x};", f"&#x{ord(letter):04X};"))

    every = chance.random() < 0.5
    at = chance.randrange(len(word))
    return "".join(entity(each) if every or number == at else each for number, each in enumerate(word))


def typo(kind: str, alphabet: str, word: str, chance: Random) -> str | None:
    at = chance.randrange(len(word))
    letter = chance.choice(alphabet)
    if word[at].isupper():
        letter = letter.upper()
    if kind == "substitution":
        new = word[:at] + letter + word[at + 1 :]
    elif kind == "deletion":
        new = word[:at] + word[at + 1 :]
    elif kind == "insertion":
        new = word[:at] + letter.lower() + word[at:] if at else word[0] + letter.lower() + word[1:]
    else:
        at = chance.randrange(len(word) - 1)
        new = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return new if new != word else None


def mistyped(kind: str, subject: Subject) -> str | None:
    alphabet = ALPHABETS["pl" if subject.surface.isascii() else subject.lang]  # a Latin name in Cyrillic text
    return in_a_word(subject, partial(typo, kind, alphabet), 5)


# --- words -----------------------------------------------------------------------------------------

_FEMALE_END = ("а", "я", "a", "е", "і", "о")
_MEN_IN_A = ("Микола", "Илья", "Ілля", "Никита", "Микита", "Саша", "Лука", "Хома", "Фома", "Никола", "Кузьма")


def two(subject: Subject) -> tuple[str, str] | None:
    """The given name and the surname of a mention that is plainly these two."""
    words = subject.surface.split()
    if len(words) != 2 or not all(WORD.fullmatch(word.replace("-", "")) for word in words):
        return None
    return words[0], words[1]


def initial(gap: str, subject: Subject) -> str | None:
    parts = two(subject)
    return f"{parts[0][0]}.{gap}{parts[1]}" if parts else None


def initial_after(subject: Subject) -> str | None:
    parts = two(subject)
    return f"{parts[1]} {parts[0][0]}." if parts else None


def swapped(comma: str, subject: Subject) -> str | None:
    parts = two(subject)
    return f"{parts[1]}{comma} {parts[0]}" if parts else None


def surname_alone(subject: Subject) -> str | None:
    parts = two(subject)
    return parts[1] if parts and subject.nth else None


PATRONYMICS = {
    "uk": (("Орестович", "Панасович", "Данилович"), ("Орестівна", "Панасівна", "Данилівна")),
    "ru": (("Макарович", "Тихонович", "Данилович"), ("Макаровна", "Тихоновна", "Даниловна")),
    "bg": (("Тодоров", "Методиев"), ("Тодорова", "Методиева")),
}


def patronymic(subject: Subject) -> str | None:
    """Inserted in the base form: Cyrillic texts only, and mentions that are in the base form."""
    parts = two(subject)
    if parts is None or subject.lang not in PATRONYMICS or subject.surface != subject.lemma:
        return None
    if subject.surface.isascii():
        return None
    woman = parts[0].endswith(_FEMALE_END) and parts[0] not in _MEN_IN_A
    return f"{parts[0]} {subject.chance.choice(PATRONYMICS[subject.lang][woman])} {parts[1]}"


def middle_initial(subject: Subject) -> str | None:
    parts = two(subject)
    letter = subject.chance.choice(ALPHABETS[subject.lang][:20]).upper()
    return f"{parts[0]} {letter}. {parts[1]}" if parts else None


PARTICLES = {
    "uk": ("фон", "фон дер", "ван", "де", "аль-", "уль-"),
    "ru": ("фон", "фон дер", "ван", "де", "аль-", "уль-"),
    "bg": ("фон", "фон дер", "ван", "де", "ал-", "ул-"),
}
_LATIN_PARTICLES = ("von", "von der", "van", "de", "al-", "el-")
_ANY_PARTICLE = re.compile(
    r"(?<!\w)(?:(?:фон|дер|ван|де|ла|бін|бин|von|der|van|de|la|den|bin|ibn)\s+"
    r"|(?:аль|уль|эль|ель|ал|ул|al|el|ul)[- ])",
    re.IGNORECASE,
)


def particle_added(subject: Subject) -> str | None:
    parts = two(subject)
    if parts is None or _ANY_PARTICLE.search(subject.surface):
        return None
    particle = subject.chance.choice(PARTICLES.get(subject.lang, _LATIN_PARTICLES))
    return f"{parts[0]} {particle}{'' if particle.endswith('-') else ' '}{parts[1]}"


def particle_dropped(subject: Subject) -> str | None:
    new = _ANY_PARTICLE.sub("", subject.surface)
    return new if new != subject.surface and len(WORD.findall(new)) >= 2 else None


def particle_respelt(subject: Subject) -> str | None:
    """Joined, parted or capitalised: уль-Мулук, Уль Мулук, ульМулук."""

    def again(particle: re.Match[str]) -> str:
        bare = particle[0].strip(" -")
        return subject.chance.choice(
            (bare.title() + " ", bare.lower() + "-", bare.title() + "-", bare.lower() + " ")
        )

    new = _ANY_PARTICLE.sub(again, subject.surface)
    return new if new != subject.surface else None


_NICKNAMES = {
    "uk": (
        "Олександр:Саша,Сашко,Олекса Володимир:Вова,Володя Михайло:Миша,Михась Микола:Коля "
        "Дмитро:Діма,Дмитрик Сергій:Сергійко,Сірьожа Петро:Петрик,Петя Юрій:Юра Ганна:Аня,Галя "
        "Марія:Маша,Марічка Борис:Боря Іван:Ваня,Івась Олена:Лена,Оленка Анатолій:Толя Валерій:Валера "
        "Віктор:Вітя Наталія:Наталка,Наташа Євген:Женя Андрій:Андрійко Максим:Макс Роман:Рома Тетяна:Таня "
        "Ірина:Іра Людмила:Люда Павло:Паша Василь:Вася Григорій:Гриша Денис:Ден"
    ),
    "ru": (
        "Александр:Саша,Шура Владимир:Вова,Володя Михаил:Миша Николай:Коля Дмитрий:Дима,Митя Сергей:Серёжа "
        "Пётр:Петя Юрий:Юра Анна:Аня Мария:Маша Борис:Боря Иван:Ваня Елена:Лена Анатолий:Толя "
        "Валерий:Валера Виктор:Витя Наталья:Наташа Евгений:Женя Максим:Макс Роман:Рома Татьяна:Таня "
        "Ирина:Ира Людмила:Люда Павел:Паша Василий:Вася Григорий:Гриша Алексей:Лёша,Алёша Константин:Костя "
        "Леонид:Лёня Вячеслав:Слава Станислав:Стас Екатерина:Катя Дональд:Дон Николас:Ник Томас:Том "
        "Майкл:Майк Дэвид:Дейв Тереза:Тери Джеймс:Джим Энтони:Тони Кристофер:Крис"
    ),
    "pl": (
        "Aleksander:Olek Michał:Michałek Jan:Janek Katarzyna:Kasia Małgorzata:Gosia Joanna:Asia "
        "Tomasz:Tomek Andrzej:Jędrek Krzysztof:Krzysiek Piotr:Piotrek Stanisław:Staszek Anna:Ania "
        "Barbara:Basia Zbigniew:Zbyszek Mateusz:Mati Paweł:Pawełek Michael:Mike David:Dave Nicholas:Nick "
        "Theresa:Terry Donald:Don Thomas:Tom James:Jim"
    ),
    "cs": (
        "Jan:Honza Jiří:Jirka Josef:Pepa František:Franta Jaroslav:Jarda Miroslav:Mirek Václav:Vašek "
        "Tomáš:Tom Petr:Péťa Vladimír:Vláďa Andrej:Andy Miloš:Míla Michael:Mike David:Dave Nicholas:Nick "
        "Theresa:Terry James:Jim"
    ),
    "bg": (
        "Александър:Сашо Георги:Гошо Димитър:Митко Николай:Ники Стефан:Стефчо Петър:Пешо Иван:Ванко "
        "Тодор:Тошо Дейвид:Дейв Майкъл:Майк Тереза:Тери Доналд:Дон Джеймс:Джим Томас:Том Никълъс:Ник"
    ),
    "sl": (
        "Janez:Janezek Jože:Joža Franc:France Aleksander:Aleks Anton:Tone Marija:Micka Katarina:Katja "
        "Miroslav:Miro"
    ),
}
NICKNAMES = {
    lang: {given: names.split(",") for given, names in (pair.split(":") for pair in pairs.split())}
    for lang, pairs in _NICKNAMES.items()
}


def nickname(subject: Subject) -> str | None:
    """Mentions in the base form whose given name has one in the table."""
    parts = two(subject)
    if parts is None or subject.surface != subject.lemma or parts[0] not in NICKNAMES[subject.lang]:
        return None
    return f"{subject.chance.choice(NICKNAMES[subject.lang][parts[0]])} {parts[1]}"


def romanised(standard: str, subject: Subject) -> str | None:
    known = standard in STANDARDS.get(subject.lang, ())
    return romanise(subject.lemma, subject.lang, standard) if known else None


# --- all of them -----------------------------------------------------------------------------------


def _html_words(subject: Subject) -> str | None:
    tags = [
        ("<b>", "</b>"),
        ("<i>", "</i>"),
        ('<span class="n">', "</span>"),
        ('<a href="/p?id=7&amp;x=1">', "</a>"),
    ]
    words = subject.surface.split()
    if len(words) < 2:
        return None
    return " ".join("{1[0]}{0}{1[1]}".format(word, subject.chance.choice(tags)) for word in words)


def _markdown_words(subject: Subject) -> str | None:
    words = subject.surface.split()
    if len(words) < 2:
        return None
    marks = [
        ("**", "**"),
        ("_", "_"),
        ("*", "*"),
        ("`", "`"),
        ("~~", "~~"),
        ("[", "](https://example.org/x)"),
    ]
    return " ".join("{1[0]}{0}{1[1]}".format(word, subject.chance.choice(marks)) for word in words)


_TAGS = [("<b>", "</b>"), ("<i>", "</i>"), ("<span>", "</span>"), ("<em class='x'>", "</em>")]
_MARKS = [("**", "**"), ("*", "*"), ("__", "__"), ("_", "_"), ("~~", "~~")]

DISGUISES: tuple[Disguise, ...] = (
    Disguise("lower case", lambda subject: subject.surface.lower()),
    Disguise("lower case, whole text", lambda subject: subject.surface.lower(), str.lower),
    Disguise("ALL CAPS", lambda subject: subject.surface.upper()),
    Disguise("ALL CAPS, whole text", lambda subject: subject.surface.upper(), str.upper),
    Disguise("l e t t e r - s p a c e d, three spaces between words", lambda subject: spaced(subject, "   ")),
    Disguise("l e t t e r - s p a c e d, one space everywhere", lambda subject: spaced(subject, " ")),
    Disguise("hyphenated over a line break", lambda subject: in_a_word(subject, partial(cut, "-\n"), 5)),
    Disguise("hyphenated, then CR LF and indentation", lambda s: in_a_word(s, partial(cut, "-\r\n    "), 5)),
    Disguise("line break between the words", lambda subject: between(subject, "\n")),
    Disguise("line break and indentation between the words", lambda subject: between(subject, "\r\n     ")),
    Disguise("line break inside a word", lambda subject: in_a_word(subject, partial(cut, "\n"), 5)),
    Disguise("zero-width characters", lambda subject: in_words(subject, partial(sprinkle, INVISIBLE))),
    Disguise("soft hyphens", lambda subject: in_words(subject, partial(sprinkle, ("\u00ad",)))),
    Disguise("homoglyphs in one word", lambda s: in_a_word(s, partial(swap, LOOK_ALIKE, 2), 3)),
    Disguise("homoglyphs in every word", lambda s: in_words(s, partial(swap, LOOK_ALIKE, 2))),
    Disguise("HTML tags around the words", _html_words),
    Disguise("HTML tags inside a word", lambda subject: in_a_word(subject, partial(wrap, _TAGS))),
    Disguise("HTML entities", lambda subject: in_words(subject, entities)),
    Disguise(
        "HTML, entity of a no-break space between the words", lambda subject: between(subject, "&nbsp;")
    ),
    Disguise("Markdown emphasis around the words", _markdown_words),
    Disguise("Markdown emphasis inside a word", lambda subject: in_a_word(subject, partial(wrap, _MARKS))),
    Disguise("leetspeak in one word", lambda subject: in_a_word(subject, partial(swap, LEET, 2))),
    Disguise("leetspeak in every word", lambda subject: in_words(subject, partial(swap, LEET, 2))),
    *(
        Disguise(f"typo: {kind}", partial(mistyped, kind))
        for kind in ("substitution", "deletion", "insertion", "transposition")
    ),
    Disguise("initial, space", partial(initial, " ")),
    Disguise("initial, no space", partial(initial, "")),
    Disguise("surname, then initial", initial_after),
    Disguise("swapped order", partial(swapped, "")),
    Disguise("Surname, First", partial(swapped, ",")),
    Disguise("patronymic inserted", patronymic),
    Disguise("middle initial inserted", middle_initial),
    Disguise("nickname for the given name", nickname),
    Disguise("surname alone after a full name", surname_alone),
    Disguise("particle added", particle_added),
    Disguise("particle dropped", particle_dropped),
    Disguise("particle respelt", particle_respelt),
    *(
        Disguise(f"romanised: {standard}", partial(romanised, standard))
        for standard in sorted({each for standards in STANDARDS.values() for each in standards})
    ),
)
