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

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache

from tearline.agreement import Action, Agreements, Facts, Ruling, Verdict
from tearline.gate.openings import NO_CONSENTS, Consents, Openings, withhold_all
from tearline.label.tables import coalitions_of
from tearline.terms import (
    Label,
    Outcome,
    Partner,
    Party,
    Product,
    Quarantine,
    Reason,
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

_coalitions = lru_cache(maxsize=8192)(coalitions_of)


def consider(
    product: Product,
    partners: Sequence[Partner],
    agreements: Agreements,
    now: datetime,
    consents: Consents = NO_CONSENTS,
) -> dict[Party, Outcome]:
    """The outcome for each partner. Total: whatever goes wrong inside is a `Withhold` with code `error`."""
    try:
        return _Case(product, partners, agreements, now, consents).decide()
    except Exception:  # fail closed; the text of the error may hold the product, so it goes no further
        return withhold_all(partners, Reason(check=7, code="error"))


class _Case:
    """One product before the gate."""

    def __init__(
        self,
        product: Product,
        partners: Sequence[Partner],
        agreements: Agreements,
        now: datetime,
        consents: Consents,
    ) -> None:
        self.product, self.partners, self.agreements, self.now = product, partners, agreements, now
        # 1. to 4. Markings, parties, consent, label.
        self.open = Openings(product, partners, agreements.own, consents)
        self.settled, self.why = self.open.settled, self.open.why

    def decide(self) -> dict[Party, Outcome]:
        if not isinstance(self.open.label, Quarantine):
            # 5. Whole.
            self._release_whole(self.open.label)
            # 6. As a tearline.
            self._release_tearlines()
        # 7. Else not.
        for party in self.open.recipients:
            if party not in self.settled:
                self.settled[party] = Withhold(partner=party, reasons=self.why[party])
        return {partner.party: self.settled[partner.party] for partner in self.partners}

    def _release_whole(self, label: Label) -> None:
        """Check 5."""
        for party, ruling in self._rule(label, self.open.let_in, Action.RELEASE).items():
            self.why[party] = _reasons(5, ruling)
            if ruling.verdict is Verdict.PERMIT:
                self.settled[party] = Whole(partner=party, reasons=self.why[party])
            elif ruling.verdict is Verdict.ERROR:
                self.settled[party] = Withhold(partner=party, reasons=self.why[party])

    def _release_tearlines(self) -> None:
        """Check 6. Partners with the same form are asked about together."""
        for form in self.open.forms([party for party in self.open.recipients if party not in self.settled]):
            for party, ruling in self._rule(form.label, form.parties, Action.RELEASE_TEARLINE).items():
                self.why[party] += _reasons(6, ruling)
                if ruling.verdict is Verdict.PERMIT:
                    self.settled[party] = Tearline(
                        partner=party, portions=form.portions, label=form.label, reasons=self.why[party]
                    )

    def _rule(self, label: Label, parties: Iterable[Party], action: Action) -> dict[Party, Ruling]:
        """Coalitions are those of the product's day: a new member opens no old product."""
        day: date = min(self.product.created, self.now).date()
        members = {party: _coalitions(party, day) for party in parties}
        return (
            self.agreements.rule(Facts.of(self.product, label), members, action, self.now) if members else {}
        )


def _reasons(check: int, ruling: Ruling) -> tuple[Reason, ...]:
    code = f"agreement.{ruling.verdict.value}"
    return tuple(Reason(check=check, code=code, clause=clause) for clause in ruling.clauses or ("",))
