"""STIX 2.1 objects, from a bundle, a TAXII envelope, a list, or alone: each is one product.

Marking definitions and extension definitions are not products: they say how to read the others
(docs/decisions/0001). Identities that the file names as somebody's creator come first, so that whoever is
given an object can be given its creator before. An object's label is the join of all its
object markings and of all its granular markings. Where none of them says who may have it (a statement, a
PAP), the default marking is joined; without a default the object is quarantined, and so it is when it names
a marking that is neither in the file nor a standard's own. Marking definitions may stand behind what they
mark, so the file is read twice, first into an `Index`.

A reference to an object that is not in the bundle is a warning: neighbours send parts of a whole daily.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import chain
from typing import Any

import msgspec
import orjson

from tearline import label
from tearline.intake import stix_form, subject
from tearline.intake.context import Context, Fault, join_marks, once, shown
from tearline.intake.split import Malformed, Piece, parse, parsed
from tearline.label.stix import PAP_EXTENSION, parse_markings, well_known
from tearline.terms import BadInput, Category, Discipline, Label, Marking, Party, Product, Quarantine, Region

_CREATORS, _CREATOR_BYTES = 1_000, 16_384
"""So many identities of a file, of at most this size, are looked at for creators: it bounds memory."""
_SUPPORTING = frozenset({"marking-definition", "extension-definition"})
_CLEAR = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
_NAMES = ("name", "value", "path", "user_id", "key", "subject", "opinion", "abstract")
"""The properties that name an object, best first."""


class _Head(msgspec.Struct):
    type: str = ""
    id: str = ""
    created_by_ref: str = ""


_read_head = msgspec.json.Decoder(_Head).decode
Marked = tuple[Marking | None, Label | Quarantine]


class Index:
    """What the first reading of a file finds: all ids, marking definitions, creators, locations."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.creators: set[str] = set()
        self.identities: dict[int, tuple[str, Piece]] = {}
        self.regions: dict[str, frozenset[Region]] = {}
        self._definitions: dict[str, dict[str, Any] | None] = {}
        self._own: dict[tuple[str, ...], tuple[Marked, bool]] = {}
        self._joined: dict[tuple[tuple[str, ...], date], Marked] = {}

    def note(self, piece: Piece) -> None:
        """Take note of one object. What is wrong with it is reported at the second reading."""
        try:
            head = _read_head(piece.raw)
            if head.type in ("marking-definition", "location"):
                item = stix_form.check(parse(piece.raw), "", "").item
                if head.type == "location":
                    self.regions[head.id] = subject.regions(item, {})
                else:
                    known = self._definitions.setdefault(head.id, item)
                    # Two definitions of one id: neither can be relied on.
                    self._definitions[head.id] = item if known == item else None
        except (msgspec.DecodeError, UnicodeDecodeError, Malformed, BadInput):
            return
        self.ids.add(head.id)
        self.creators.add(head.created_by_ref)
        is_kept = len(self.identities) < _CREATORS and len(piece.raw) <= _CREATOR_BYTES
        if head.type == "identity" and piece.index is not None and is_kept:
            self.identities[piece.index] = head.id, piece

    def marked(self, refs: tuple[str, ...], context: Context, on: date) -> Marked:
        """Marking and label of what bears the markings `refs`. `on` is the product's date."""
        if refs not in self._own:
            self._own[refs] = self._marked(refs)
        (marking, own), says_who = self._own[refs]
        if says_who:
            return marking, own
        if (refs, on) not in self._joined:
            default_marking, default = context.default(on)
            self._joined[refs, on] = marking or default_marking, join_marks([own, default])
        return self._joined[refs, on]

    def _marked(self, refs: tuple[str, ...]) -> tuple[Marked, bool]:
        """What the markings say, and whether it tells who may have what bears them."""
        definitions = []
        for ref in refs:
            found = self._definitions[ref] if ref in self._definitions else well_known(ref)
            if found is None:
                reason = "is defined twice" if ref in self._definitions else "is not defined in this file"
                return (None, Quarantine(scheme="stix", mark=ref, reason=reason)), True
            definitions.append(found)
        if any(_says_who(definition) for definition in definitions):
            return parse_markings(definitions), True
        if not definitions:
            return (None, label.BOTTOM), False
        # Alone these are no marking; TLP:CLEAR, which adds nothing, makes them one.
        _, own = parse_markings([*definitions, well_known(_CLEAR) or {}])
        return (parse_markings(definitions)[0], own), False


def _says_who(definition: Mapping[str, Any]) -> bool:
    """Whether it tells who may have what bears it. A statement does not, nor does PAP."""
    kinds = {definition.get("definition_type"), *definition.get("extensions", ())} - {None}
    return not kinds <= {"statement", PAP_EXTENSION}


def read(
    records: Iterable[Piece], name: str, index: Index, context: Context, *, bundle: bool
) -> Iterator[Product | Fault]:
    """The products among `records`. `bundle`: what they refer to should be among them."""
    seen: set[str] = set()
    first = {at: piece for at, (ident, piece) in index.identities.items() if ident in index.creators}
    rest = (piece for piece in records if piece.index is None or piece.index not in first)
    for piece in chain(first.values(), rest):
        place = piece.key if piece.index is None else f"{piece.key}[{piece.index}]"
        try:
            form = stix_form.check(parsed(piece, name, place), name, place)
            once(f"{form.item['id']} of {form.version}", seen, name, place)
        except BadInput as bad:
            yield Fault.of(bad)
            continue
        if form.item["type"] in _SUPPORTING:
            continue
        # Observables have no date of their own: their marking is read as of today.
        on = context.at if form.created == stix_form.UNVERSIONED else form.created
        yield product(form, index.marked(form.markings, context, on.date()), context.party, index.regions)
        missing = [ref for ref in subject.references(form.item) if ref not in index.ids] if bundle else []
        if missing:
            more = f" and {len(missing) - 1} more" if missing[1:] else ""
            reason = f"refers to {missing[0]}{more}, not in this file"
            yield Fault(where=name, place=place, reason=reason, severity="warning")


def product(
    form: stix_form.Form, marked: Marked, party: Party, regions: Mapping[str, frozenset[Region]]
) -> Product:
    """The product that a STIX object is. `regions`: those of the location objects that it may refer to."""
    item = form.item
    marking, read_label = marked
    return Product(
        id=item["id"],
        version=form.version,
        originator=party,
        category=Category.CYBER,
        title=_title(item),
        created=form.created,
        topics=subject.topics(item),
        regions=subject.regions(item, regions),
        disciplines=frozenset({Discipline.CYBER}),
        language=shown(item.get("lang", "en")),
        marking=marking,
        label=read_label,
        content=orjson.dumps(item),
    )


def _title(item: Mapping[str, Any]) -> str:
    if item["type"] == "relationship":
        ends = (item[end].partition("--")[0] for end in ("source_ref", "target_ref"))
        return shown(f" {item['relationship_type']} ".join(ends))
    if item["type"] == "sighting":
        return f"sighting of {item['sighting_of_ref'].partition('--')[0]}"
    named = (item[key] for key in _NAMES if isinstance(item.get(key), str))
    return next((title for title in map(shown, named) if title), item["type"])
