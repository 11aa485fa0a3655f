"""Canaries in the vault's register: kept with the sources, told by product, and never shown by accident."""

from __future__ import annotations

import pytest

from tearline.terms import BadInput, Refused
from tearline.vault import Canary, Keeper, Register, Row, RowKind, Source
from tearline.vault.wire import Canaries, ListCanaries, frame, frame_length, read_answer, read_request
from tests.unit.vault.world import opened, sealed

ONE = Canary(id="c1", product="report--1", options=("40 lorries", "43 lorries"), by_hand={"USA": 1})
OTHER = Canary(id="c2", product="report--2", options=("Trelsk", "Velna"))
SOURCE = Source(cryptonym="OBLONG-KETTLE", rows=(Row(RowKind.PERSON, "Tibor Quendlewick", "en"),))


def test_a_change_of_sources_keeps_them_and_the_other_way_round() -> None:
    register = Register().set_canary(ONE).add([SOURCE]).set_canary(OTHER)
    register = register.extend("OBLONG-KETTLE", [Row(RowKind.ALIAS, "Kettle", "en")]).retire("OBLONG-KETTLE")
    assert register.canaries == (ONE, OTHER)
    assert register.drop_canary("c1").sources == register.sources
    assert register.drop_canary("c1").canaries == (OTHER,)


def test_they_are_sealed_with_the_rest_and_told_by_product() -> None:
    register = Register().set_canary(ONE).set_canary(OTHER)
    data = sealed(register)
    assert b"lorries" not in data
    keeper = Keeper(opened(register))
    for asked, told in ((("report--1",), (ONE,)), ((), (ONE, OTHER)), (("report--3",), ())):
        request = read_request(frame(ListCanaries(asked))[4:])
        answer = keeper.answer(request)
        assert answer == Canaries(told)
        packed = frame(answer)
        assert read_answer(packed[4:]) == answer
        assert frame_length(packed[:4]) == len(packed) - 4


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("one",),
        ("one", " "),
        ("one", "a\nb"),
        ("one", "ONE "),
        ("one", "x" * 201),
        tuple(str(number) for number in range(65)),
    ],
)
def test_what_cannot_be_one(options: tuple[str, ...]) -> None:
    with pytest.raises(BadInput):
        Register().set_canary(Canary(id="c1", product="p", options=options))


def test_a_choice_by_hand_must_be_there() -> None:
    with pytest.raises(BadInput):
        Register().set_canary(Canary(id="c1", product="p", options=("a", "b"), by_hand={"USA": 2}))


def test_one_phrase_one_canary_and_none_is_dropped_twice() -> None:
    register = Register().set_canary(ONE)
    with pytest.raises(Refused):
        register.set_canary(Canary(id="c9", product="report--1", options=("40 lorries", "44 lorries")))
    with pytest.raises(Refused):
        register.drop_canary("c2")


def test_it_shows_nothing_by_accident() -> None:
    assert "lorries" not in repr(ONE) + str(ONE) + repr(Register().set_canary(ONE))
