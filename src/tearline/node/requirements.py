"""Requirements are sensitive: each goes to partners as a report, by the gate, or not at all.

There is no way of their own for them: `send` takes them in as products, and what follows is what follows for
every product. `seen_by` asks the gate beforehand and changes nothing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from tearline import gate, intake
from tearline.node.opened import Node
from tearline.node.take_in import AlreadyHeld, TakenIn, take_in
from tearline.review.requirements import Requirement, Seen, report
from tearline.terms import Outcome, Product, Refused, Whole


def seen_by(node: Node, requirements: Sequence[Requirement]) -> tuple[Seen, ...]:
    """What the gate would answer for each requirement of this node and each partner, with the agreements and
    suspensions in force. The vault is not asked: its scan can only hold back more."""
    node.refresh()
    partners = [node.partners[party] for party in sorted(node.partners)]
    now = node.clock()
    return tuple(
        Seen(each.id, party, type(outcome).__name__.lower(), _why(outcome))
        for each in _own(node, requirements)
        for party, outcome in sorted(gate.consider(_product(node, each), partners, node.rules, now).items())
    )


def send(
    node: Node, requirements: Sequence[Requirement]
) -> Iterator[tuple[Requirement, TakenIn | AlreadyHeld | intake.Fault]]:
    """Take requirements in as products: the gate then answers for each partner.

    Raises `Refused` for one that is another party's.
    """
    for each in requirements:
        if each.holder not in (None, node.party):
            raise Refused(f"{each.id} is a requirement of {each.holder}: only its holder sends it")
    for each in requirements:
        text = report(each, node.clock()).encode()
        for answer in take_in(node, io.BytesIO(text), f"requirement {each.id}"):
            yield each, answer


def _own(node: Node, requirements: Sequence[Requirement]) -> list[Requirement]:
    return [each for each in requirements if each.holder in (None, node.party)]


def _product(node: Node, requirement: Requirement) -> Product:
    name, at = f"requirement {requirement.id}", node.clock()
    context = intake.Context(party=node.party, at=at)
    for item in intake.read(io.BytesIO(report(requirement, at).encode()), name, context=context):
        if isinstance(item, Product):
            return item
    raise Refused(f"{name} makes no report")


def _why(outcome: Outcome) -> str:
    """The reasons, as officers read them elsewhere: clauses of what goes, codes of what does not."""
    if isinstance(outcome, Whole):
        return ", ".join(reason.clause for reason in outcome.reasons if reason.clause)
    last = outcome.reasons[-1]
    return " ".join(filter(None, (gate.CODES.get(last.code, last.code), last.clause)))
