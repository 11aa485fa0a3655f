"""May this product go to these partners, and in which form? Whatever is not permitted is withheld.

For each partner, in this order; the first check that settles the matter ends it:

1. The markings of the product and of all its portions could be read whole; else: withhold.
2. The partner is neither the originator nor this node, and the product was not recalled; else: withhold.
3. The originator is this node, or has consented to a release to the partner (third-party rule); else:
   withhold.
4. The label lets the partner in; if it lets it only be shown the product: refer; else: go on at 6.
5. The agreements in force permit `release`: whole, unless it touches a protected source (law 2). A clause
   that cannot be evaluated: withhold.
6. The product has a tearline form for the partner: the portions whose labels let it in, without source
   lines; among them is body text, and something was left out. The agreements permit `releaseTearline`
   of what remains, judged by the join of its labels: tearline, marked with that join. What touches a source
   is sanitized first, tells no more of it than the mosaic allows (law 3), and is withheld from whom the
   source must not be told; where the source is owed more than a rule can give: refer.
   Of imagery and signals instead: of the forms that the agreements in force with the partner declare, in
   their order, the first that there can be of it, whose label lets the partner in and for which, judged by
   what it tells, the agreements permit `releaseTearline`: tearline in this form, to go once it is `due`.
   What touches a protected source, or must wait and nobody knows since when: refer.
7. Refer what would go whole by check 5 but touches a source; withhold everything else. What an officer has
   decided about exactly what is referred here, or in check 4 or 6, holds (`referral`).

An outcome's reasons tell which checks spoke. Their codes are `CODES`; they are for officers and the private
ledger, never for a partner.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import chain

from msgspec.structs import replace

from tearline.agreement import NOT_MEDIA, Action, Agreements, Detail, Facts, Ruling, Verdict
from tearline.agreement.media import detail_of, media_of
from tearline.gate import forms, sanitize
from tearline.gate.exposure import NOTHING_EXPOSED, Exposure, Mosaic
from tearline.gate.openings import NO_CONSENTS, Consents, Openings, withhold_all
from tearline.gate.referral import NO_DECISIONS, Choice, Decisions, decided, withheld
from tearline.label import bars, join_all
from tearline.label.tables import coalitions_of
from tearline.terms import (
    Label,
    Media,
    Outcome,
    Partner,
    Party,
    Portion,
    Product,
    Quarantine,
    Reason,
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
    "product.recalled": "this version was recalled, or a revision took its place",
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
    "source.touched": "it would go whole, but it names or rests on a protected source",
    "source.forbidden": "a source that it touches must not be told to this partner at all",
    "source.ask": "somebody must be asked before anything goes that touches the source",
    "source.found": "a protected identity was found in what was about to go",
    "mosaic.threshold": "what it tells of a source would leave fewer persons than the source is owed",
    **sanitize.CODES,
    "tearline.no-portions": "the product has no separately marked portions",
    "tearline.no-body": "no portion of body text may go",
    "tearline.nothing-dropped": "all portions would remain: that is the whole product, not a tearline",
    "form.none": "no form is declared for the partner that there can be of it",
    "form.waits": "it may go in this form, and goes once it is old enough",
    "form.taken": "it may go in this form after a time, but nobody knows when it was taken",
    "form.making": "it may go in this form, and goes once that is made",
    "form.found": "what was made of it tells too much, or nothing could be made: for an officer",
    "consent.form": "an owner has not consented that it goes in this form",
    "consent.custody": "another made it, and it is not held as its originator signed it",
    "reference.waits": "it may go, and goes once the partner was given what it cannot be without",
    "name.withheld": "its text names an object that is withheld from the partner",
    "release.not-composed": "it may go, but no marking or form can carry it",
    "officer.released": "an officer has looked at it and lets it go",
    "officer.withheld": "an officer has looked at it and withholds it",
    "error": "the product could not be considered",
}

_coalitions = lru_cache(maxsize=8192)(coalitions_of)

_Answer = tuple[Verdict | None, tuple[Reason, ...]]
"""The agreements' verdict, `None` where the label bars; and why."""


def consider(
    product: Product,
    partners: Sequence[Partner],
    agreements: Agreements,
    now: datetime,
    consents: Consents = NO_CONSENTS,
    exposure: Exposure = NOTHING_EXPOSED,
    recalled: Collection[Party] = (),
    decisions: Decisions = NO_DECISIONS,
) -> dict[Party, Outcome]:
    """The outcome for each partner; `recalled`: those from whom the product was recalled.

    `decisions`: what officers decided about this product for partners to whom it was not released before.

    Total: whatever goes wrong inside is a `Withhold` with code `error`.
    """
    try:
        return _Case(product, partners, agreements, now, consents, exposure, recalled, decisions).decide()
    except Exception:  # fail closed; the text of the error may hold the product, so it goes no further
        return withhold_all(partners, Reason(check=7, code="error"))


class _Case:
    """One product before the gate. `blocked`: who would get it whole, if it touched no source."""

    def __init__(
        self,
        product: Product,
        partners: Sequence[Partner],
        agreements: Agreements,
        now: datetime,
        consents: Consents,
        exposure: Exposure,
        recalled: Collection[Party],
        decisions: Decisions,
    ) -> None:
        self.product, self.partners, self.agreements, self.now = product, partners, agreements, now
        self.decisions = decisions
        # 1. to 4. Markings, parties, consent, label.
        self.open = Openings(product, partners, agreements.own, consents, recalled)
        self.settled, self.why = self.open.settled, self.open.why
        self.exposure, self.touched = exposure, exposure.touched(product)
        self.blocked: list[Party] = []

    def decide(self) -> dict[Party, Outcome]:
        if not isinstance(self.open.label, Quarantine):
            # 5. Whole.
            self._release_whole(self.open.label)
            # 6. As a tearline.
            rest = [party for party in self.open.recipients if party not in self.settled]
            if (media := media_of(self.product)) is not None:
                self._release_forms(rest, self.open.label, media)
            elif self.touched:
                self._release_sanitized(rest)
            else:
                self._release_tearlines(rest)
        # 7. Else not, or not without an officer.
        for party in self.open.recipients:
            if party not in self.settled:
                form = Refer if party in self.blocked else Withhold
                self.settled[party] = form(partner=party, reasons=self.why[party])
        return {
            partner.party: withheld(self.product, self.settled[partner.party], self.decisions)
            for partner in self.partners
        }

    def _release_whole(self, label: Label) -> None:
        """Check 5."""
        detail = detail_of(self.product, self.now)
        for party, ruling in self._rule(label, detail, self.open.let_in, Action.RELEASE).items():
            self.why[party] = _reasons(5, ruling)
            if ruling.verdict is Verdict.ERROR:
                self.settled[party] = Withhold(partner=party, reasons=self.why[party])
            elif ruling.verdict is Verdict.PERMIT and self.touched:
                self.why[party] += (Reason(check=5, code="source.touched"),)
                self.blocked.append(party)
            elif ruling.verdict is Verdict.PERMIT:
                self.settled[party] = Whole(partner=party, reasons=self.why[party])

    def _release_tearlines(self, parties: Iterable[Party]) -> None:
        """Check 6, for what touches no source. Partners with the same form are asked about together."""
        for form in self.open.forms(parties):
            for party, ruling in self._rule_portions(form.label, form.parties).items():
                self.why[party] += _reasons(6, ruling)
                if ruling.verdict is Verdict.PERMIT:
                    self.settled[party] = Tearline(
                        partner=party, portions=form.portions, label=form.label, reasons=self.why[party]
                    )

    def _release_forms(self, parties: Iterable[Party], label: Label, media: Media) -> None:
        """Check 6, for imagery and signals. Partners are asked about together, form by form."""
        declared = {party: self.agreements.forms(party, self.now) for party in parties}
        there = forms.offers(
            chain.from_iterable(declared.values()), self.product, label, media, self.open.own, self.now
        )
        answers = {
            form: self._asked(offer, [party for party, its in declared.items() if form in its])
            for form, offer in there.items()
        }
        for party, its in declared.items():
            offered = [there[form] for form in its if form in there]
            if self.exposure.forbids(self.touched, party):
                self._settle(Withhold, party, "source.forbidden")
            elif not offered:
                self.why[party] += (Reason(check=6, code="form.none"),)
            while offered and party not in self.settled:
                offer = offered.pop(0)
                verdict, reasons = answers[offer.form][party]
                self.why[party] += reasons
                if verdict is Verdict.PERMIT:
                    self._give(party, offer)
                elif verdict is Verdict.ERROR:
                    self._settle(Withhold, party)

    def _asked(self, offer: forms.Offer, parties: Iterable[Party]) -> dict[Party, _Answer]:
        """What label and agreements say of a form."""
        axes = {party: bars(offer.label, self.open.recipients[party]) for party in parties}
        let_in = [party for party, barred in axes.items() if not barred]
        rulings = self._rule(offer.label, offer.detail, let_in, Action.RELEASE_TEARLINE)
        name = offer.form.name
        found: dict[Party, _Answer] = {
            party: (None, tuple(Reason(check=6, code=f"label.{axis}", detail=name) for axis in barred))
            for party, barred in axes.items()
        }
        return found | {
            party: (ruling.verdict, _reasons(6, ruling, name)) for party, ruling in rulings.items()
        }

    def _give(self, party: Party, offer: forms.Offer) -> None:
        """Check 6: label and agreements permit the form."""
        when = forms.due(self.product, offer.form)
        if self.touched:
            self._settle(Refer, party, "source.touched")
        elif when is None:
            self._settle(Refer, party, "form.taken")
        else:
            if when > self.now:
                self.why[party] += (Reason(check=6, code="form.waits", detail=offer.form.name),)
            self.settled[party] = Tearline(
                partner=party, portions=(), label=offer.label, reasons=self.why[party], form=offer.form
            )

    def _release_sanitized(self, parties: Iterable[Party]) -> None:
        """Check 6, for what touches a source: one partner after the other, for each telling counts."""
        mosaic = Mosaic(self.exposure)
        open_to = []
        for party in parties:
            if self.exposure.forbids(self.touched, party):
                self._settle(Withhold, party, "source.forbidden")
            else:
                open_to.append(party)
        for form in self.open.forms(open_to, sanitized=True):
            for party, ruling in self._rule_portions(form.label, form.parties).items():
                self.why[party] += _reasons(6, ruling)
                if ruling.verdict is Verdict.PERMIT:
                    self._sanitize(party, mosaic.tellable(form.portions, party), mosaic)

    def _sanitize(self, party: Party, portions: Sequence[Portion], mosaic: Mosaic) -> None:
        """Check 6: the agreements permit the form; what is left is what the sources are owed."""
        if all(portion.role is not Role.BODY for portion in portions):
            return self._settle(Refer, party, "mosaic.threshold")
        label = join_all(each.label for each in portions if isinstance(each.label, Label))
        (ruling,) = self._rule_portions(label, [party]).values()
        if ruling.verdict is not Verdict.PERMIT:  # an agreement may permit the whole form and not a part
            return self._settle(Refer, party, "mosaic.threshold")
        made = self._made(portions)
        left = _reworded(portions, made.texts)
        asked = (Reason(check=6, code="source.ask"),) if self.exposure.asks(self.touched) else ()
        if flags := (*asked, *made.reasons(6)):
            self.why[party] += flags
            referred = Refer(partner=party, reasons=self.why[party], portions=left, label=label)
            made_of_it = decided(self.product, referred, self.decisions)
            if made_of_it is None or made_of_it.choice is not Choice.TEARLINE:
                self.settled[party] = referred
                return None
            self.why[party] += (Reason(check=6, code="officer.released"),)
            left = _reworded(left, made_of_it.texts)
        mosaic.tell(portions, party)
        self.settled[party] = Tearline(partner=party, portions=left, label=label, reasons=self.why[party])
        return None

    def _made(self, portions: Sequence[Portion]) -> sanitize.Sanitized:
        numbers = [self.product.portions.index(portion) for portion in portions]
        return sanitize.sanitize(
            [portion.text for portion in portions],
            [self.exposure.in_portion(number) for number in numbers],
            self.exposure.owed,
            language=self.product.language,
            day=self.now.date(),
            written=self.product.created.date(),
            rests_on=self.touched,
        )

    def _settle(self, form: type[Refer] | type[Withhold], party: Party, *codes: str) -> None:
        self.why[party] += tuple(Reason(check=6, code=code) for code in codes)
        self.settled[party] = form(partner=party, reasons=self.why[party])

    def _rule_portions(self, label: Label, parties: Iterable[Party]) -> dict[Party, Ruling]:
        """On some of the portions: they are text."""
        return self._rule(label, NOT_MEDIA, parties, Action.RELEASE_TEARLINE)

    def _rule(
        self, label: Label, detail: Detail, parties: Iterable[Party], action: Action
    ) -> dict[Party, Ruling]:
        """Coalitions are those of the product's day: a new member opens no old product."""
        day: date = min(self.product.created, self.now).date()
        members = {party: _coalitions(party, day) for party in parties}
        facts = Facts.of(self.product, label, detail)
        return self.agreements.rule(facts, members, action, self.now) if members else {}


def _reworded(portions: Sequence[Portion], texts: Sequence[str] | None) -> tuple[Portion, ...]:
    """The portions with these texts in the place of theirs."""
    if texts is None:
        return tuple(portions)
    return tuple(replace(each, text=text) for each, text in zip(portions, texts, strict=True))


def _reasons(check: int, ruling: Ruling, form: str = "") -> tuple[Reason, ...]:
    code = f"agreement.{ruling.verdict.value}"
    return tuple(
        Reason(check=check, code=code, clause=clause, detail=form) for clause in ruling.clauses or ("",)
    )
