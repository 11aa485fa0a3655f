"""What the label and the third-party rule leave open, whatever agreements say: checks 1 to 4 of `decide`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from tearline.label import bars, join_all, may_be_shown
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
    Withhold,
)

Consents = Mapping[Party, frozenset[Party]]
"""For each partner, the owners who have consented to a release of this product to it."""

NO_CONSENTS: Consents = MappingProxyType({})


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


class Form(NamedTuple):
    """A tearline form: what is left of a product where the label keeps back the rest."""

    portions: tuple[Portion, ...]
    label: Label
    """The join of their labels."""
    parties: list[Party]
    """Whose form it is."""


class Openings:
    """One product and these partners. `own` is the node's party; `recalled`: from whom it was recalled.

    `settled`: the outcomes that stand already; `why`: the reasons so far of the others. `label` is that of
    the whole product, `let_in` are those whom it lets have the whole. `forms` gives the tearline forms.
    """

    def __init__(
        self,
        product: Product,
        partners: Sequence[Partner],
        own: Party,
        consents: Consents = NO_CONSENTS,
        recalled: Collection[Party] = (),
    ) -> None:
        self.product, self.own, self.consents, self.recalled = product, own, consents, recalled
        self.settled: dict[Party, Outcome] = {}
        self.why: defaultdict[Party, tuple[Reason, ...]] = defaultdict(tuple)
        self.recipients: dict[Party, Recipient] = {}
        self.let_in: list[Party] = []
        self.label = label_of(product)
        # 1. Markings read whole.
        if isinstance(self.label, Quarantine):
            reason = Reason(check=1, code="label.quarantine", detail=self.label.mark)
            self.settled = withhold_all(partners, reason)
            return
        # 2. and 3. The parties, and the originator's consent.
        self.recipients = {
            each.party: self._recipient(each) for each in partners if self._concerns(each.party)
        }
        # 4. The label.
        self.let_in = [
            party for party in self.recipients if self._lets_in(self.label, self.recipients[party])
        ]

    def forms(self, parties: Iterable[Party], *, sanitized: bool = False) -> list[Form]:
        """The tearline forms for `parties`, alike ones together. Who has none is given the reason.

        `sanitized`: each portion is changed before it goes, so that one with all of them is a tearline too.
        """
        shared: defaultdict[tuple[int, ...], list[Party]] = defaultdict(list)
        portions = self.product.portions
        labels = {portion.label for portion in portions if isinstance(portion.label, Label)}
        bodies = [number for number, portion in enumerate(portions) if portion.role is not Role.SOURCE]
        for party in parties:
            open_labels = {label for label in labels if not bars(label, self.recipients[party])}
            shared[tuple(n for n in bodies if portions[n].label in open_labels)].append(party)
        found = []
        for numbers, alike in shared.items():
            left = tuple(portions[number] for number in numbers)
            if code := self._no_tearline(left, sanitized):
                for party in alike:
                    self.why[party] += (Reason(check=6, code=code),)
            else:
                label = join_all(portion.label for portion in left if isinstance(portion.label, Label))
                found.append(Form(left, label, alike))
        return found

    def _concerns(self, party: Party) -> bool:
        """Checks 2 and 3."""
        originator = self.product.originator
        if party == self.own:
            reason = Reason(check=2, code="party.self")
        elif party == originator:
            reason = Reason(check=2, code="party.originator")
        elif party in self.recalled:
            reason = Reason(check=2, code="product.recalled")
        elif originator != self.own and originator not in self.consents.get(party, ()):
            reason = Reason(check=3, code="consent.originator", detail=originator)
        else:
            return True
        self.settled[party] = Withhold(partner=party, reasons=(reason,))
        return False

    def _recipient(self, partner: Partner) -> Recipient:
        return recipient_of(partner, self.consents.get(partner.party, frozenset()) | {self.own})

    def _lets_in(self, label: Label, recipient: Recipient) -> bool:
        """Check 4."""
        axes = bars(label, recipient)
        if axes and may_be_shown(label, recipient):
            reasons = (Reason(check=4, code="label.display-only"),)
            self.settled[recipient.party] = Refer(partner=recipient.party, reasons=reasons)
        elif axes:
            self.why[recipient.party] = tuple(Reason(check=4, code=f"label.{axis}") for axis in axes)
        return not axes

    def _no_tearline(self, portions: Sequence[Portion], sanitized: bool) -> str:
        """Why these portions are not a tearline form; empty when they are."""
        if not self.product.portions:
            return "tearline.no-portions"
        if all(portion.role is not Role.BODY for portion in portions):
            return "tearline.no-body"
        if len(portions) == len(self.product.portions) and not sanitized:
            return "tearline.nothing-dropped"
        return ""


def label_of(product: Product) -> Label | Quarantine:
    """The join of the product's label and of its portions', or the first mark that could not be read."""
    marks = [product.label, *(portion.label for portion in product.portions)]
    unread = next((mark for mark in marks if isinstance(mark, Quarantine)), None)
    return unread or join_all(mark for mark in marks if isinstance(mark, Label))


def withhold_all(partners: Sequence[Partner], reason: Reason) -> dict[Party, Outcome]:
    """Nothing to any of them, for one reason."""
    return {partner.party: Withhold(partner=partner.party, reasons=(reason,)) for partner in partners}
