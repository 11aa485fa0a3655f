"""Custody at the node: what goes out is signed by its originator; what comes in is its originator's (law 4).

A node signs what it made itself. What it received it passes on under the statement of its originator,
unchanged, with the consents that `consent.permits` found; see `deliver.custody` and `deliver.admit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from tearline import deliver, label
from tearline.adapters import store
from tearline.deliver import Admitted, Custody
from tearline.gate.sanitize import language_of
from tearline.ledger import Act
from tearline.node.opened import Node
from tearline.terms import Category, Label, Partner, Party, Product, Quarantine, Tearline, Whole
from tearline.trace import slots


def stated(own: Party, product: Product, outcome: Whole | Tearline, draft: deliver.Draft) -> Custody | None:
    """What this node states of what it made itself, be it of others' information."""
    made = product.label if isinstance(outcome, Whole) else outcome.label
    if isinstance(made, Quarantine):
        return None
    return deliver.state(
        draft.object,
        originator=own,
        first_recipient=draft.recipient,
        label=label.join(made, Label(owners=frozenset({product.originator}))),
        topics=product.topics,
        issued=draft.issued,
    )


def keep_given(
    node: Node, db: Connection, given: Iterable[tuple[Label | Quarantine, deliver.Draft, Mapping[str, Any]]]
) -> None:
    """Write down what this node signed for whom, with its own label of it: that is what is asked about.

    The last of each: the object before it was marked for its recipient.
    """
    rows = []
    for own, draft, plain in given:
        if draft.chain is None or isinstance(own, Quarantine):
            continue
        custody = deliver.custody_in(draft.chain.custody)
        if custody.originator == node.party:
            rows.append(
                store.Custodian(
                    side=store.OURS,
                    party=draft.recipient,
                    release_id=draft.release_id,
                    originator=custody.originator,
                    object_id=custody.object_id,
                    version=custody.version,
                    core=custody.core,
                    substance=_substance(plain),
                    label=own,
                )
            )
    store.add_custody(db, rows)


def onward_of(node: Node, product: Product) -> dict[Party, str]:
    """Whom this node gave a version of a product to, and by which release, be it still on its way."""
    with node.reading() as db:
        return dict(store.given_onward(db, product))


# --- What comes in --------------------------------------------------------------------------------


class Register(msgspec.Struct, frozen=True):
    """Whose signatures can be checked here, and who is who."""

    keys: dict[Party, list[Ed25519PublicKey]]
    creators: dict[str, Party]

    @classmethod
    def of(cls, node: Node) -> Register:
        texts = {party: trusted(partner) for party, partner in node.partners.items()}
        keys = {party: [deliver.public_key(text) for text in some] for party, some in texts.items() if some}
        return cls(keys, {deliver.identity_id(party): party for party in (*node.partners, node.party)})


def trusted(partner: Partner) -> tuple[str, ...]:
    """The keys of a partner, base64, of today and before, whose signatures count."""
    if partner.signing_key in partner.revoked_keys:
        return ()
    return partner.signing_key, *partner.former_keys


def admitted(
    node: Node, db: Connection, release: deliver.Opened, register: Register, now: datetime
) -> Admitted:
    """Whose a received product is, in the transaction that takes it. Raises `Broken` where it may not be."""
    statement, giver = release.statement, release.statement.giver
    rows = store.custody_of_object(db, store.THEIRS, statement.object_id)
    theirs = {row.release_id: row.originator for row in rows if row.party == giver != row.originator}
    came = theirs and store.products_received_as(db, theirs)
    known = deliver.Known(
        party=node.party,
        # The giver's key may have changed in what it gives at the moment.
        keys=register.keys | {giver: [*register.keys.get(giver, []), deliver.public_key(release.key)]},
        creators=register.creators,
        made_by=frozenset(store.makers(db, statement.object_id, _substance(release.object))),
        gave=next(iter(theirs.values())) if came else None,
        holds=frozenset(row.originator for row in rows),
        accepts_unknown=node.home.config.unknown_originators == "accept",
    )
    return deliver.admit(release, known, now)


def keep_taken(node: Node, db: Connection, release: deliver.Opened, admission: Admitted) -> None:
    """Write down under which custody a product came, in the transaction that takes it."""
    statement, custody = release.statement, admission.custody
    if release.chain is None or custody is None:
        return
    if not admission.verified:
        entry = {"giver": statement.giver, "release": statement.release_id, "originator": custody.originator}
        node.record(Act.CUSTODY_UNVERIFIED, entry)
    store.add_custody(
        db,
        [
            store.Custodian(
                side=store.THEIRS,
                party=statement.giver,
                release_id=statement.release_id,
                originator=custody.originator,
                object_id=custody.object_id,
                version=custody.version,
                core=custody.core,
                substance=_substance(release.object),
                verified=admission.verified,
                envelope=msgspec.json.encode(release.chain.custody),
            )
        ],
    )


def is_held_already(db: Connection, product: Product, release_id: str, admission: Admitted) -> bool:
    """Whether it came before by another release: the same core, be it under other marks.

    Or the copy of another recipient, which its originator may have marked as that one's (`node.marks`): it
    signed both, and they are one product. Two texts for one recipient stay a contradiction.
    """
    said = admission.custody
    if said is None or store.held_version(db, product) is None:
        return False
    return any(
        (row.originator, row.version) == (said.originator, said.version)
        and (row.core == said.core or (admission.verified and _is_of_another(row, said)))
        for row in store.custody_of_object(db, store.THEIRS, said.object_id)
        if row.release_id != release_id
    )


def _is_of_another(row: store.Custodian, said: Custody) -> bool:
    if not row.verified or not row.envelope:
        return False
    envelope = msgspec.json.decode(row.envelope, type=deliver.Envelope)
    return deliver.custody_in(envelope).first_recipient != said.first_recipient


def label_of(node: Node, custody: Custody | None) -> Label:
    """What an originator's own label adds to the markings that the giver made: they cannot be wider."""
    if custody is None:
        return label.BOTTOM
    own, here = custody.label, frozenset({node.party})
    return msgspec.structs.replace(
        own,
        owners=custody.owners,
        release=None if own.release is None else own.release | here,
        display=None if own.display is None else own.display | here,
    )


def _substance(item: Mapping[str, Any]) -> str | None:
    """Of a report, in whatever wording a recipient got it (`node.marks`)."""
    if deliver.category_of(str(item["id"])) is not Category.REPORT:
        return None
    text = item.get("description")
    if isinstance(text, str):
        body, _ = deliver.undressed(slots.bare(text))
        item = {**item, "description": _one_wording(body, language_of(body, str(item.get("lang", ""))))}
    return deliver.substance_digest(item)


@lru_cache(maxsize=256)
def _one_wording(body: str, language: str) -> str:
    """The same for every wording of a text: the places are found alike in all of them."""
    places = slots.find(body, language, product="")
    return slots.write(body, places, {slot.key: 0 for slot in places})
