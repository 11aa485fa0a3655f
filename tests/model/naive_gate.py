"""The gate once more, naively: what `tearline.gate` is compared with. No Cedar, no code of the gate's own.

Agreements and clauses are plain data: `tests/strategies_gate.py` makes them and renders them as text too.
"""

from datetime import UTC, datetime
from operator import eq, ge, gt, le, lt, ne

from tearline.terms import Quarantine

ORDER = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}


def consider(product, partner, own, deals, now, consents, coalitions_of):
    """`withhold`, `refer`, `whole`, or `tearline` with the texts of its portions."""
    party, yes = partner.party, {own, *consents.get(partner.party, ())}
    labels = [product.label, *(portion.label for portion in product.portions)]
    groups = coalitions_of(party, min(product.created, now).date())

    def permitted(labels, action):
        return permits(deals, own, party, groups, product, labels, action, now)

    if any(isinstance(label, Quarantine) for label in labels) or party in (own, product.originator):
        return ("withhold",)
    if product.originator not in yes:
        return ("withhold",)
    if all(lets_in(label, label.release, partner, yes) for label in labels):
        if permitted(labels, "release"):
            return ("whole",)
    elif all(lets_in(label, label.display, partner, yes) for label in labels):
        return ("refer",)
    left = [p for p in product.portions if p.role != "source"]
    left = [p for p in left if lets_in(p.label, p.label.release, partner, yes)]
    tells = any(portion.role == "body" for portion in left)
    if tells and left != [*product.portions] and permitted([p.label for p in left], "releaseTearline"):
        return ("tearline", *(portion.text for portion in left))
    return ("withhold",)


def lets_in(label, listed, partner, yes):
    cleared = dict(partner.clearance)
    return (
        all(policy in cleared and rank <= cleared[policy] for policy, rank in label.level)
        and (listed is None or partner.party in listed)
        and all(need in partner.needs for need in label.need)
        and all(duty in partner.duties for duty in label.duties)
        and all(owner in {*yes, partner.party} for owner in [*label.owners, *label.consent])
        and not (label.reach > partner.reach or label.use > partner.use)
    )


def permits(deals, own, party, groups, product, labels, action, now):
    found = False
    for deal in deals:
        first, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (deal.first, deal.end))
        if own not in deal.parties or not first <= now < end:
            continue
        facts = facts_of(product, labels, deal.levels)
        for clause in deal.clauses:
            tests = [*clause.when, *(("not", test) for test in clause.unless), *clause.who]
            if action in clause.actions and all(holds(test, facts, party, groups, now) for test in tests):
                if clause.effect == "forbid":
                    return False
                found |= party in deal.parties and facts["level"] < 5
    return found


def facts_of(product, labels, levels):
    highest = {}
    for policy, rank in (pair for label in labels for pair in label.level):
        highest[policy] = max(rank, highest.get(policy, 0))
    ranks = [levels.get(policy, {}).get(rank, 5) for policy, rank in highest.items()]
    facts = {"level": max([0, *ranks]), "reach": 0, "use": 0}
    for label in labels:
        facts |= {"reach": max(label.reach, facts["reach"]), "use": max(label.use, facts["use"])}
    names = ("originator", "category", "topics", "regions", "disciplines")
    return facts | {name: getattr(product, name) for name in names}


def holds(test, facts, party, groups, now):
    match test:
        case "not", inner:
            return not holds(inner, facts, party, groups, now)
        case ("both" | "either") as which, *two:
            return (all if which == "both" else any)(holds(test, facts, party, groups, now) for test in two)
        case "now", sign, moment:
            return ORDER[sign](now.replace(microsecond=now.microsecond // 1000 * 1000), moment)
        case "partner", code:
            return party == code
        case "coalition", code:
            return code in groups
        case "compare", name, sign, constant:
            return ORDER[sign](facts[name], constant)
        case "one of", name, constants:
            return facts[name] in constants
        case ("any of" | "all of") as which, name, constants:
            return (all if which == "all of" else any)(each in facts[name] for each in constants)
        case "empty", name:
            return not facts[name]
    raise AssertionError(test)
