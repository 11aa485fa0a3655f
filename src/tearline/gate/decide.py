"""May this product go to these partners, and in which form? Whatever is not permitted is withheld.

For each partner, in this order; the first check that settles the matter ends it:

1. The markings of the product and of all its portions could be read whole; else: withhold.
2. The partner is neither the originator nor this node; else: withhold.
3. The originator is this node, or has consented to a release to the partner (third-party rule); else:
   withhold.
4. The label lets the partner in; if it lets it only be shown the product: refer; else: go on at 6.
5. The agreements in force permit `release`: whole. A clause that cannot be evaluated: withhold.
6. The product has a tearline form for the partner: the portions whose labels let it in, without source
   lines; among them is body text, and something was left out. The agreements permit `releaseTearline`
   of what remains, judged by the join of its labels: tearline, marked with that join.
7. Withhold.

An outcome's reasons tell which checks spoke. Their codes are `CODES`; they are for officers and the private
ledger, never for a partner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType

from tearline.agreement import Action, Agreements, Facts, Ruling, Verdict
from tearline.label import bars, join_all, may_be_shown
from tearline.label.tables import coalitions_of
from tearline.terms import (
    Label,
    Outcome,
    Partner,
    Party,
    Portion,
    Product,
    Quarantine,
    Reason,
    Recipient,
    Refer,
    Role,
    Tearline,
    Whole,
    Withhold,
)

CODES = {
    "label.quarantine": "a marking could not be read whole",
    "party.self": "the partner is this node",
    "party.originator": "the partner made the product",
    "consent.originator": "the originator has not consented",
    "label.display-only": "the label lets the partner be shown it, not given: an officer can arrange that",
    "label.level": "the partner is not cleared for the level",
    "label.need": "the partner is not read into a compartment",
    "label.release": "the partner is not on the releasability list",
    "label.reach": "TLP: the partner passes things on further than the product may go",
    "label.use": "PAP: the partner acts on things more openly than the product allows",
    "label.duties": "the partner has not undertaken a duty that the label asks for",
    "label.owners": "an owner of information in it has not consented",
    "agreement.permit": "the clause permits it",
    "agreement.forbid": "the clause forbids it",
    "agreement.none": "no agreement is in force with the partner",
    "agreement.no-clause": "no clause permits it",
    "agreement.no-level": "the agreement's table of levels has no row for the product's level",
    "agreement.error": "a clause could not be evaluated",
    "tearline.no-portions": "the product has no separately marked portions",
    "tearline.no-body": "no portion of body text may go",
    "tearline.nothing-dropped": "all portions would remain: that is the whole product, not a tearline",
    "release.not-composed": "it may go, but no marking or form can carry it",
    "error": "the product could not be considered",
}

Consents = Mapping[Party, frozenset[Party]]
"""For each partner, the owners who have consented to a release of this product to it."""

_NO_CONSENTS: Consents = MappingProxyType({})
_coalitions = lru_cache(maxsize=8192)(coalitions_of)


def consider(
    product: Product,
    partners: Sequence[Partner],
    agreements: Agreements,
    now: datetime,
    consents: Consents = _NO_CONSENTS,
) -> dict[Party, Outcome]:
    """The outcome for each partner. Total: whatever goes wrong inside is a `Withhold` with code `error`."""
    try:
        return _Case(product, agreements, now, consents).decide(partners)
    except Exception:  # fail closed; the text of the error may hold the product, so it goes no further
        return _withhold_all(partners, Reason(check=7, code="error"))


def recipient_of(partner: Partner, consents: frozenset[Party]) -> Recipient:
    """The partner as a label sees it. `consents`: the owners whose yes is held, the node itself included."""
    return Recipient(
        party=partner.party,
        clearance=partner.clearance,
        needs=partner.needs,
        reach=partner.reach,
        use=partner.use,
        duties=partner.duties,
        consents=consents,
    )


class _Case:
    """One product before the gate. `settled`: the partners whose outcome stands; `why`: reasons so far."""

    def __init__(self, product: Product, agreements: Agreements, now: datetime, consents: Consents) -> None:
        self.product, self.agreements, self.now, self.consents = product, agreements, now, consents
        self.settled: dict[Party, Outcome] = {}
        self.why: defaultdict[Party, tuple[Reason, ...]] = defaultdict(tuple)

    def decide(self, partners: Sequence[Partner]) -> dict[Party, Outcome]:
        # 1. Markings read whole.
        label = _label_of(self.product)
        if isinstance(label, Quarantine):
            return _withhold_all(partners, Reason(check=1, code="label.quarantine", detail=label.mark))
        # 2. and 3. The parties, and the originator's consent.
        open_to = {partner.party: partner for partner in partners if self._concerns(partner.party)}
        recipients = {party: self._recipient(partner) for party, partner in open_to.items()}
        # 4. The label.
        let_in = [party for party, recipient in recipients.items() if self._lets_in(label, recipient)]
        # 5. Whole.
        self._release_whole(label, let_in)
        # 6. As a tearline.
        self._release_tearlines([r for party, r in recipients.items() if party not in self.settled])
        # 7. Else not.
        for party in recipients:
            if party not in self.settled:
                self.settled[party] = Withhold(partner=party, reasons=self.why[party])
        return {partner.party: self.settled[partner.party] for partner in partners}

    def _concerns(self, party: Party) -> bool:
        """Checks 2 and 3."""
        originator, own = self.product.originator, self.agreements.own
        if party == own:
            reason = Reason(check=2, code="party.self")
        elif party == originator:
            reason = Reason(check=2, code="party.originator")
        elif originator != own and originator not in self.consents.get(party, ()):
            reason = Reason(check=3, code="consent.originator", detail=originator)
        else:
            return True
        self.settled[party] = Withhold(partner=party, reasons=(reason,))
        return False

    def _recipient(self, partner: Partner) -> Recipient:
        return recipient_of(partner, self.consents.get(partner.party, frozenset()) | {self.agreements.own})

    def _lets_in(self, label: Label, recipient: Recipient) -> bool:
        """Check 4."""
        axes = bars(label, recipient)
        if axes and may_be_shown(label, recipient):
            reasons = (Reason(check=4, code="label.display-only"),)
            self.settled[recipient.party] = Refer(partner=recipient.party, reasons=reasons)
        elif axes:
            self.why[recipient.party] = tuple(Reason(check=4, code=f"label.{axis}") for axis in axes)
        return not axes

    def _release_whole(self, label: Label, parties: Iterable[Party]) -> None:
        """Check 5."""
        for party, ruling in self._rule(label, parties, Action.RELEASE).items():
            self.why[party] = _reasons(5, ruling)
            if ruling.verdict is Verdict.PERMIT:
                self.settled[party] = Whole(partner=party, reasons=self.why[party])
            elif ruling.verdict is Verdict.ERROR:
                self.settled[party] = Withhold(partner=party, reasons=self.why[party])

    def _release_tearlines(self, recipients: Sequence[Recipient]) -> None:
        """Check 6. Partners with the same form are asked about together."""
        forms: defaultdict[tuple[int, ...], list[Party]] = defaultdict(list)
        labels = {portion.label for portion in self.product.portions if isinstance(portion.label, Label)}
        for recipient in recipients:
            open_labels = {label for label in labels if not bars(label, recipient)}
            form = tuple(
                number
                for number, portion in enumerate(self.product.portions)
                if portion.role is not Role.SOURCE and portion.label in open_labels
            )
            forms[form].append(recipient.party)
        for form, parties in forms.items():
            portions = tuple(self.product.portions[number] for number in form)
            if code := self._no_tearline(portions):
                for party in parties:
                    self.why[party] += (Reason(check=6, code=code),)
                continue
            label = join_all(portion.label for portion in portions if isinstance(portion.label, Label))
            for party, ruling in self._rule(label, parties, Action.RELEASE_TEARLINE).items():
                self.why[party] += _reasons(6, ruling)
                if ruling.verdict is Verdict.PERMIT:
                    self.settled[party] = Tearline(
                        partner=party, portions=portions, label=label, reasons=self.why[party]
                    )

    def _no_tearline(self, portions: Sequence[Portion]) -> str:
        """Why these portions are not a tearline form; empty when they are."""
        if not self.product.portions:
            return "tearline.no-portions"
        if all(portion.role is not Role.BODY for portion in portions):
            return "tearline.no-body"
        if len(portions) == len(self.product.portions):
            return "tearline.nothing-dropped"
        return ""

    def _rule(self, label: Label, parties: Iterable[Party], action: Action) -> dict[Party, Ruling]:
        """Coalitions are those of the product's day: a new member opens no old product."""
        day: date = min(self.product.created, self.now).date()
        members = {party: _coalitions(party, day) for party in parties}
        return (
            self.agreements.rule(Facts.of(self.product, label), members, action, self.now) if members else {}
        )


def _label_of(product: Product) -> Label | Quarantine:
    """The join of the product's label and of its portions', or the first mark that could not be read."""
    marks = [product.label, *(portion.label for portion in product.portions)]
    unread = next((mark for mark in marks if isinstance(mark, Quarantine)), None)
    return unread or join_all(mark for mark in marks if isinstance(mark, Label))


def _reasons(check: int, ruling: Ruling) -> tuple[Reason, ...]:
    code = f"agreement.{ruling.verdict.value}"
    return tuple(Reason(check=check, code=code, clause=clause) for clause in ruling.clauses or ("",))


def _withhold_all(partners: Sequence[Partner], reason: Reason) -> dict[Party, Outcome]:
    return {partner.party: Withhold(partner=partner.party, reasons=(reason,)) for partner in partners}
