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
from tearline.trace.terms import Bit, Slot

__all__ = ["LANGUAGES", "Pair", "describe", "find", "pairs", "read", "write"]


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
