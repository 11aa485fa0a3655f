"""What an officer sees of marks, before release and after, and switches off: for all alike (law 5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection

from tearline.adapters import store
from tearline.gate import NOTHING_EXPOSED
from tearline.ledger import Act
from tearline.node import officers
from tearline.node.marks import ZERO_WIDTH, is_off, kept_in, may_mark, places_in, short, slots_of
from tearline.node.opened import Node
from tearline.terms import BadInput, Product, Refused, Role
from tearline.trace import slots
from tearline.trace.terms import Slot

_SHORT = re.compile(r"[0-9a-f]{16}")


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A text, and the places at which its copies differ. `released`: whether copies of it were given."""

    text: str
    slots: tuple[Slot, ...]
    released: bool
    off: frozenset[str] = frozenset()
    """The places (by `short`) that an officer switched off since."""


def variants(node: Node, product_id: str) -> list[Variant]:
    """The forms in which a product went, and before it went anywhere what would be varied in it.

    Raises `BadInput` where there is no such product.
    """
    with node.reading() as db:
        forms = store.forms_of(db, product_id)
        held = [each.product for each in store.versions_of(db, product_id)]
        off = store.switched_off(db)
    if not held:
        raise BadInput(product_id, "", "there is no such product here")
    if forms:
        return [_variant(form.text, slots_of(form.slots), off, released=True) for form in forms]
    return previews(node, [held[-1]])


def previews(node: Node, products: Iterable[Product]) -> list[Variant]:
    """What would be varied in texts that were not released: source lines and titles apart, they never are.

    What stands for a source in a tearline is not varied either; that is not known before the gate has judged.
    """
    with node.reading() as db:
        off = store.switched_off(db)
    found = []
    for product in products:
        if may_mark(node, product):
            body = _body(product)
            found.append(
                _variant(body, places_in(product, body, kept_in(product, body, (), NOTHING_EXPOSED), ()), off)
            )
    return found


def _body(product: Product) -> str:
    parts = [each.text for each in product.portions if each.role not in {Role.TITLE, Role.SOURCE}]
    return "\n\n".join(parts) if product.portions else product.content.decode("utf-8-sig", errors="replace")


def _variant(text: str, places: Sequence[Slot], off: frozenset[str], *, released: bool = False) -> Variant:
    silent = frozenset(short(slot) for slot in places if is_off(slot, off))
    return Variant(text=text, slots=tuple(places), released=released, off=silent)


def _must_be_one(db: Connection, what: str) -> None:
    """Raises `BadInput` for what names neither a place nor an entry that varies anything."""
    if _SHORT.fullmatch(what):
        return
    if what == ZERO_WIDTH:
        return
    entries = {pair.entry for language in slots.LANGUAGES for pair in slots.pairs(language)}
    # What a rule varies (a date, a comma) has a name too, but stands in no list.
    entries |= {slot.entry for _, form in store.every_form(db) for slot in slots_of(form.slots)}
    if what not in entries:
        raise BadInput(what, "", "nothing is varied by this name", "see `tearline trace slots`")


def switched_off(node: Node) -> list[str]:
    """The places and entries that are switched off."""
    with node.reading() as db:
        return sorted(store.switched_off(db))


def switch_off(node: Node, what: str, *, officer: str, why: str) -> None:
    """Vary nothing there from now on. What was released keeps its wording, and is still read.

    `what`: a place (16 hexadecimal digits) or an entry of the lexicon. Raises `Refused` where it is off, and
    `BadInput` where nothing is varied by that name.
    """
    officers.must_say_why(why)
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        _must_be_one(db, what)
        if what in store.switched_off(db):
            raise Refused(f"{what} is switched off already")
        node.record(Act.MARKING_STOPPED, {"what": what, "officer": officer, "why": why})
        store.switch_off(db, what)


def switch_on(node: Node, what: str, *, officer: str, why: str) -> None:
    """Vary it again. Raises `Refused` where it is not off."""
    officers.must_say_why(why)
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        if what not in store.switched_off(db):
            raise Refused(f"{what} is not switched off")
        node.record(Act.MARKING_RESUMED, {"what": what, "officer": officer, "why": why})
        store.switch_on(db, what)
