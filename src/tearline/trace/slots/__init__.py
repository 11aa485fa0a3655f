"""Marks in text: places where either of two wordings says the same, found, written and read.

    slots = find(text, "uk", product=product.id, keep=masks)
    copy = write(text, slots, letters)
    letters = read(slots, text, leak, matches)

`find` gives the same slots for the text in any of the wordings. What it never touches: `guard`; the
wordings: `trace/data`; how to review them: `docs/marks-in-text.md`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from hashlib import sha256

from tearline.trace.slots import finding, guard
from tearline.trace.slots.lexicon import LANGUAGES, Pair, pairs
from tearline.trace.slots.reading import read
from tearline.trace.slots.zero_width import MARKS, bare, hidden, signs, spots
from tearline.trace.terms import Bit, Slot

__all__ = [
    "LANGUAGES",
    "MARKS",
    "RULES",
    "Pair",
    "bare",
    "describe",
    "find",
    "hidden",
    "pairs",
    "read",
    "signs",
    "spots",
    "write",
]

RULES = {
    "en.date": "13 October 2026, October 13, 2026",
    "en.small-number": "three weeks, 3 weeks; only before words of time and other harmless things",
    "en.thousands": "1340, 1,340; before a plural that is no weapon, person or money",
    "en.unit": "km, kilometres; behind a figure (en.unit.km, en.unit.m, and so on)",
    "en.percent": "12%, 12 percent; 12 %, 12 per cent",
    "en.serial-comma": "trucks, cars and boats; trucks, cars, and boats",
    "en.opening-comma": "On 3 May the; On 3 May, the",
    "en.clause-comma": "and they, with a comma before it or not",
    "en.that-which": "a site that is, a site which is",
    "en.but-comma": "it left but no one saw it; it left, but no one saw it",
    "en.local-time": "04:40 local, 04:40 local time",
    "en.per": "12 a week, 12 per week",
    "en.dash": "one dash in a sentence, long or short",
    "en.two-things": "mostly timber and cement, mostly cement and timber",
    "uk.day-zero": "3 жовтня, 03 жовтня",
    "uk.year": "2026 року, 2026 р.",
    "uk.small-number": "через три дні, через 3 дні",
    "uk.few": "прибули 3 вагони, прибули три вагони",
    "uk.local-time": "04:40 за місцевим часом, 04:40 місцевого часу",
    "uk.thousands": "1340, 1 340",
    "uk.unit": "км, кілометрів (uk.unit.км, uk.unit.м, and so on)",
    "uk.scale": "тис., тисяч (uk.scale.тис, uk.scale.млн, uk.scale.млрд, uk.scale.грн)",
    "uk.dollar": "дол. США, доларів США",
    "uk.percent": "12 %, 12 відсотків; 12%, 12 процентів",
    "uk.future": "триватиме, буде тривати",
    "uk.i-y": "і, й between a vowel and a consonant",
    "uk.i-ta": "і, та between words that they join",
    "uk.sia": "почалася, почалась; змінитися, змінитись",
    "uk.u-v": "у, в where both are usual",
    "uk.z-iz": "з, із between single consonants",
    "uk.dash": "one dash in a sentence, long or short",
    "uk.two-things": "переважно лісом і цементом, переважно цементом і лісом",
    "ru.day-zero": "3 октября, 03 октября",
    "ru.year": "2026 года, 2026 г.",
    "ru.small-number": "через три дня, через 3 дня",
    "ru.few": "прибыли 3 вагона, прибыли три вагона",
    "ru.local-time": "04:40 по местному времени, 04:40 местного времени",
    "ru.thousands": "1340, 1 340",
    "ru.unit": "км, километров (ru.unit.км, ru.unit.м, and so on)",
    "ru.scale": "тыс., тысяч (ru.scale.тыс, ru.scale.млн, ru.scale.млрд, ru.scale.руб)",
    "ru.dollar": "долл. США, долларов США",
    "ru.percent": "12%, 12 процентов",
    "ru.series": "Италии, Испании и Бельгии; Италии, Испании, а также Бельгии",
    "ru.dash": "one dash in a sentence, long or short",
    "ru.two-things": "преимущественно лесом и цементом, преимущественно цементом и лесом",
}
"""The entries that no lexicon has, each with an example of its wordings."""


def find(
    text: str,
    language: str,
    *,
    product: str,
    keep: Iterable[tuple[int, int]] = (),
    off: Container[str] = (),
) -> tuple[Slot, ...]:
    """The slots of a Markdown or plain text, in order, none over another, each key once.

    `keep`: spans that stay as they are. `off`: entries and keys that an officer has switched off; they
    change no other slot. In a language without a lexicon there are none.
    """
    if language not in LANGUAGES:
        return ()
    kept, found, seen = list(keep), list[Slot](), set[str]()
    for block in guard.blocks(text):
        for slot, sentence, ordinal in finding.in_block(block.text, language):
            start, end = block.start + slot.start, block.start + slot.end
            told = "\0".join((product, sentence, slot.kind, str(ordinal)))
            key = sha256(told.encode()).hexdigest()
            if key in seen or slot.entry in off or key in off:
                continue
            if any(first < end and start < last for first, last in kept):
                continue
            seen.add(key)
            # By the key, so that the wording of the base text is 0 as often as 1.
            options = slot.options if int(key[0], 16) < 8 else (slot.options[1], slot.options[0])
            found.append(Slot(key, slot.kind, start, end, options, slot.entry))
    return tuple(found)


def write(text: str, slots: Sequence[Slot], letters: Mapping[str, Bit]) -> str:
    """`text` with the wordings of `letters`, by the keys of its slots; a slot without a letter stays."""
    parts, at = list[str](), 0
    for slot in slots:
        letter = letters.get(slot.key)
        if letter is not None:
            parts += (text[at : slot.start], slot.options[letter])
            at = slot.end
    parts.append(text[at:])
    return "".join(parts)


def describe(slot: Slot) -> str:
    """What an officer sees of a slot: the entry that gives it, its kind, and both wordings."""
    one, other = slot.options
    return f"{slot.entry} ({slot.kind}): “{one}” or “{other}”"
