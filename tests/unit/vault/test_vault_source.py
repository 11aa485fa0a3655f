"""The register: cryptonyms are for ever, and nothing shows an identity by accident."""

from __future__ import annotations

from datetime import date

import pytest

from tearline.scan import Kind
from tearline.terms import BadInput, Refused
from tearline.vault import Obligations, Register, Row, RowKind, Source, State
from tests.unit.vault.world import BOTH, TIBOR, ZVENYSLAVA


def test_every_kind_of_the_scanner_is_a_kind_of_row() -> None:
    assert {str(kind) for kind in Kind} < {str(kind) for kind in RowKind}


def test_a_row_is_read_as_it_is_meant() -> None:
    row = Row.read(" Person ", "  Тібор\u00a0 Квендл ", "UK", where="x", place="y")
    assert row == Row(RowKind.PERSON, "Тібор Квендл", "uk")
    decomposed = Row.read("person", "Ии\u0306ван", "ru", where="x", place="y")
    assert decomposed.text == "Ийван"


@pytest.mark.parametrize(
    ("kind", "text", "lang", "reason"),
    [
        ("persn", "Tibor Quendlewick", "en", "its kind is not known"),
        ("person", "Tibor Quendlewick", "english", "its language"),
        ("person", "T", "en", "not one line of 2 to 200"),
        ("person", "", "en", "not one line of 2 to 200"),
        ("person", "Tibor\u200bQuendlewick", "en", "not one line of 2 to 200"),
        ("person", "Tibor" * 41, "en", "not one line of 2 to 200"),
        ("birth-date", "12.03.1961", "", "this is not a date"),
    ],
)
def test_a_bad_row_is_refused_without_being_shown(kind: str, text: str, lang: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason) as caught:
        Row.read(kind, text, lang, where="rows.csv", place="line 7")
    assert str(caught.value).startswith("rows.csv, line 7: ")
    assert "Tibor" not in str(caught.value)


def test_nothing_shows_an_identity() -> None:
    shown = repr((TIBOR, BOTH, TIBOR.rows, TIBOR.standing())) + str(TIBOR.rows[0]) + f"{TIBOR} {BOTH}"
    assert "uendlewick" not in shown
    assert "MUTED-LADDER" in shown


def test_a_cryptonym_is_never_used_again() -> None:
    for register in (BOTH, BOTH.retire("MUTED-LADDER")):
        with pytest.raises(Refused, match="MUTED-LADDER was used before"):
            register.add([Source(cryptonym="MUTED-LADDER", rows=ZVENYSLAVA.rows)])


@pytest.mark.parametrize("cryptonym", ["muted-ladder", "A-B", "", "MUTED LADDER", "-MUTED", "МУТЕД-ЛАДДЕР"])
def test_what_cannot_be_a_cryptonym(cryptonym: str) -> None:
    with pytest.raises(BadInput, match="words of capitals"):
        Register().add([Source(cryptonym=cryptonym, rows=TIBOR.rows)])


def test_a_source_without_identity_is_refused() -> None:
    with pytest.raises(BadInput, match="identity rows"):
        Register().add([Source(cryptonym="MUTED-LADDER", rows=())])


def test_changes_leave_the_old_register_as_it_was() -> None:
    row = Row(RowKind.CALLSIGN, "Vespid Seven", "en")
    grown = BOTH.extend("MUTED-LADDER", [row, TIBOR.rows[0]])
    assert grown.find("MUTED-LADDER").rows == (*TIBOR.rows, row)
    obliged = grown.oblige("MUTED-LADDER", Obligations(k=30, expires=date(2027, 1, 31)))
    assert obliged.find("MUTED-LADDER").obligations.k == 30
    retired = obliged.retire("MUTED-LADDER")
    assert retired.find("MUTED-LADDER").state is State.RETIRED
    assert retired.find("MUTED-LADDER").rows == (*TIBOR.rows, row)
    assert BOTH.sources == {"OBLONG-KETTLE": ZVENYSLAVA, "MUTED-LADDER": TIBOR}
    with pytest.raises(Refused, match="retired already"):
        retired.retire("MUTED-LADDER")
    with pytest.raises(Refused, match="no source has this cryptonym"):
        BOTH.find("QUIET-ANVIL")


@pytest.mark.parametrize(
    "obligations",
    [Obligations(k=1), Obligations(k=2_000_000), Obligations(descriptor=" "), Obligations(ask=("a\nb",))],
)
def test_obligations_that_cannot_be(obligations: Obligations) -> None:
    with pytest.raises(BadInput):
        BOTH.oblige("MUTED-LADDER", obligations)


def test_a_standing_tells_only_what_may_leave_the_vault() -> None:
    standing = TIBOR.standing()
    assert (standing.cryptonym, standing.rows, standing.state) == ("MUTED-LADDER", 2, State.ACTIVE)
    assert standing.obligations == Obligations()
