"""Words of the vault: a protected source, what identifies it, what it is owed, and the register of all.

Only a cryptonym and the obligations leave the vault's process: see `Standing`. What could show an identity by
accident (a `repr`, an error's text) does not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from enum import StrEnum

import msgspec

from tearline.terms import BadInput, Party, Refused
from tearline.vault.canary import Canary

CRYPTONYM = re.compile(r"[A-Z]{3,20}(?:-[A-Z]{3,20}){0,3}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
MAX_TEXT = 200
MAX_ROWS = 1_000
MAX_ASKED = 20


class RowKind(StrEnum):
    """What one identity row tells. The nine kinds of the scanner's batch mode, and three finer ones."""

    PERSON = "person"
    """A full name."""
    PATRONYMIC = "patronymic"
    ALIAS = "alias"
    NICKNAME = "nickname"
    ORGANISATION = "organisation"
    """An employer, a unit, a firm."""
    PLACE = "place"
    PHONE = "phone"
    EMAIL = "email"
    DOCUMENT = "document"
    """A passport's or another document's number."""
    CALLSIGN = "callsign"
    BIRTH_DATE = "birth-date"
    """`YYYY-MM-DD`; found in the ways that it is written in."""
    OTHER = "other"


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One thing that identifies a source. `lang`: ISO 639 code of two or three letters, or empty."""

    kind: RowKind
    text: str
    lang: str = ""

    def __repr__(self) -> str:
        return f"Row({self.kind})"

    @classmethod
    def read(cls, kind: str, text: str, lang: str, *, where: str, place: str) -> Row:
        """A row as it was typed or read. Raises `BadInput` at `where`, `place`; never shows the text."""
        text = " ".join(unicodedata.normalize("NFC", text).split())
        kind, lang = kind.strip().lower(), lang.strip().lower()
        if kind not in set(RowKind):
            raise BadInput(where, place, "its kind is not known", f"kinds are {', '.join(RowKind)}")
        if lang and LANGUAGE.fullmatch(lang) is None:
            raise BadInput(where, place, "its language is not a code of two or three letters", "such as uk")
        if not text.isprintable() or len(text) > MAX_TEXT or sum(map(str.isalnum, text)) < 2:
            reason = f"the identity is not one line of 2 to {MAX_TEXT} characters"
            raise BadInput(where, place, reason)
        if kind == RowKind.BIRTH_DATE:
            try:
                text = date.fromisoformat(text).isoformat()
            except ValueError:
                raise BadInput(where, place, "this is not a date", "write it as YYYY-MM-DD") from None
        return cls(RowKind(kind), text, lang)


class TimeGrain(StrEnum):
    """How coarse a time must be before it goes out; finest first."""

    EXACT = "exact"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class PlaceGrain(StrEnum):
    """How coarse a place must be before it goes out; finest first."""

    EXACT = "exact"
    SETTLEMENT = "settlement"
    DISTRICT = "district"
    REGION = "region"
    COUNTRY = "country"


class Obligations(msgspec.Struct, frozen=True, kw_only=True):
    """What a source is owed. Leaves the vault's process, so no identity may be in it."""

    k: int = 10
    """The fewest persons that all disclosures together must leave possible (law 3)."""
    forbidden: frozenset[Party] = frozenset()
    """Partners that get nothing that touches this source."""
    time: TimeGrain = TimeGrain.DAY
    place: PlaceGrain = PlaceGrain.REGION
    expires: date | None = None
    """The last day on which these obligations may be relied on; after it everything is referred."""
    ask: tuple[str, ...] = ()
    """Who must be asked before anything that touches this source goes out."""
    descriptor: str = "a source"
    """What a tearline says in the place of the identity."""

    def check(self) -> None:
        """Raises `BadInput` where a value cannot be."""
        if not 2 <= self.k <= 1_000_000:
            raise BadInput("obligations", "k", "it is not between 2 and 1000000")
        if len(self.ask) > MAX_ASKED:
            raise BadInput("obligations", "ask", f"there are more than {MAX_ASKED} to be asked")
        for place, text in (("descriptor", self.descriptor), *(("ask", name) for name in self.ask)):
            if not (text.isprintable() and 0 < len(text.strip()) <= MAX_TEXT):
                raise BadInput("obligations", place, f"it is not one line of 1 to {MAX_TEXT} characters")


class State(StrEnum):
    ACTIVE = "active"
    RETIRED = "retired"
    """No longer reporting. The identity is protected, and scanned for, for ever."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """All of a source that leaves the vault's process."""

    cryptonym: str
    obligations: Obligations
    state: State
    rows: int
    """How many identity rows there are."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One protected person or thing."""

    cryptonym: str
    rows: tuple[Row, ...]
    obligations: Obligations = Obligations()
    state: State = State.ACTIVE

    def __repr__(self) -> str:
        return f"Source({self.cryptonym})"

    def standing(self) -> Standing:
        return Standing(
            cryptonym=self.cryptonym, obligations=self.obligations, state=self.state, rows=len(self.rows)
        )

    def check(self) -> None:
        """Raises `BadInput` where a source like this cannot be kept."""
        if CRYPTONYM.fullmatch(self.cryptonym) is None:
            raise BadInput("cryptonym", "", "it is not one to four words of capitals joined by hyphens")
        if not 0 < len(self.rows) <= MAX_ROWS:
            raise BadInput("source", self.cryptonym, f"it does not have 1 to {MAX_ROWS} identity rows")
        self.obligations.check()


class Register(msgspec.Struct, frozen=True):
    """Every source by its cryptonym, retired ones included: a cryptonym is never used again.

    Every change gives a new register.
    """

    sources: dict[str, Source] = {}
    canaries: tuple[Canary, ...] = ()

    def __repr__(self) -> str:
        return f"Register({len(self.sources)} sources)"

    def find(self, cryptonym: str) -> Source:
        """Raises `Refused` where there is none."""
        try:
            return self.sources[cryptonym]
        except KeyError:
            raise Refused("no source has this cryptonym; see `tearline source list`") from None

    def add(self, sources: Iterable[Source]) -> Register:
        """With new sources. Raises `Refused` where a cryptonym was ever used before."""
        held = dict(self.sources)
        for source in sources:
            source.check()
            if source.cryptonym in held:
                raise Refused(f"the cryptonym {source.cryptonym} was used before; it is never used again")
            held[source.cryptonym] = source
        return msgspec.structs.replace(self, sources=held)

    def extend(self, cryptonym: str, rows: Iterable[Row]) -> Register:
        """With further identity rows of one source; those that it has already change nothing."""
        source = self.find(cryptonym)
        return self._with(source, rows=tuple(dict.fromkeys((*source.rows, *rows))))

    def oblige(self, cryptonym: str, obligations: Obligations) -> Register:
        return self._with(self.find(cryptonym), obligations=obligations)

    def retire(self, cryptonym: str) -> Register:
        source = self.find(cryptonym)
        if source.state is State.RETIRED:
            raise Refused(f"{cryptonym} is retired already")
        return self._with(source, state=State.RETIRED)

    def _with(self, source: Source, **changes: object) -> Register:
        changed = msgspec.structs.replace(source, **changes)
        changed.check()
        return msgspec.structs.replace(self, sources={**self.sources, source.cryptonym: changed})

    def set_canary(self, canary: Canary) -> Register:
        """With a new canary. Raises `Refused` where the product has one in these words already."""
        canary.check()
        if any((one.product, one.phrase) == (canary.product, canary.phrase) for one in self.canaries):
            raise Refused("this phrase of the product is a canary already")
        return msgspec.structs.replace(self, canaries=(*self.canaries, canary))

    def drop_canary(self, name: str) -> Register:
        """Without one: no later release has it. Raises `Refused` where there is none of this id."""
        left = tuple(one for one in self.canaries if one.id != name)
        if len(left) == len(self.canaries):
            raise Refused("there is no such canary; see `tearline trace canary list`")
        return msgspec.structs.replace(self, canaries=left)
