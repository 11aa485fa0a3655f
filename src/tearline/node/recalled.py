"""What recalls mean for the gate, and what the gate's answers mean for revisions.

- What was recalled goes to nobody any more (`Recalled`), or not to those from whom alone it was recalled.
- A new version that changes nothing but the marking takes the place of the old one (`note_changed_markings`).
- Who had the old version is told with the new one that it takes its place (`Revisions`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import orjson
from sqlalchemy import Connection

from tearline import deliver, label
from tearline.adapters import store
from tearline.deliver import Draft, Notice, RecallAction, RecallKind, RecallReason, Replacement
from tearline.deliver.recall import version_stamp
from tearline.gate.openings import label_of
from tearline.node.opened import Node
from tearline.node.recall import Order, begin, number_of, read_order
from tearline.terms import Category, Label, Party, Product, Quarantine

Drafts = Mapping[tuple[int, Party], Draft]
"""What the gate lets go, by the product's number and the partner."""


class Recalled:
    """From whom some products were recalled."""

    def __init__(self, db: Connection, products: Iterable[Product]) -> None:
        self._recalls: dict[tuple[Party, str], list[store.Recall]] = {}
        for each in store.recalls(db, {product.id for product in products}):
            self._recalls.setdefault((each.giver, each.product), []).append(each)

    def of(self, product: Product, parties: Iterable[Party]) -> frozenset[Party]:
        """Those of `parties` from whom this version was recalled."""
        meant = self._meaning(product)
        return frozenset(party for party in parties if any(to is None or party in to for to in meant))

    def wholly(self, product: Product) -> bool:
        """Whether this version was recalled from everybody."""
        return None in self._meaning(product)

    def _meaning(self, product: Product) -> list[tuple[Party, ...] | None]:
        about = self._recalls.get((product.originator, product.id), ())
        return [each.to for each in about if product.version < each.before]


# --- Changed markings ----------------------------------------------------------------------------


def note_changed_markings(node: Node, products: Sequence[Product]) -> int:
    """Where a new version of an own STIX object changes its marking alone, let it take the old one's place.

    So no copy stays under the old marking: who may have the new version gets it, from the others the old one
    is recalled. That tells nobody of anything withheld, for there is nothing new in it. Returns how many.
    """
    own = [each for each in products if each.originator == node.party and each.category is Category.CYBER]
    with node.reading() as db:
        held = [each.product for each in store.versions_of_own(db, node.party, {each.id for each in own})]
        recalled = Recalled(db, held)
    orders = []
    for new in own:
        older = [each for each in held if each.id == new.id and each.version < new.version]
        if older and _is_remarked(older[-1], new) and not recalled.wholly(older[-1]):
            orders.append(_order(node, new))
    if orders:
        with node.writing() as db:
            for order in orders:
                begin(node, db, order, number_of(db, node.party, *order.replacement or ("", "")))
    return len(orders)


def _order(node: Node, new: Product) -> Order:
    notice = Notice(
        kind=RecallKind.ADMINISTRATIVE_REVISION,
        date=version_stamp(node.clock()),
        reason=RecallReason.MARKING_CHANGED,
        actions=(RecallAction.REPLACE, RecallAction.APPLY_MARKING),
        object=new.id,
        before=new.version,
    )
    return Order(giver=node.party, to=None, notice=notice, replacement=(new.id, new.version))


def _is_remarked(old: Product, new: Product) -> bool:
    """Whether two versions say the same under other labels. What cannot be read says nothing."""
    if isinstance(label_of(old), Quarantine) or isinstance(label_of(new), Quarantine):
        return False
    return old.label != new.label and _said(old) == _said(new)


def _said(product: Product) -> dict[str, Any]:
    item = orjson.loads(product.content)
    return {key: item[key] for key in item if key not in _NOT_SAID}


_NOT_SAID = {"modified", "object_marking_refs", "granular_markings"}


# --- New versions --------------------------------------------------------------------------------


class Revisions:
    """The products among some, by number, that are to come in the place of others, and who has the others."""

    def __init__(self, db: Connection, waiting: Iterable[store.Held]) -> None:
        self._products = {held.seq: held.product for held in waiting}
        self._affected = store.revisions_waiting(db, self._products.keys())
        ids = {self._products[number].id for number in self._affected}
        found = store.recalls(db) if ids else []
        self._orders = {each.id: read_order(each.body) for each in found}
        self._old = {
            row.product: store.product_of(db, row.product) for rows in self._affected.values() for row in rows
        }

    def unsettled(self) -> set[int]:
        """Those of which it is not yet known who has read what they replace: they wait."""
        return {n for n, rows in self._affected.items() if any(row.state == "open" for row in rows)}

    def announced(self, number: int, draft: Draft) -> Draft:
        """The draft, saying what it replaces, for a partner who has an older version of the same object."""
        for row in self._affected.get(number, ()):
            if (row.partner, row.object_id) == (draft.recipient, draft.object_id) and self._tells(
                number, row
            ):
                notice = self._orders[row.recall].notice
                order = self._orders[row.recall]
                if order.release_id:
                    originator = notice.originator or order.giver
                    notice = msgspec.structs.replace(notice, originator=originator, instruction="")
                return deliver.announce(draft, notice)
        return draft

    def _tells(self, number: int, row: store.Affected) -> bool:
        """Whether the partner sees a change: a marking may have changed for others alone (law 5)."""
        old, new = self._old[row.product], self._products[number]
        if self._orders[row.recall].notice.reason is not RecallReason.MARKING_CHANGED:
            return True
        return _narrowed(old, row.partner) != _narrowed(new, row.partner)

    def settle(self, db: Connection, drafts: Drafts) -> None:
        """Write down what comes in the place of what, in the transaction that queues the drafts.

        Where an old object gets no new version, `recall.attend` recalls it.
        """
        for number, rows in self._affected.items():
            for row in rows:
                draft = drafts.get((number, row.partner))
                if draft is None:
                    continue
                if draft.object_id == row.object_id:
                    store.set_affected(db, [row.seq], state="replaced", release_id=draft.release_id)
                else:
                    by = store.encode(Replacement(draft.object_id, draft.version))
                    store.set_affected(db, [row.seq], replaced_by=by)


def _narrowed(product: Product, party: Party) -> Label | None:
    return label.narrow(product.label, party) if isinstance(product.label, Label) else None
