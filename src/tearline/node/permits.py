"""Which consents let a product go on to whom, and what officers decided about it.

With both the gate is asked; the consents then go with the release.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from tearline import deliver, gate
from tearline.adapters import store
from tearline.agreement import Agreements
from tearline.deliver import Chain, Consent, Custody, Envelope, Subject
from tearline.gate import Exposure
from tearline.node import custody
from tearline.node.opened import Node
from tearline.terms import (
    Broken,
    Category,
    Label,
    Outcome,
    Partner,
    Party,
    Product,
    Quarantine,
    Tearline,
    Whole,
)


class Permit(msgspec.Struct, frozen=True):
    """What is held of custody, consents and decisions for one product, at one moment.

    `received`: the originator's envelope that came with it, and what it says. `consents`: for each partner
    the consents that could let it go to that one. `decisions`: what officers decided about its referrals.
    """

    own: Party
    now: datetime | None = None
    received: tuple[Envelope, Custody] | None = None
    consents: Mapping[Party, tuple[tuple[Consent, Envelope], ...]] = MappingProxyType({})
    decisions: gate.Decisions = gate.NO_DECISIONS

    def judge(
        self,
        product: Product,
        partners: Sequence[Partner],
        rules: Agreements,
        now: datetime,
        exposure: Exposure,
        recalled: frozenset[Party] = frozenset(),
    ) -> dict[Party, Outcome]:
        """The gate's answer, asked with these consents. `recalled`: from whom the product was recalled."""
        yes = {
            party: frozenset(consent.originator for consent, _ in held)
            for party, held in self.consents.items()
        }
        asked = (rules, now, yes, exposure, recalled, self.decisions)
        outcomes = gate.consider(product, partners, *asked)
        for partner in partners:
            listed = self.product_for(product, partner.party)
            if listed is not product:
                outcomes |= gate.consider(listed, [partner], *asked)
        return outcomes

    def withhold(self, product: Product, outcomes: dict[Party, Outcome]) -> None:
        """Withhold what was referred after the gate had answered, and an officer decided to withhold."""
        for party, outcome in outcomes.items():
            outcomes[party] = gate.withheld(product, outcome, self.decisions)

    def wanting(
        self,
        product: Product,
        partners: Sequence[Partner],
        rules: Agreements,
        exposure: Exposure,
        outcomes: Mapping[Party, Outcome],
    ) -> list[Party]:
        """For whom nothing is missing but the originator's consent."""
        others = others_in(product, self.own)
        if self.received is None or self.now is None or others != {product.originator}:
            return []
        found = []
        for partner in partners:
            if outcomes[partner.party].reasons[0].code == "consent.originator":
                yes = {partner.party: others}
                asked = gate.consider(
                    _listing(product, partner.party), [partner], rules, self.now, yes, exposure
                )
                found += [party for party, outcome in asked.items() if isinstance(outcome, Whole)]
        return found

    def product_for(self, product: Product, party: Party) -> Product:
        """The product as its label stands for `party`.

        What was received is listed for this node alone (law 5), whoever else is on the originator's list. Its
        owners' consent to this very product says that the party is on it: they looked at theirs.
        """
        own = product.label
        if product.portions or isinstance(own, Quarantine) or self.received is None:
            return product
        named = {
            consent.originator
            for consent, _ in self.consents.get(party, ())
            if isinstance(consent.subject, Subject)
        }
        if not named or not (own.owners | own.consent) - {self.own} <= named:
            return product
        return _listing(product, party)

    def missing(self, product: Product, outcome: Whole | Tearline, draft: deliver.Draft) -> str:
        """The code of what keeps a draft from going under custody; empty where nothing does."""
        said = self._said(product, outcome, draft)
        if said is None:
            return "consent.custody"
        return (
            ""
            if all(self._best(owner, said, draft) for owner in said.owners - {self.own})
            else "consent.form"
        )

    def chained(
        self, product: Product, outcome: Whole | Tearline, draft: deliver.Draft, key: Ed25519PrivateKey
    ) -> deliver.Draft | None:
        """The draft with its custody and consents; `None` where something is missing.

        Nothing may be changed in the draft afterwards.
        """
        said = self._said(product, outcome, draft)
        if said is None or self.missing(product, outcome, draft):
            return None
        found = [self._best(owner, said, draft) for owner in sorted(said.owners - {self.own})]
        theirs = said.originator != self.own and self.received is not None
        envelope = self.received[0] if theirs and self.received else deliver.sign_custody(said, key)
        chain = Chain(envelope, [each[1] for each in found if each is not None])
        return msgspec.structs.replace(draft, chain=chain)

    def _said(self, product: Product, outcome: Whole | Tearline, draft: deliver.Draft) -> Custody | None:
        """What goes with the draft: its originator's statement, or this node's on what it made itself."""
        if isinstance(outcome, Tearline) or product.originator == self.own:
            return custody.stated(self.own, product, outcome, draft)
        if self.received is None or not _is_about(self.received[1], draft):
            return None
        return self.received[1]

    def _best(self, owner: Party, said: Custody, draft: deliver.Draft) -> tuple[Consent, Envelope] | None:
        """The consent of an owner that covers it longest."""
        now = self.now
        covering = [
            each
            for each in self.consents.get(draft.recipient, ())
            if each[0].originator == owner
            and now is not None
            and deliver.covers(each[0], said, self.own, draft.recipient, now)
        ]
        return max(covering, key=lambda each: (each[0].until, each[0].serial), default=None)


def _listing(product: Product, party: Party) -> Product:
    """The product with `party` on the lists of its label."""
    own = product.label
    if isinstance(own, Quarantine):
        return product
    release, display = (lists if lists is None else lists | {party} for lists in (own.release, own.display))
    listed = msgspec.structs.replace(own, release=release, display=display)
    return msgspec.structs.replace(product, label=listed)


def permits(node: Node, db: Connection, helds: Sequence[store.Held], now: datetime) -> dict[int, Permit]:
    """By product number: what is held for each of these products, at this moment."""
    plain = Permit(node.party)
    found = dict.fromkeys((held.seq for held in helds), plain)
    decided = store.standing_decisions(db, list(found))
    for seq, bodies in decided.items():
        found[seq] = Permit(node.party, decisions=_decisions(bodies))
    foreign = [held for held in helds if others_in(held.product, node.party)]
    if not foreign:
        return found
    valid = in_force(node, db, now)
    names = {held.received_as for held in foreign} - {None}
    came = store.custody_of_releases(db, store.THEIRS, [str(name) for name in names])
    for held in foreign:
        received = _received(held, came)
        by_recipient: dict[Party, tuple[tuple[Consent, Envelope], ...]] = {}
        for each in valid:
            if _could_cover(each[0], held.product, received and received[1], node.party):
                by_recipient[each[0].recipient] = (*by_recipient.get(each[0].recipient, ()), each)
        decisions = found[held.seq].decisions
        found[held.seq] = Permit(node.party, now, received, by_recipient, decisions)
    return found


def _decisions(bodies: Mapping[Party, bytes]) -> dict[Party, gate.Decision]:
    return {party: msgspec.json.decode(body, type=gate.Decision) for party, body in bodies.items()}


def others_in(product: Product, own: Party) -> frozenset[Party]:
    """Whose consent it takes to pass a product on, this node's own aside."""
    marks = [product.label, *(portion.label for portion in product.portions)]
    owners = [mark.owners | mark.consent for mark in marks if isinstance(mark, Label)]
    return frozenset({product.originator}).union(*owners) - {own}


def in_force(node: Node, db: Connection, now: datetime) -> list[tuple[Consent, Envelope]]:
    """The consents that this node holds today, each verified with its originator's key."""
    found = []
    for kept in store.consents(db, store.THEIRS, in_force_at=store.stamp(now)):
        partner = node.partners.get(kept.originator)
        if partner is not None and kept.envelope is not None:
            read = _verified(kept.envelope, kept.originator, custody.trusted(partner))
            if read is not None and read[0].is_valid(now) and read[0].serial == kept.serial:
                found.append(read)
    return found


def rests_on(draft: deliver.Draft) -> list[tuple[Party, str]]:
    """(originator, serial) of the consents that go with a draft."""
    said = map(deliver.consent_in, draft.chain.consents if draft.chain else ())
    return [(consent.originator, consent.serial) for consent in said]


@lru_cache(maxsize=4096)
def _verified(envelope: bytes, originator: Party, keys: tuple[str, ...]) -> tuple[Consent, Envelope] | None:
    read = msgspec.json.decode(envelope, type=Envelope)
    try:
        return deliver.read_consent(read, originator, [deliver.public_key(key) for key in keys]), read
    except Broken:
        return None


def _received(held: store.Held, came: Mapping[str, store.Custodian]) -> tuple[Envelope, Custody] | None:
    row = came.get(held.received_as or "")
    if row is None or row.envelope is None or not row.verified or row.originator != held.product.originator:
        return None
    envelope = msgspec.json.decode(row.envelope, type=Envelope)
    return envelope, deliver.custody_in(envelope)


def _could_cover(consent: Consent, product: Product, said: Custody | None, own: Party) -> bool:
    """Whether it may be about this product. In which form it lets it go is looked at once that is known."""
    if consent.holder != own or consent.originator not in others_in(product, own):
        return False
    if isinstance(consent.subject, Subject):
        return said is not None and consent.subject == Subject(said.object_id, said.version, said.core)
    topics = product.topics if said is None else said.topics
    return any(consent.subject.covers(category, topics) for category in _categories(product, said))


def _categories(product: Product, said: Custody | None) -> Collection[Category]:
    """As what it can travel: a tearline is a report."""
    as_whole = deliver.category_of(product.id) if said is None else said.category
    return {as_whole, Category.REPORT} if product.portions else {as_whole}


def _is_about(said: Custody, draft: deliver.Draft) -> bool:
    """Whether the object stands in the draft as its originator signed it."""
    core = deliver.core_digest(draft.object)
    return (said.object_id, said.version, said.core) == (draft.object_id, draft.version, core)
