"""Who is accused, with which doubt; and when nobody is.

1. What was read twice counts once, and what was read differently does not count.
2. A recipient is tested on the slots that were read and that its own copy carries, under each model of
   `leakers`. Its score is the sum of whole units over the slots in which its copy agrees (`scores`).
3. The chance that an innocent scores as high is computed (`tail`). Each of these is a test; `alpha` is shared
   out among all tests of the case, of all recipients (Bonferroni).
4. Accused is whose chance is no more than that share; unless another copy carries the same marks, for then
   they cannot be told apart.

Who held what (`held`) is told beside and accuses nobody: what a recipient lacked excuses it of that part, and
what it had, others had.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from tearline.terms import BadInput
from tearline.trace import leakers
from tearline.trace.scores import Score, score
from tearline.trace.terms import Bit, Held, Seen, Suspect, Verdict

__all__ = ["ALPHA", "MISREAD", "judge"]

ALPHA: Final = 1e-6
MISREAD: Final = 0.01

WHERE: Final = "the evidence"

Copy = Mapping[str, Bit]


def judge(
    seen: Iterable[Seen],
    copies: Mapping[str, Copy],
    *,
    held: Mapping[str, Held] = MappingProxyType({}),
    prior: Mapping[str, float] = MappingProxyType({}),
    alpha: float = ALPHA,
    misread: float = MISREAD,
    other_tests: int = 0,
) -> Verdict:
    """Whose copy was it?

    Args:
        seen: what was read, of one leak or of several that are taken for one recipient's work. Read without
            keys and without a look at any copy: the bound rests on it.
        copies: for each recipient, the bits of its copies by slot, for all that it was given of the marked
            texts, as `codes.bit` draws them (`Seen` says how for a canary).
        held: for each recipient, how much of what leaked it was given.
        prior: how likely each was thought to have taken part before the marks were read; by default all the
            same, one of them or somebody else.
        alpha: how likely any innocent may be accused in this case.
        misread: the share of slots that are read wrong. A wrong guess makes leakers harder to find; it does
            not endanger innocents.
        other_tests: tests that the same case sees besides, as of marks in pictures.

    Raises:
        BadInput: a chance that is none; a slot read with two chances; a recipient who held nothing of the
            leak and whose copy yet carries what was read.
    """
    slots = _distinct(seen)
    _check(alpha, misread, other_tests, prior)
    models = (leakers.one(slots, misread), leakers.several(slots, misread))
    tests_on = cache(lambda own: [_test([model[number] for number in own]) for model in models])
    found = [
        _evidence(partner, copies[partner], [slots[number] for number in own], tests_on(own))
        for partner in sorted(copies)
        if (own := tuple(number for number, slot in enumerate(slots) if slot.slot in copies[partner]))
    ]
    found.sort(key=lambda evidence: (evidence.chance, -evidence.ratio, evidence.partner))
    for evidence in found:
        if held.get(evidence.partner) is Held.NONE:
            reason = "a recipient held nothing of what leaked, and its copy carries what was read"
            raise BadInput(WHERE, evidence.partner, reason, "align the leak again")

    tests = sum(evidence.tests for evidence in found) + other_tests
    threshold = alpha / max(tests, 1)
    alike: dict[frozenset[tuple[str, Bit]], list[str]] = defaultdict(list)
    for evidence in found:
        alike[evidence.marks].append(evidence.partner)
    before = {evidence.partner: 1 / (len(found) + 1) for evidence in found} | dict(prior)
    suspects = [
        _suspect(evidence, alike[evidence.marks], before, accused=evidence.chance <= threshold)
        for evidence in found
    ]
    accused = tuple(suspect.partner for suspect in suspects if suspect.accused)
    best = found[0] if found else None
    more = None if accused or (best and best.chance <= threshold) else _more(best, threshold, misread)
    return Verdict(
        says=_says(slots, suspects, accused, tests, more),
        accused=accused,
        suspects=tuple(suspects),
        alpha=alpha,
        tests=tests,
        threshold=threshold,
        more=more,
        held={how: tuple(sorted(partner for partner, its in held.items() if its is how)) for how in Held},
    )


class _Evidence(NamedTuple):
    """What the marks say of one recipient, before it is held against the others."""

    partner: str
    marks: frozenset[tuple[str, Bit]]
    agree: int
    tests: int
    chance: float
    """The least of its tests."""
    ratio: float
    """Natural logarithm; the mean of the models."""
    information: float
    """What another slot would add to the ratio if it took part, under the model that fits best."""


class _Test(NamedTuple):
    """Under one model, of the copies that carry the same slots."""

    weights: Sequence[leakers.Weight]
    score: Score


def _test(weights: Sequence[leakers.Weight]) -> _Test:
    return _Test(weights, score(weights))


def _evidence(partner: str, copy: Copy, slots: Sequence[Seen], tests: Sequence[_Test]) -> _Evidence:
    agrees = [copy[slot.slot] == slot.bit for slot in slots]
    ratios = [
        math.fsum(w.agrees if agree else w.differs for w, agree in zip(test.weights, agrees, strict=True))
        for test in tests
    ]
    fits = tests[ratios.index(max(ratios))]
    return _Evidence(
        partner=partner,
        marks=frozenset((slot.slot, copy[slot.slot]) for slot in slots),
        agree=sum(agrees),
        # Models that weigh all slots alike are one test, not two.
        tests=len({test.score.units for test in tests}),
        chance=min(test.score.tail(test.score.of(agrees)) for test in tests),
        ratio=_log_mean(ratios),
        information=sum(weight.information for weight in fits.weights) / len(slots),
    )


def _suspect(evidence: _Evidence, alike: list[str], before: Mapping[str, float], *, accused: bool) -> Suspect:
    same = tuple(partner for partner in alike if partner != evidence.partner)
    # Of copies that are the same, one took part or none did.
    prior = before[evidence.partner]
    either = min(1.0, prior + sum(before[partner] for partner in same))
    likely = math.exp(max(-700.0, min(evidence.ratio, 700.0)))
    against = 1 - either + (either - prior) * likely
    return Suspect(
        partner=evidence.partner,
        slots=len(evidence.marks),
        agree=evidence.agree,
        chance=evidence.chance,
        ratio=evidence.ratio / math.log(10),
        prior=prior,
        posterior=prior * likely / (prior * likely + against),
        odds=math.log10(prior) + math.log10(likely) - math.log10(against) if prior else None,
        same=same,
        accused=accused and not same,
    )


def _more(best: _Evidence | None, threshold: float, misread: float) -> int:
    """By the information of a slot: of those read, or of a fair one where none was."""
    if best and best.information > 0:
        return math.ceil(math.log(best.chance / threshold) / best.information)
    fair = leakers.one([Seen("", 0.5, 1)], misread)[0].information
    return math.ceil(-math.log(threshold) / fair)


def _says(
    slots: Sequence[Seen], suspects: Sequence[Suspect], accused: Sequence[str], tests: int, more: int | None
) -> str:
    if accused:
        chances = {suspect.partner: suspect.chance for suspect in suspects}
        each = ", ".join(f"{partner} ({chances[partner]:.1e})" for partner in accused)
        return (
            f"{each}: in brackets the chance, at most, that an innocent's copy fits the leak as well. "
            f"Tests in this case: {tests}."
        )
    if not slots:
        return "Not enough evidence: no mark could be read."
    if not suspects:
        return "Not enough evidence: nobody's copy carries the marks that were read."
    best = suspects[0]
    if more is None:
        names = ", ".join([best.partner, *best.same])
        return f"Not enough evidence: the copies of {names} carry the same marks and cannot be told apart."
    return (
        f"Not enough evidence. The likeliest is {best.partner}; if it leaked, about {more} more "
        f"{'slot' if more == 1 else 'slots'} of its copy must be read."
    )


def _distinct(seen: Iterable[Seen]) -> list[Seen]:
    """In an order of their own, so that neither the reader's order nor a second reading changes a verdict."""
    read: dict[str, Seen] = {}
    torn: set[str] = set()
    for slot in seen:
        if not (0 < slot.p < 1 and slot.bit in {0, 1} and slot.options >= 2):
            raise BadInput(WHERE, f"slot {slot.slot}", "it states no chance between 0 and 1, or no bit")
        if slot.options > 2 and not (slot.bit == 1 and math.isclose(slot.p * slot.options, 1)):
            raise BadInput(WHERE, f"slot {slot.slot}", "a canary must state the wording read, and its chance")
        first = read.setdefault(slot.slot, slot)
        if (first.p, first.options) != (slot.p, slot.options):
            raise BadInput(WHERE, f"slot {slot.slot}", "it was read with two different chances")
        if first.bit != slot.bit:
            torn.add(slot.slot)
    return [read[name] for name in sorted(read.keys() - torn)]


def _check(alpha: float, misread: float, other_tests: int, prior: Mapping[str, float]) -> None:
    if not 0 < alpha < 1:
        raise BadInput(WHERE, "alpha", "it must lie between 0 and 1")
    if not 0 < misread < 0.5:
        raise BadInput(WHERE, "misread", "it must lie between 0 and 0.5")
    if other_tests < 0:
        raise BadInput(WHERE, "other tests", "there cannot be fewer than none")
    for partner, chance in prior.items():
        if not 0 <= chance < 1:
            raise BadInput(WHERE, f"what was thought of {partner}", "it must lie between 0 and 1")


def _log_mean(logs: Sequence[float]) -> float:
    most = max(logs)
    return most + math.log(sum(math.exp(each - most) for each in logs) / len(logs))
