"""Who is accused, who is not, and what is said when the marks do not suffice."""

from __future__ import annotations

import pytest

from tearline.terms import BadInput
from tearline.trace import codes
from tearline.trace.terms import Bit, Held, Mode, Seen
from tearline.trace.verdict import judge

KEY = bytes(range(32))
PARTNERS = [f"P{number:02}" for number in range(64)]


class Case:
    """A text of so many slots, given to all; one of them leaks it, or several take turns."""

    def __init__(self, slots: int, mode: Mode = Mode.SINGLE, about: str = "text") -> None:
        self.p = {(slot := f"{about} {n}"): codes.bias(KEY, slot, mode) for n in range(slots)}
        self.copies: dict[str, dict[str, Bit]] = {
            partner: {slot: codes.bit(KEY, slot, partner, p) for slot, p in self.p.items()}
            for partner in PARTNERS
        }

    def leak(self, *partners: str) -> list[Seen]:
        takes = [partners[number % len(partners)] for number in range(len(self.p))]
        return [Seen(s, p, self.copies[who][s]) for who, (s, p) in zip(takes, self.p.items(), strict=True)]


def test_of_64_recipients_26_slots_accuse_one_and_25_do_not() -> None:
    verdict = judge((case := Case(26)).leak("P07"), case.copies)
    assert verdict.accused == ("P07",)
    assert (verdict.tests, verdict.more) == (64, None)
    first = verdict.suspects[0]
    assert (first.partner, first.slots, first.agree, first.accused) == ("P07", 26, 26, True)
    assert 2**-26 <= first.chance <= 2**-26 * (1 + 1e-8)
    assert first.posterior > 0.999
    assert verdict.says.startswith("P07 (1.5e-08)")

    verdict = judge((case := Case(25)).leak("P07"), case.copies)
    assert verdict.accused == ()
    assert verdict.suspects[0].partner == "P07"
    assert verdict.more in {1, 2}
    assert verdict.says.startswith("Not enough evidence. The likeliest is P07;")


def test_tests_made_elsewhere_in_the_case_count() -> None:
    case = Case(26)
    assert judge(case.leak("P07"), case.copies, other_tests=3).accused == ("P07",)
    assert judge(case.leak("P07"), case.copies, other_tests=4).accused == ()


def test_two_who_mix_their_copies_are_found_in_either_mode() -> None:
    for case in (Case(260), Case(400, Mode.COLLUSION)):
        verdict = judge(case.leak("P01", "P02"), case.copies)
        assert set(verdict.accused) == {"P01", "P02"}


def test_a_single_leaker_of_texts_marked_against_several() -> None:
    case = Case(60, Mode.COLLUSION)
    verdict = judge(case.leak("P03"), case.copies)
    assert verdict.accused == ("P03",)
    assert verdict.tests == 2 * 64


def test_reading_errors_cost_slots_and_nothing_else() -> None:
    case = Case(60)
    leak = [s._replace(bit=1 - s.bit) if n % 15 == 0 else s for n, s in enumerate(case.leak("P03"))]  # type: ignore[arg-type]
    for misread in (0.001, 0.1):
        assert judge(leak, case.copies, misread=misread).accused == ("P03",)


def test_short_leaks_convict_together() -> None:
    texts = [Case(10, about=f"text {number}") for number in range(3)]
    copies = {p: {s: b for text in texts for s, b in text.copies[p].items()} for p in PARTNERS}
    leaks = [text.leak("P11") for text in texts]
    assert not any(judge(leak, copies).accused for leak in leaks)
    assert judge([slot for leak in leaks for slot in leak], copies).accused == ("P11",)


def test_what_two_leaks_show_alike_counts_once_and_what_they_show_differently_not_at_all() -> None:
    case = Case(40)
    one, other = case.leak("P01"), case.leak("P02")
    differ = sum(a.bit != b.bit for a, b in zip(one, other, strict=True))
    assert judge(one + one, case.copies) == judge(one, case.copies)
    assert judge(one + other, case.copies).suspects[0].slots == 40 - differ


def test_each_is_judged_on_what_its_own_copy_carries() -> None:
    case = Case(60)
    slots, leak = list(case.p), case.leak("P01")[:30]
    case.copies["P01"] = {slot: case.copies["P01"][slot] for slot in slots[:30]}
    case.copies["P02"] = {slot: case.copies["P02"][slot] for slot in slots[:20]}
    case.copies["P03"] = {}
    held = {"P00": Held.ALL, "P01": Held.PART, "P02": Held.PART, "P03": Held.NONE, "P99": Held.ALL}
    verdict = judge(leak, case.copies, held=held)
    assert verdict.accused == ("P01",)
    assert {suspect.slots for suspect in verdict.suspects} == {30, 20}
    assert verdict.tests == 63
    assert verdict.held == {Held.ALL: ("P00", "P99"), Held.PART: ("P01", "P02"), Held.NONE: ("P03",)}


def test_an_empty_leak_and_copies_without_marks_accuse_nobody() -> None:
    nothing = judge([], Case(30).copies, held=dict.fromkeys(PARTNERS, Held.ALL))
    assert (nothing.accused, nothing.suspects, nothing.tests) == ((), (), 0)
    assert nothing.says == "Not enough evidence: no mark could be read."
    assert nothing.more is not None
    assert 21 <= nothing.more <= 23  # one recipient's test would do
    unmarked = judge(Case(30).leak("P01"), {"P01": {}})
    assert unmarked.accused == ()
    assert unmarked.says.startswith("Not enough evidence: nobody's copy carries")
    assert judge([], {}).accused == ()


def test_absence_accuses_nobody() -> None:
    """All others lacked what leaked: the one who had it is listed, no more."""
    case = Case(5)
    held = dict.fromkeys(PARTNERS[1:], Held.NONE) | {"P00": Held.ALL}
    verdict = judge(case.leak("P00"), {"P00": case.copies["P00"]}, held=held)
    assert verdict.accused == ()
    assert verdict.held[Held.ALL] == ("P00",)


def test_copies_that_are_the_same_cannot_be_told_apart() -> None:
    case = Case(60)
    case.copies["P08"] = dict(case.copies["P07"])
    verdict = judge(case.leak("P07"), case.copies)
    assert verdict.accused == ()
    assert [(s.partner, s.same) for s in verdict.suspects[:2]] == [("P07", ("P08",)), ("P08", ("P07",))]
    assert all(0.49 < suspect.posterior <= 0.5 for suspect in verdict.suspects[:2])
    assert verdict.says == (
        "Not enough evidence: the copies of P07, P08 carry the same marks and cannot be told apart."
    )
    everybody = judge(case.leak("P07"), dict.fromkeys(PARTNERS, case.copies["P07"]))
    assert everybody.accused == ()


def test_canaries_weigh_by_their_wordings() -> None:
    """Nine canaries of 8 wordings: 27 bits."""
    wordings = 8
    canaries = [f"canary {number}" for number in range(9)]
    taken = {p: {c: codes.choice(KEY, c, p, wordings) for c in canaries} for p in PARTNERS}
    read = taken["P05"]
    seen = [Seen(canary, 1 / wordings, 1, wordings) for canary in canaries]
    copies: dict[str, dict[str, Bit]] = {
        p: {c: 1 if own[c] == read[c] else 0 for c in canaries} for p, own in taken.items()
    }
    verdict = judge(seen, copies)
    assert verdict.accused == ("P05",)
    assert verdict.suspects[0].chance == pytest.approx(8.0**-9)
    assert judge(seen[:8], copies).accused == ()


def test_what_was_thought_before_moves_the_posterior_and_not_the_accusation() -> None:
    case = Case(12)
    none, much = (judge(case.leak("P01"), case.copies, prior={"P01": prior}) for prior in (0.0, 0.9))
    assert none.suspects[0].partner == much.suspects[0].partner == "P01"
    assert none.suspects[0].posterior == 0
    assert much.suspects[0].posterior > 0.99
    assert (none.accused, none.suspects[0].chance) == (much.accused, much.suspects[0].chance)


def test_as_many_more_slots_as_were_said_do_suffice_mostly() -> None:
    enough = 0
    for leaker in PARTNERS[:20]:
        long = Case(60, about=leaker)
        leak = long.leak(leaker)
        more = judge(leak[:12], long.copies).more
        assert more is not None
        enough += judge(leak[: 12 + more], long.copies).accused == (leaker,)
    assert enough >= 10


@pytest.mark.parametrize(
    "slot",
    [
        Seen("s", 0.0, 1),
        Seen("s", 1.0, 1),
        Seen("s", float("nan"), 1),
        Seen("s", 0.5, 2),  # type: ignore[arg-type]
        Seen("s", 0.5, 1, 1),
        Seen("s", 0.5, 1, 3),
        Seen("s", 1 / 3, 0, 3),
    ],
)
def test_evidence_that_states_no_chance_is_refused(slot: Seen) -> None:
    with pytest.raises(BadInput, match="the evidence, slot s"):
        judge([slot], {"P01": {"s": 1}})


def test_a_slot_read_with_two_chances_is_refused() -> None:
    with pytest.raises(BadInput, match="two different chances"):
        judge([Seen("s", 0.5, 1), Seen("s", 0.25, 1)], {})


def test_who_held_nothing_and_yet_carries_marks_is_a_contradiction() -> None:
    case = Case(3)
    with pytest.raises(BadInput, match="held nothing"):
        judge(case.leak("P01"), case.copies, held={"P02": Held.NONE})


@pytest.mark.parametrize(
    "wrong",
    [{"alpha": 0}, {"alpha": 1}, {"misread": 0}, {"misread": 0.5}, {"other_tests": -1}, {"prior": {"P": 1}}],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="the evidence"):
        judge([], {}, **wrong)  # type: ignore[arg-type]
