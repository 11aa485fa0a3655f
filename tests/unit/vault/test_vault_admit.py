"""New sources: neutral names that tell nothing, rows put together as texts put them, misses told."""

from __future__ import annotations

import pytest

from tearline.scan import Disposition, Kind, Scanner
from tearline.terms import BadInput, Refused
from tearline.vault import Obligations, Register, Row, RowKind, Source, State, admit, birth, oblige
from tearline.vault.cryptonym import FIRST, SECOND, draw_cryptonym
from tearline.vault.expand import identities
from tearline.vault.keeper import Finder
from tearline.vault.source import CRYPTONYM
from tests.unit.vault.world import BOTH, KEY, PERSON, TIBOR, chance

OSTRELLA = (Row(PERSON, "Ostrella Vankhorne", "en"),)
ANNA = (Row(PERSON, "Anna Marisk", "en"),)


def found(source: Source, text: str) -> set[Disposition]:
    return {hit.disposition for hit in Finder([source], KEY).scan(text)}


# --- Cryptonyms ------------------------------------------------------------------------------------


def test_the_words_are_many_neutral_and_well_formed() -> None:
    assert len(set(FIRST + SECOND)) == len(FIRST) + len(SECOND) > 400
    for word in FIRST + SECOND:
        assert CRYPTONYM.fullmatch(word), word
    # A marking, or a colour of TLP or PAP, in a cryptonym would be read as one.
    assert not set(FIRST + SECOND) & {"RED", "AMBER", "GREEN", "CLEAR", "WHITE", "SECRET", "TOP", "STRICT"}


def test_a_drawn_cryptonym_is_never_one_that_was_used() -> None:
    drawn: set[str] = set()
    below = chance()
    for _ in range(2_000):
        drawn.add(draw_cryptonym(drawn, below))
    assert len(drawn) == 2_000
    assert {name.count("-") for name in drawn} == {1}


def test_where_two_words_have_run_out_there_are_three() -> None:
    every = {f"{first}-{second}" for first in FIRST for second in SECOND}
    name = draw_cryptonym(every, chance())
    assert name not in every
    assert CRYPTONYM.fullmatch(name)


def test_a_drawn_cryptonym_says_nothing_of_anyone_in_the_vault() -> None:
    """The first words drawn are the alias of somebody: they are drawn again."""
    alias = Source(cryptonym="MUTED-LADDER", rows=(Row(RowKind.ALIAS, "Gilded Anvil", "en"),))
    wanted = iter(
        [SECOND.index("ANVIL"), FIRST.index("GILDED"), SECOND.index("TEAPOT"), FIRST.index("LUCID")]
    )

    def below(_: int) -> int:
        return next(wanted)

    admitted = admit(Register().add([alias]), [ANNA], key=KEY, below=below)
    assert admitted.added == ("LUCID-TEAPOT",)
    assert list(wanted) == []


# --- Admitting ------------------------------------------------------------------------------------------


def test_new_and_known_sources_at_once() -> None:
    more = [("MUTED-LADDER", (Row(RowKind.CALLSIGN, "Vespid Seven", "en"),))]
    admitted = admit(BOTH, [OSTRELLA, ANNA + ANNA], more, key=KEY, below=chance())
    assert admitted.extended == ("MUTED-LADDER",)
    assert len(set(admitted.added)) == 2
    first, second = (admitted.register.find(name) for name in admitted.added)
    assert (first.rows, second.rows) == (OSTRELLA, ANNA)
    assert (second.state, second.obligations) == (State.ACTIVE, Obligations())
    assert len(admitted.register.find("MUTED-LADDER").rows) == 3
    assert admitted.unfound == ()
    assert len(BOTH.sources) == 2


def test_a_cryptonym_that_says_who_it_is_is_refused() -> None:
    for name in ("OSTRELLA-VANKHORNE", "TIBOR-QUENDLEWICK"):
        with pytest.raises(Refused, match="finds an identity") as caught:
            admit(BOTH, [OSTRELLA], key=KEY, below=chance(), cryptonym=name)
        assert name not in str(caught.value)
    given = admit(BOTH, [OSTRELLA], key=KEY, below=chance(), cryptonym="SOLAR-WAGON")
    assert given.added == ("SOLAR-WAGON",)


def test_rows_for_a_stranger_are_refused() -> None:
    with pytest.raises(Refused):
        admit(BOTH, [], [("NO-SUCH", ANNA)], key=KEY, below=chance())
    with pytest.raises(BadInput):
        admit(BOTH, [()], key=KEY, below=chance())


def test_rows_that_the_scanner_passes_over_are_told() -> None:
    rows = (*ANNA, Row(RowKind.OTHER, "it", "en"), Row(RowKind.PATRONYMIC, "Orestivna", "en"))
    admitted = admit(Register(), [rows], key=KEY, below=chance())
    assert admitted.unfound == ((admitted.added[0], 2),)
    assert admitted.untried == 0


def test_rows_beyond_a_thousand_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tearline.vault.admission.MAX_TRIED", 1)
    admitted = admit(Register(), [ANNA, (Row(RowKind.OTHER, "it", "en"),)], key=KEY, below=chance())
    assert (admitted.unfound, admitted.untried) == ((), 1)


@pytest.mark.parametrize(
    "obligations",
    [
        Obligations(descriptor="a friend of Tibor Quendlewick"),
        Obligations(ask=("desk chief", "Quendlewick, Tibor")),
    ],
)
def test_obligations_with_an_identity_in_them_are_refused(obligations: Obligations) -> None:
    with pytest.raises(Refused, match="finds an identity"):
        oblige(BOTH, "OBLONG-KETTLE", obligations, key=KEY)


def test_obligations_are_kept() -> None:
    owed = Obligations(k=40, descriptor="a source with direct access", ask=("desk chief",))
    assert oblige(BOTH, "OBLONG-KETTLE", owed, key=KEY).find("OBLONG-KETTLE").obligations == owed


# --- What the scanner is told to look for ------------------------------------------------------------------


def test_every_kind_of_row_is_looked_for() -> None:
    rows = tuple(Row(kind, "Anna Marisk", "en") for kind in RowKind if kind is not RowKind.BIRTH_DATE)
    told = list(identities(Source(cryptonym="LUCID-TEAPOT", rows=rows)))
    assert {one.kind for one in told} == set(Kind)
    assert {(one.id, one.lang) for one in told} == {("LUCID-TEAPOT", "en")}
    assert "Anna Anna Marisk Marisk" in {one.name for one in told}, "the patronymic stands in the name"


def test_a_patronymic_is_looked_for_beside_a_name_and_never_alone() -> None:
    rows = (Row(PERSON, "Марко Чорнолоз", "uk"), Row(RowKind.PATRONYMIC, "Орестович", "uk"))
    source = Source(cryptonym="LUCID-TEAPOT", rows=rows)
    stopped = {Disposition.HOLD, Disposition.REVIEW}
    assert stopped & found(source, "Учора приїхав Марко Орестович, начальник складу.")
    assert stopped & found(source, "Учора приїхав Марко Орестович Чорнолоз.")
    assert found(source, "Учора приїхав Іван Орестович, начальник складу.") <= {Disposition.NOTE}
    other = (rows[0], Row(RowKind.PATRONYMIC, "Орестович", "ru"))
    assert len(list(identities(Source(cryptonym="LUCID-TEAPOT", rows=other)))) == 1


BORN = Source(cryptonym="LUCID-TEAPOT", rows=(Row(RowKind.BIRTH_DATE, "1961-03-02"),))


@pytest.mark.parametrize(
    "written",
    [
        *("1961-03-02", "19610302", "02.03.1961", "2. 3. 1961", "02/03/1961", "03/02/1961", "2-3-61"),
        *("2 March 1961", "2nd of March 1961", "March 2, 1961", "Mar. 2nd 1961", "MARCH 2 1961"),
        *("2 березня 1961", "2-го марта 1961", "2 marca 1961", "2. března 1961", "2 март 1961"),
    ],
)
def test_a_birth_date_is_found_as_it_is_written(written: str) -> None:
    text = f"The man, born {written}, came by."
    (hit,) = Finder([BORN], KEY).scan(text)
    assert text[hit.start : hit.end] == written
    assert (hit.id, hit.disposition) == ("LUCID-TEAPOT", Disposition.REVIEW)


@pytest.mark.parametrize(
    "written",
    [
        "2 March 1971",
        "3 March 1961",
        "12 March 1961",
        "March 1961",
        "2 Mark 1961",
        "112.03.1961",
        "2.3.19611",
    ],
)
def test_another_date_is_not_found(written: str) -> None:
    assert not found(BORN, f"The man, born {written}, came by.")


def test_every_name_of_a_month_is_of_one_month() -> None:
    names = birth._NAMES.split()
    assert len(names) == len(set(names)) == len(birth._MONTHS)
    assert set(birth._MONTHS.values()) == set(range(1, 13))


def test_the_index_key_decides_nothing_of_what_is_found() -> None:
    text = "It was Tibor Quendlewick."
    one, other = (Scanner(identities(TIBOR), key=key).scan(text) for key in (KEY, bytes(32)))
    assert one == other != []
