"""Imagery and signals before the gate and before the naive one: every outcome and form must be equal.

Values lie at the edges of classes, and beside them. Then faults are planted, one at a time.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product as each_with_each
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tearline import gate
from tearline.agreement import Agreements, Detail, media
from tearline.agreement.tables import columns
from tearline.gate import decide, forms
from tearline.label.tables import coalitions_of
from tearline.node import replay
from tearline.review import Replay
from tearline.terms import (
    Box,
    Category,
    Imagery,
    ImageryForm,
    Label,
    Level,
    Media,
    MediaForm,
    Outcome,
    Partner,
    Product,
    Reach,
    Signal,
    SignalForm,
    Tearline,
    Use,
)
from tests import strategies_gate as made
from tests.model import naive_gate

OWN, NOW = made.OWN, made.NOW
SAME = {policy: {level: level for level in Level} for policy in made.POLICIES}
SECRET = Label(
    level=(("USA", Level.SECRET),),
    owners=frozenset({OWN}),
    release=frozenset({"USA", "GBR", "SWE"}),
    display=frozenset({"USA", "GBR", "SWE"}),
)
LABELS = [
    SECRET,
    msgspec.structs.replace(SECRET, level=(("USA", Level.CONFIDENTIAL),), reach=Reach.AMBER, use=Use.AMBER),
    msgspec.structs.replace(SECRET, release=frozenset({"USA"}), display=frozenset({"USA"})),
    msgspec.structs.replace(SECRET, need=frozenset({"SI"})),
    msgspec.structs.replace(SECRET, owners=frozenset({"AUS", OWN})),
    Label(level=(("JOINT", Level.SECRET), ("USA", Level.SECRET)), owners=frozenset({OWN})),
    Label(reach=Reach.RED, owners=frozenset({OWN})),
]
EDGES: dict[str, tuple[float, ...]] = {
    "gsd": (0.3, 0.499, 0.5, 1.999, 2, 9.999, 10, 29.999, 30, 100),
    "hertz": (25e3, 25_001, 1e6, 1e6 + 1, 40e6, 40e6 + 1),
    "degrees": (0.005, 0.01, 0.0999, 0.1, 0.999, 1.0, 5.0),
}
HOURS = (1, 24, 168, 720)
AGES = [timedelta(hours=hours, microseconds=step) for hours in HOURS for step in (-1, 0)]
BOXES = [Box(20.0, 40.0, 20.0 + size, 40.0 + size) for size in (0.04, 0.06, 0.2, 0.3, 0.9, 1.2, 8.0, 13.0)]
BOXES += [Box(-10.0, -5.0, -9.95, -4.96), Box(20.1, 40.1, 20.15, 40.14)]


def a_product(draw: random.Random) -> Product:
    taken = draw.choice([None, *[NOW - age for age in AGES], NOW + timedelta(days=1)])
    facts: Imagery | Signal
    if draw.random() < 0.5:
        gsd, box = draw.choice([None, *EDGES["gsd"]]), draw.choice([None, *BOXES])
        category = Category.IMAGERY
        facts = Imagery(
            format="geotiff", width=1, height=1, bands=1, dtype="u1", gsd_m=gsd, box=box, taken=taken
        )
    else:
        category, rate = Category.INTERCEPT, draw.choice([None, *EDGES["hertz"]])
        facts = Signal(
            datatype="cf32_le",
            channels=1,
            samples=1,
            sample_rate_hz=rate,
            centre_hz=None,
            position=None,
            taken=taken,
            annotations=0,
        )
    return Product(
        id="imagery--1",
        version="2026-10-01T00:00:00.000Z",
        originator=draw.choice([OWN] * 5 + ["UKR"]),
        category=category,
        title="",
        created=datetime(2026, 10, 1, tzinfo=UTC),
        marking=None,
        label=draw.choice(LABELS),
        content=msgspec.json.encode(Media(sha256="0" * 64, size=1, media_type="image/tiff", facts=facts)),
    )


def a_form(draw: random.Random, name: str) -> MediaForm:
    marking = draw.choice(["", "", "", *naive_gate.MARKS, "SECRET//REL TO NOWHERE"])
    delay = draw.choice([0, 0, *HOURS, 23, 2000])
    if draw.random() < 0.5:
        gsd, area = draw.choice([0.0, *EDGES["gsd"]]), draw.choice([None, None, *BOXES])
        return ImageryForm(name=name, gsd_m=gsd, area=area, delay_h=delay, marking=marking)
    return SignalForm(
        name=name,
        samples=draw.random() < 0.7,
        bandwidth_hz=draw.choice([None, *EDGES["hertz"]]),
        position_deg=draw.choice([None, *EDGES["degrees"]]),
        delay_h=delay,
        marking=marking,
    )


def a_test(draw: random.Random) -> made.Test:
    if draw.random() < 0.2:
        return ("compare", "level", "<=", draw.choice([2, 3]))
    return ("compare", draw.choice(Detail._fields), draw.choice(["<=", ">=", "==", "<"]), draw.randrange(5))


def some_deals(draw: random.Random) -> tuple[made.Deal, ...]:
    found = []
    for number in range(draw.choice([1, 2])):
        clauses = [
            made.Clause(
                "permit" if draw.random() < 0.8 else "forbid",
                (),
                draw.choice([("release",), ("releaseTearline",), ("releaseTearline",)]),
                tuple(a_test(draw) for _ in range(draw.choice([0, 1, 1, 2]))),
            )
            for _ in range(draw.choice([1, 2, 3]))
        ]
        parties = draw.choice([frozenset(made.PARTIES), frozenset({OWN, "GBR", "SWE"})])
        names = draw.sample(["alpha", "bravo", "charlie", "delta"], draw.choice([1, 2, 3]))
        found.append(
            made.Deal(
                f"deal-{draw.choice('ab')}{number}",
                parties,
                SAME,
                tuple(clauses),
                end=draw.choice([date(2030, 1, 1)] * 5 + [date(2026, 11, 1)]),
                forms=tuple(a_form(draw, name) for name in names),
            )
        )
    return tuple(found)


Case = tuple[tuple[made.Deal, ...], list[Product], list[Partner], dict[str, frozenset[str]]]


def cases(seed: int, count: int) -> list[Case]:
    draw = random.Random(seed)
    trusted = [made.partner(party) for party in made.PARTIES]
    consents = [{}, {"GBR": frozenset({"UKR", "AUS"}), "SWE": frozenset({"UKR"})}]
    return [
        (some_deals(draw), [a_product(draw) for _ in range(12)], trusted, draw.choice(consents))
        for _ in range(count)
    ]


def answer(outcome: Outcome) -> tuple[Any, ...]:
    kind = str(outcome.__struct_config__.tag)
    if not isinstance(outcome, Tearline):
        return (kind,)
    assert outcome.form is not None
    assert outcome.portions == ()
    return kind, outcome.form.name, any(reason.code == "form.waits" for reason in outcome.reasons)


def compare(case: Case) -> Iterator[str]:
    deals, products, partners, consents = case
    rules = made.compiled(deals)
    for product in products:
        outcomes = gate.consider(product, partners, rules, NOW, consents)
        for partner in partners:
            expected = naive_gate.consider(product, partner, OWN, deals, NOW, consents, coalitions_of)
            outcome = outcomes[partner.party]
            assert all(reason.code in gate.CODES for reason in outcome.reasons)
            if any(reason.code.endswith("error") for reason in outcome.reasons):
                raise RuntimeError(f"the gate failed: {outcome}")
            assert answer(outcome) == expected, (outcome, product)
            yield " ".join(str(part) for part in expected)


CASES = cases(20261123, 110)


def test_gate_and_naive_gate_agree_on_imagery_and_signals() -> None:
    seen = Counter(kind for case in CASES for kind in compare(case))
    met = Counter[str]()
    for kind, count in seen.items():
        met[kind.split()[0] + kind[kind.rfind(" ") :] if " " in kind else kind] += count
    assert {"whole", "withhold", "refer", "tearline True", "tearline False"} <= met.keys()
    assert min(met.values()) >= 20, met


# --- Planted faults ------------------------------------------------------------------------------

Plant = Callable[[pytest.MonkeyPatch], None]


def _moved(name: str) -> Plant:
    """Each edge of one class a little up and a little down is another plant: here the wrong side of it."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        sides = media.bisect_left, media.bisect_right
        edges = getattr(media, name)
        real = {"left": sides[0], "right": sides[1]}
        patch.setattr(media, "bisect_left", lambda at, x: real["right" if at is edges else "left"](at, x))
        patch.setattr(media, "bisect_right", lambda at, x: real["left" if at is edges else "right"](at, x))

    plant.__name__ = f"edges_of{name.lower()}_belong_to_the_other_class"
    return plant


def one_class_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(media, "_GSD_M", (0.5, 2, 10))


def the_forms_classes_are_the_products(patch: pytest.MonkeyPatch) -> None:
    real = decide._Case._rule
    patch.setattr(
        decide._Case,
        "_rule",
        lambda self, label, _, parties, action: real(
            self, label, media.detail_of(self.product, self.now), parties, action
        ),
    )


def the_products_classes_are_a_forms(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide, "detail_of", lambda *_: Detail())


def a_marking_counts_for_what_others_made(patch: pytest.MonkeyPatch) -> None:
    real = forms.label_in
    patch.setattr(
        forms,
        "label_in",
        lambda form, product, label, own: real(
            form, msgspec.structs.replace(product, originator=own), label, own
        ),
    )


def a_marking_counts_for_what_others_own(patch: pytest.MonkeyPatch) -> None:
    real = forms.label_in

    def label_in(form: MediaForm, product: Product, label: Label, own: str) -> Label | None:
        mine = msgspec.structs.replace(label, owners=frozenset({own}))
        found = real(form, product, mine, own)
        return found and msgspec.structs.replace(found, owners=label.owners)

    patch.setattr(forms, "label_in", label_in)


def a_tlp_mark_declassifies(patch: pytest.MonkeyPatch) -> None:
    real = forms.label_in

    def label_in(form: MediaForm, product: Product, label: Label, own: str) -> Label | None:
        if form.marking.startswith("TLP"):
            label = msgspec.structs.replace(label, level=(), release=None, display=None)
        return real(form, product, label, own)

    patch.setattr(forms, "label_in", label_in)


def an_unreadable_marking_is_none(patch: pytest.MonkeyPatch) -> None:
    real = forms.label_in
    patch.setattr(
        forms, "label_in", lambda form, product, label, own: real(form, product, label, own) or label
    )


def the_delay_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(forms, "due", lambda *_: datetime.min.replace(tzinfo=UTC))


def the_delay_of_the_form_is_no_class(patch: pytest.MonkeyPatch) -> None:
    real = media._delay
    patch.setattr(media, "_delay", lambda of, now, _: real(of, now, 0))


def unknown_time_is_old(patch: pytest.MonkeyPatch) -> None:
    real = media._delay
    patch.setattr(
        media, "_delay", lambda of, now, hours: 4 if of.facts.taken is None else real(of, now, hours)
    )


def unknown_sharpness_is_coarse(patch: pytest.MonkeyPatch) -> None:
    real = media._gsd
    patch.setattr(media, "_gsd", lambda picture, form: real(picture or 1000.0, form))


def unknown_footprint_is_small(patch: pytest.MonkeyPatch) -> None:
    real = media._area
    patch.setattr(media, "_area", lambda box: real(box) if box else 0)


def the_last_form_is_tried_first(patch: pytest.MonkeyPatch) -> None:
    real = decide.Agreements.forms
    patch.setattr(decide.Agreements, "forms", lambda self, party, now: real(self, party, now)[::-1])


def forms_of_others_agreements_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        decide.Agreements,
        "forms",
        lambda self, *_: tuple(
            form for each in sorted(self._held, key=lambda deal: deal.id) for form in each.forms
        ),
    )


def labels_of_forms_bar_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide, "bars", lambda *_: ())


FAULTS: list[Plant] = [
    *(_moved(name) for name in ("_GSD_M", "_DELAY", "_BANDWIDTH_HZ", "_GRID_DEG")),
    one_class_off,
    the_forms_classes_are_the_products,
    the_products_classes_are_a_forms,
    a_marking_counts_for_what_others_made,
    a_marking_counts_for_what_others_own,
    a_tlp_mark_declassifies,
    an_unreadable_marking_is_none,
    the_delay_is_ignored,
    the_delay_of_the_form_is_no_class,
    unknown_time_is_old,
    unknown_sharpness_is_coarse,
    unknown_footprint_is_small,
    the_last_form_is_tried_first,
    forms_of_others_agreements_count,
    labels_of_forms_bar_nobody,
]


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_the_comparison_notices_a_fault_in_media(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        Counter(kind for case in CASES for kind in compare(case))


def test_a_replay_of_media_gives_what_the_gate_gives() -> None:
    """Whole as whole, any form as a tearline; what only an officer can let go counts as what is permitted."""
    seen = Counter[str]()
    for deals, products, partners, _ in CASES[:40]:
        held = [made.agreement(deal) for deal in deals]
        rules, parties = Agreements(OWN, held), [each.party for each in partners]
        judged = Replay(OWN, held, [], parties, replay.epochs(parties), examples=10**6)
        for product in products:
            when: Any = SimpleNamespace(of=lambda _, every: [(NOW, frozenset(every))])
            item: Any = SimpleNamespace(product=product, digest="")
            made_anew = replay._rows(item, partners, rules, when)
            rows = [row._replace(id=str(id(product))) for row in made_anew]
            judged.add(columns(rows))
        given = {(each.id, each.partner): each.before.outcome for each in judged.changes().examples}
        for product, partner in each_with_each(products, partners):
            outcome = gate.consider(product, [partner], rules, NOW)[partner.party]
            waits_for_time = any(reason.code == "form.taken" for reason in outcome.reasons)
            expected = "tearline" if waits_for_time else answer(outcome)[0]
            found = given.get((str(id(product)), partner.party), "withhold")
            assert found == expected.replace("refer", "withhold"), (outcome, product)
            seen[found] += 1
    assert {"whole", "tearline", "withhold"} <= seen.keys()


def test_random_boxes_and_partners_meet_every_class() -> None:
    """What the comparison is worth: every class of every attribute is met, whole and in forms."""
    met: set[tuple[str, int]] = set()
    for deals, products, _, _ in CASES:
        declared = [form for deal in deals for form in deal.forms]
        for product, form in each_with_each(products, declared):
            found = media.media_of(product)
            assert found is not None
            detail = media.detail_in(form, found, NOW)
            met |= set(zip(Detail._fields, detail, strict=True)) if detail else set()
    assert met == {(name, rank) for name in Detail._fields for rank in media.CLASSES}
