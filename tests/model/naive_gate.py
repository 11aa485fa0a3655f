"""The gate once more, naively: what `tearline.gate` is compared with. No Cedar, no code of the gate's own.

Agreements and clauses are plain data: `tests/strategies_gate.py` makes them and renders them as text too.
"""

import json
import math
from datetime import UTC, datetime, timedelta
from operator import eq, ge, gt, le, lt, ne

from msgspec.structs import replace

from tearline.terms import ImageryForm, Label, Quarantine

ORDER = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}


def consider(product, partner, own, deals, now, consents, coalitions_of):
    """`withhold`, `refer`, `whole`, or `tearline` with the texts of its portions, or with the name of the
    form and whether it waits."""
    party, yes = partner.party, {own, *consents.get(partner.party, ())}
    labels = [product.label, *(portion.label for portion in product.portions)]
    groups = coalitions_of(party, min(product.created, now).date())

    def permitted(labels, action, form=None):
        told = classes(product, form, now)
        return permits(deals, own, party, groups, product, labels, action, now, told)

    if any(isinstance(label, Quarantine) for label in labels) or party in (own, product.originator):
        return ("withhold",)
    if product.originator not in yes:
        return ("withhold",)
    if all(lets_in(label, label.release, partner, yes) for label in labels):
        if permitted(labels, "release"):
            return ("whole",)
    elif all(lets_in(label, label.display, partner, yes) for label in labels):
        return ("refer",)
    if product.category in ("imagery", "intercept"):
        return in_a_form(product, partner, own, deals, now, yes, permitted)
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


def permits(deals, own, party, groups, product, labels, action, now, told):
    found = False
    for deal in deals:
        first, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (deal.first, deal.end))
        if own not in deal.parties or not first <= now < end:
            continue
        facts = facts_of(product, labels, deal.levels) | told
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


# --- Imagery and signals -------------------------------------------------------------------------

MARKS = {
    "TLP:GREEN": {"reach": 1},
    "TLP:CLEAR PAP:GREEN": {"reach": 0, "use": 1},
    "UNCLASSIFIED": {"level": 0, "to": None},
    "CONFIDENTIAL//REL TO USA, GBR, SWE": {"level": 2, "to": frozenset({"USA", "GBR", "SWE"})},
    "//GBR SECRET//REL TO USA, GBR": None,
}
"""What they say where USA is the node; what is not among them cannot be read."""


def in_a_form(product, partner, own, deals, now, yes, permitted):
    shared = [
        deal for deal in sorted(deals, key=lambda deal: deal.id) if {own, partner.party} <= deal.parties
    ]
    shared = [deal for deal in shared if str(deal.first) <= now.date().isoformat() < str(deal.end)]
    for form in (form for deal in shared for form in deal.forms):
        labels = marked(product, form, own)
        if not labels or classes(product, form, now) is None:
            continue
        if not all(lets_in(label, label.release, partner, yes) for label in labels):
            continue
        if permitted(labels, "releaseTearline", form):
            taken = json.loads(product.content)["facts"]["taken"]
            if form.delay_h and taken is None:
                return ("refer",)
            waits = form.delay_h and now < datetime.fromisoformat(taken) + timedelta(hours=form.delay_h)
            return ("tearline", form.name, bool(waits))
    return ("withhold",)


def marked(product, form, own):
    """The labels that must all let somebody in; none where there is no such form."""
    label = product.label
    if form.marking not in {"", *MARKS}:
        return []
    ours = product.originator == own and {*label.owners, *label.consent} <= {own}
    if not form.marking or not ours:
        return [label]
    said = MARKS[form.marking]
    if said is None:
        both = frozenset({"GBR", "USA"})
        return [label, Label(level=(("GBR", 3),), release=both, display=both, owners=frozenset({"GBR"}))]
    if "level" not in said:
        return [replace(label, **said)]
    levels = {policy: rank for policy, rank in label.level if policy != own} | {own: said["level"]}
    return [replace(label, level=tuple(levels.items()), release=said["to"], display=said["to"])]


def classes(product, form, now):
    """`None` where there is no such form."""
    told = {"gsd": 4, "area": 0, "delay": 4, "bandwidth": 0, "position": 4}
    if product.category not in ("imagery", "intercept"):
        return told
    facts, whole = json.loads(product.content)["facts"], form is None
    picture = product.category == "imagery"
    if not whole and picture != isinstance(form, ImageryForm):
        return None
    age = -1
    if facts["taken"] is not None:
        age = (now - datetime.fromisoformat(facts["taken"])).total_seconds() / 3600
        age = age if whole else max(age, form.delay_h)
    told["delay"] = sum(age >= hours for hours in (1, 24, 168, 720))
    if picture:
        box = facts["box"] and list(facts["box"].values())
        if not whole and form.area and box:
            box = [*map(max, box[:2], edges(form)[:2]), *map(min, box[2:], edges(form)[2:])]
            if box[0] >= box[2] or box[1] >= box[3]:
                return None
        metres = max(facts["gsd_m"] or 0, 0 if whole else form.gsd_m) if facts["gsd_m"] else 0
        told["gsd"] = sum(metres >= edge for edge in (0.5, 2, 10, 30))
        told["area"] = sum(square_km(box) > edge for edge in (25, 400, 1e4, 1e6)) if box else 4
        return told
    rate = facts["sample_rate_hz"]
    wide = rate and min(rate, rate if whole else form.bandwidth_hz or rate)
    told["bandwidth"] = 1 + sum(wide > edge for edge in (25e3, 1e6, 40e6)) if wide else 4
    told["position"] = 0
    if not whole:
        told["bandwidth"] *= form.samples
        grid = form.position_deg
        told["position"] = 4 if grid is None else sum(grid >= edge for edge in (0.01, 0.1, 1))
    return told


def edges(form):
    return [form.area.west, form.area.south, form.area.east, form.area.north]


def square_km(box):
    """Strip by strip."""
    west, south, east, north = box
    strips, high = 200, (north - south) / 200
    return sum(
        high * 111.1949 * (east - west) * 111.1949 * math.cos(math.radians(south + (n + 0.5) * high))
        for n in range(strips)
    )
