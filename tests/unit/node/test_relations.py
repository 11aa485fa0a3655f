from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tearline.ledger import Act
from tearline.node import (
    Card,
    Node,
    Terms,
    add_login,
    add_partner,
    logins,
)
from tearline.terms import BadInput, Level, Refused
from tests.unit.node.world import TERMS, entries, make, nodes


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA") as made:
        yield made


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("party", "../../outside"),
        ("party", "usa"),
        ("party", ""),
        ("name", ""),
        ("name", "Desk\x1b[2J"),
        ("name", "x" * 201),
        ("url", "http://127.0.0.1:1/taxii2/"),
        ("url", "file:///etc/passwd"),
        ("url", "https://"),
        ("url", "https://a b/"),
        ("certificate", "none"),
        ("certificate", "é"),
        ("signing_key", "AAAA"),
    ],
)
def test_a_card_comes_from_outside_and_is_checked(
    pair: list[Node], tmp_path: Path, field: str, value: str
) -> None:
    gbr, usa = pair
    before = (entries(gbr), sorted(path.name for path in tmp_path.rglob("*.db")))
    with pytest.raises(BadInput):
        add_partner(gbr, msgspec.structs.replace(Card.of(usa), **{field: value}), TERMS)
    assert (entries(gbr), sorted(path.name for path in tmp_path.rglob("*.db"))) == before


def test_ones_own_card_is_refused(pair: list[Node]) -> None:
    with pytest.raises(BadInput, match="own"):
        add_partner(pair[0], Card.of(pair[0]), TERMS)


def test_adding_again_changes_what_is_granted(pair: list[Node]) -> None:
    gbr, usa = pair
    generation = gbr.generation
    add_partner(gbr, Card.of(usa), Terms(clearance=(("GBR", Level.RESTRICTED),)))
    assert gbr.partners["USA"].clearance == (("GBR", Level.RESTRICTED),)
    assert gbr.generation > generation
    assert len(entries(gbr, Act.PARTNER_ADDED)) == 2


def test_another_process_sees_it(pair: list[Node], tmp_path: Path) -> None:
    gbr = pair[0]
    gbr.stirred()
    assert not gbr.stirred()
    can = make(tmp_path / "CAN", "CAN")
    with Node.open(gbr.home.folder) as officer:
        add_partner(officer, Card.of(can), TERMS)
    can.close()
    assert gbr.stirred()
    assert gbr.refresh()
    assert set(gbr.partners) == set(gbr.certificates) == {"CAN", "USA"}
    assert not gbr.refresh()


def test_logins_are_for_partners(pair: list[Node]) -> None:
    gbr = pair[0]
    with pytest.raises(Refused):
        add_login(gbr, "FRA", "joe", "hash")
    add_login(gbr, "USA", "joe", "hash")
    assert logins(gbr) == {"joe": ("USA", "hash")}
    (entry,) = entries(gbr, Act.LOGIN_ADDED)
    assert "hash" not in str(entry.body)
