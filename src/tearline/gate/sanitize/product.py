"""`sanitize`: all the texts of one product, in this order.

1. Identities are masked, with all that belongs to them; birth dates are dropped.
2. Times of day, dates and coordinates are brought to the coarsest of what the sources touched are owed.
3. References to numbered paragraphs go, numbers are counted anew, and no gap is left.
4. What an officer has to look at is flagged: quoted words, and what a second detector (`finer`) still finds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from tearline.gate.sanitize import seams
from tearline.gate.sanitize.clocks import coarsen_clocks
from tearline.gate.sanitize.dates import coarsen_dates
from tearline.gate.sanitize.descriptors import LANGUAGES, Descriptors, language_of
from tearline.gate.sanitize.finer import finer
from tearline.gate.sanitize.mask import Found, found, has_neighbour, mask
from tearline.gate.sanitize.periods import GRAINS
from tearline.gate.sanitize.places import PLACES, coarsen_places
from tearline.gate.sanitize.quotes import quotes
from tearline.gate.sanitize.values import Flag, Sanitized
from tearline.scan import Disposition, Hit
from tearline.terms import BadInput
from tearline.vault.source import Obligations, PlaceGrain, TimeGrain


def sanitize(
    texts: Sequence[str],
    hits: Sequence[Sequence[Hit]],
    owed: Mapping[str, Obligations],
    *,
    language: str,
    day: date,
    written: date | None = None,
    rests_on: Collection[str] = (),
) -> Sanitized:
    """The texts of one product (title and other fields too) as a tearline may hold them.

    `hits`: for each text those that the scanner found; `owed`: by cryptonym. `language`: ISO 639-1, as the
    product says; `day`: on which it is decided; `written`: the product's own date, by which a date without a
    year is understood (`day` where it is not given). `rests_on`: cryptonyms of sources behind the product,
    named in it or not. Who must be asked, who is forbidden and how many persons
    must remain possible are the gate's matter, not looked at here. Raises `BadInput` where hits and texts do
    not belong together.
    """
    _check(texts, hits)
    texts = [text.replace(seams.GAP, "") if seams.GAP in text else text for text in texts]
    marks = [found(text, own, owed) for text, own in zip(texts, hits, strict=True)]
    order = list(dict.fromkeys(span.cryptonym for mark in marks for span in mark.spans))
    touched = {hit.id for own in hits for hit in own if hit.disposition is not Disposition.NOTE}
    touched |= {*order, *rests_on}
    time, place = _coarsest(touched, owed)
    descriptors = Descriptors([*order, *sorted(touched - set(order))], owed)
    flags: list[Flag] = list(_standing(touched, owed, day))
    done: list[dict[str, int]] = []
    out: list[str] = []
    for number, (text, mark, own) in enumerate(zip(texts, marks, hits, strict=True)):
        speech = language_of(_without(text, mark), language)
        tongue = speech if speech in LANGUAGES else "en"
        count: Counter[str] = Counter()
        new = mask(text, mark, lambda cryptonym, tongue=tongue: descriptors.phrase(cryptonym, tongue))  # type: ignore[misc]
        count["mask"] = len(mark.spans) + len(mark.births)
        count["note"] = sum(hit.disposition is Disposition.NOTE for hit in own)
        new, count["clock"] = coarsen_clocks(new, time, tongue)
        new, count["date"] = coarsen_dates(new, time, tongue, written or day)
        new, count["place"] = coarsen_places(new, place, tongue)
        new, count["reference"] = seams.unrefer(new)
        new = seams.tidy(seams.renumber(new))
        whole = [
            ("sanitize.language", bool(touched) and speech not in LANGUAGES),
            ("sanitize.ambiguous", mark.is_shared),
            ("sanitize.neighbour", has_neighbour(text, mark)),
        ]
        flags += [Flag(code, number, 0, 0) for code, is_so in whole if is_so]
        flags += _found_in(new, number, time, place, is_touched=bool(touched))
        done.append({code: times for code, times in count.items() if times})
        out.append(new)
    return Sanitized(texts=tuple(out), done=tuple(done), flags=tuple(flags), sources=tuple(sorted(touched)))


def _check(texts: Sequence[str], hits: Sequence[Sequence[Hit]]) -> None:
    if len(texts) != len(hits):
        raise BadInput("sanitize", "", "there are not as many lists of hits as texts")
    for number, (text, own) in enumerate(zip(texts, hits, strict=True)):
        if any(not 0 <= hit.start < hit.end <= len(text) for hit in own):
            raise BadInput("sanitize", f"text {number}", "a hit lies outside of the text")


def _coarsest(touched: set[str], owed: Mapping[str, Obligations]) -> tuple[TimeGrain, PlaceGrain]:
    """Of all sources touched; the coarsest there is for one whose obligations are not known."""
    if touched - owed.keys():
        return GRAINS[-1], PLACES[-1]
    times = [owed[cryptonym].time for cryptonym in touched]
    places = [owed[cryptonym].place for cryptonym in touched]
    return (
        max(times, key=GRAINS.index, default=TimeGrain.EXACT),
        max(places, key=PLACES.index, default=PlaceGrain.EXACT),
    )


def _standing(touched: set[str], owed: Mapping[str, Obligations], day: date) -> Iterator[Flag]:
    if touched - owed.keys():
        yield Flag("sanitize.unknown-source", 0, 0, 0)
    if any((until := owed[name].expires) is not None and until < day for name in touched & owed.keys()):
        yield Flag("sanitize.expired", 0, 0, 0)


def _without(text: str, mark: Found) -> str:
    """The text without its identities: they must not decide in which language it is taken to be."""
    pieces: list[str] = []
    at = 0
    for span in mark.spans:
        pieces.append(text[at : span.start])
        at = span.end
    return "".join((*pieces, text[at:]))


def _found_in(
    text: str, number: int, time: TimeGrain, place: PlaceGrain, *, is_touched: bool
) -> Iterator[Flag]:
    for start, end in seams.references(text):
        yield Flag("sanitize.reference", number, start, end)
    if is_touched:
        for start, end in quotes(text):
            yield Flag("sanitize.quote", number, start, end)
        for finding in finer(text, time, place):
            code = "sanitize.place-name" if finding.kind == "place-name" else "sanitize.finer"
            yield Flag(code, number, finding.start, finding.end)
