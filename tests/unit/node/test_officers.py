from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tearline.adapters.home import Config
from tearline.adapters.store import Approval
from tearline.ledger import Act
from tearline.node import Node, approve, approvers, quorum, sign_approval
from tearline.node.officers import add_officer, officers, remove_officer
from tearline.terms import BadInput, Refused
from tests.adoption import OFFICERS, WHY, found, key_of, public_key_of
from tests.unit.node.world import Clock, entries, make

ACT, SUBJECT = "resume-partner", "UKR@3"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with make(tmp_path / "GBR", "GBR") as made:
        found(made)
        yield made


def signed(node: Node, officer: str, *, act: str = ACT, subject: str = SUBJECT, key: str = "") -> Approval:
    return sign_approval(
        node.party, officer, key_of(key or officer), act=act, subject=subject, at=node.clock()
    )


def add(node: Node, name: str, *, approved_by: tuple[str, ...] = OFFICERS, by: str = "heron-1") -> None:
    """Add an officer with these approvals."""
    with pytest.raises(Refused) as refused:
        add_officer(node, name, public_key_of(name), by=by, why=WHY)
    act, subject = str(refused.value).partition("officer approve ")[2].split(" ", 1)
    for officer in approved_by:
        approve(node, signed(node, officer, act=act, subject=subject.strip("'")), WHY)
    add_officer(node, name, public_key_of(name), by=by, why=WHY)


def names(node: Node) -> list[str]:
    return [officer.name for officer in officers(node)]


def test_distinct_officers_are_counted_once(node: Node) -> None:
    assert quorum(node) == 2
    assert approve(node, signed(node, "heron-1"), WHY) == 1
    assert approve(node, signed(node, "heron-1"), WHY) == 1
    assert approvers(node, act=ACT, subject=SUBJECT) == {"heron-1"}
    assert approve(node, signed(node, "heron-2"), WHY) == 2
    assert approvers(node, act=ACT, subject=SUBJECT) == set(OFFICERS)
    assert approvers(node, act=ACT, subject="UKR@4") == approvers(node, act="adopt", subject=SUBJECT) == set()
    assert len(entries(node, Act.APPROVAL_GIVEN)) == 3
    body = entries(node, Act.APPROVAL_GIVEN)[0].body
    assert (body["officer"], body["act"], body["subject"], body["why"]) == ("heron-1", ACT, SUBJECT, WHY)


def test_the_same_approval_twice_changes_nothing(node: Node) -> None:
    approval = signed(node, "heron-1")
    assert approve(node, approval, WHY) == approve(node, approval, "Again.") == 1
    assert len(entries(node, Act.APPROVAL_GIVEN)) == 1


def test_since_when(node: Node) -> None:
    approve(node, signed(node, "heron-1"), WHY)
    later = node.clock()
    approve(node, signed(node, "heron-2"), WHY)
    assert approvers(node, act=ACT, subject=SUBJECT, since=later) == {"heron-2"}


@pytest.mark.parametrize("field", ["officer", "act", "subject", "at", "signature"])
def test_every_field_is_signed(node: Node, field: str) -> None:
    approval = signed(node, "heron-1")
    other = signed(node, "heron-2", act="adopt", subject="other")
    before = entries(node)
    with pytest.raises(Refused):
        approve(node, msgspec.structs.replace(approval, **{field: getattr(other, field)}), WHY)
    with pytest.raises(Refused):
        approve(node, msgspec.structs.replace(approval, **{field: "\ud800"}), WHY)
    assert entries(node) == before


def test_an_approval_is_for_one_node(node: Node, tmp_path: Path) -> None:
    with make(tmp_path / "USA", "USA") as usa:
        found(usa)
        with pytest.raises(Refused, match="signature of heron-1"):
            approve(usa, signed(node, "heron-1"), WHY)


def test_only_officers_with_their_own_keys(node: Node) -> None:
    with pytest.raises(Refused, match="heron-9 is not an officer"):
        approve(node, signed(node, "heron-9"), WHY)
    with pytest.raises(Refused, match="signature of heron-1"):
        approve(node, signed(node, "heron-1", key="heron-2"), WHY)


def test_no_approval_from_the_future(node: Node) -> None:
    for ahead, error in ((timedelta(minutes=4), None), (timedelta(minutes=6), "in the future")):
        at = node.clock() + ahead
        approval = sign_approval(node.party, "heron-1", key_of("heron-1"), act=ACT, subject=SUBJECT, at=at)
        if error is None:
            assert approve(node, approval, WHY) == 1
        else:
            with pytest.raises(Refused, match=error):
                approve(node, approval, WHY)


@pytest.mark.parametrize("at", ["", "2026-11-23", "2026-11-23T10:00:00", "0001-01-01T00:00:00+14:00"])
def test_when_it_was_signed_is_an_instant(node: Node, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tearline.node.officers.store.stamp", lambda _: at)
    approval = signed(node, "heron-1")
    monkeypatch.undo()
    with pytest.raises(Refused, match="when it was signed"):
        approve(node, approval, WHY)


def test_no_reason_no_approval(node: Node) -> None:
    for why in ("", " ", "two\nlines"):
        with pytest.raises(BadInput, match="no reason"):
            approve(node, signed(node, "heron-1"), why)


# --- The register -----------------------------------------------------------------------------------


def test_the_founding_is_over_with_the_quorum(node: Node) -> None:
    before = entries(node)
    with pytest.raises(Refused, match="0 of 2 officers have approved"):
        add_officer(node, "heron-3", public_key_of("heron-3"), by="heron-1", why=WHY)
    with pytest.raises(Refused, match="founding is not an officer"):
        add_officer(node, "heron-3", public_key_of("heron-3"), by="founding", why=WHY)
    assert (entries(node), names(node)) == (before, list(OFFICERS))


def test_the_quorum_adds_and_removes(node: Node) -> None:
    add(node, "heron-3")
    assert names(node) == [*OFFICERS, "heron-3"]
    assert entries(node, Act.OFFICER_ADDED)[-1].body["approved_by"] == list(OFFICERS)
    with pytest.raises(Refused) as refused:
        remove_officer(node, "heron-2", by="heron-1", why=WHY)
    subject = str(refused.value).partition("officer-remove ")[2].strip("'")
    for officer in ("heron-1", "heron-3"):
        approve(node, signed(node, officer, act="officer-remove", subject=subject), WHY)
    remove_officer(node, "heron-2", by="heron-1", why=WHY)
    assert names(node) == ["heron-1", "heron-3"]
    with pytest.raises(Refused, match="fewer than 2 officers"):
        remove_officer(node, "heron-3", by="heron-1", why=WHY)
    with pytest.raises(Refused, match="heron-2 is not an officer"):
        remove_officer(node, "heron-2", by="heron-1", why=WHY)


def test_the_approvals_of_one_removed_no_longer_count(node: Node) -> None:
    add(node, "heron-3")
    for officer in ("heron-2", "heron-3"):
        approve(node, signed(node, officer), WHY)
    with pytest.raises(Refused) as refused:
        remove_officer(node, "heron-2", by="heron-1", why=WHY)
    subject = str(refused.value).partition("officer-remove ")[2].strip("'")
    for officer in ("heron-1", "heron-3"):
        approve(node, signed(node, officer, act="officer-remove", subject=subject), WHY)
    remove_officer(node, "heron-2", by="heron-1", why=WHY)
    assert approvers(node, act=ACT, subject=SUBJECT) == {"heron-3"}


def test_no_change_is_approved_for_later(node: Node) -> None:
    """What was approved for one change of the register is void after another one."""
    with pytest.raises(Refused) as refused:
        add_officer(node, "heron-4", public_key_of("heron-4"), by="heron-1", why=WHY)
    subject = str(refused.value).partition("officer-add ")[2].strip("'")
    for officer in OFFICERS:
        approve(node, signed(node, officer, act="officer-add", subject=subject), WHY)
    add(node, "heron-3")
    with pytest.raises(Refused, match="0 of 2"):
        add_officer(node, "heron-4", public_key_of("heron-4"), by="heron-1", why=WHY)


def test_one_person_is_one_officer(tmp_path: Path) -> None:
    with make(tmp_path / "GBR", "GBR") as node:
        add_officer(node, "heron-1", public_key_of("heron-1"), by="founding", why=WHY)
        with pytest.raises(Refused, match="another officer's"):
            add_officer(node, "heron-2", public_key_of("heron-1"), by="founding", why=WHY)
        with pytest.raises(Refused, match="an officer heron-1 already"):
            add_officer(node, "heron-1", public_key_of("heron-2"), by="founding", why=WHY)
        for name in ("Heron", "heron 1", "", "-heron"):
            with pytest.raises(BadInput, match="kebab-case"):
                add_officer(node, name, public_key_of("heron-2"), by="founding", why=WHY)
        with pytest.raises(BadInput, match="Ed25519"):
            add_officer(node, "heron-2", "AAAA", by="founding", why=WHY)
        assert names(node) == ["heron-1"]


def test_a_larger_quorum_does_not_open_the_founding_again(node: Node) -> None:
    toml = node.home.folder / "node.toml"
    toml.write_text(toml.read_text().replace("approvals = 2", "approvals = 3"))
    with Node.open(node.home.folder) as again:
        again.clock = Clock()
        assert quorum(again) == 3
        with pytest.raises(Refused, match="0 of 3"):
            add_officer(again, "heron-3", public_key_of("heron-3"), by="heron-1", why=WHY)


def test_a_quorum_of_nobody_is_no_configuration(node: Node) -> None:
    toml = node.home.folder / "node.toml"
    toml.write_text(toml.read_text().replace("approvals = 2", "approvals = 0"))
    with pytest.raises(BadInput, match="approvals"):
        Node.open(node.home.folder)


def test_a_quorum_of_one(tmp_path: Path) -> None:
    with Node.create(tmp_path / "n", Config(party="GBR", name="x", port=1, approvals=1)) as node:
        add_officer(node, "heron-1", public_key_of("heron-1"), by="founding", why=WHY)
        with pytest.raises(Refused, match="0 of 1"):
            add_officer(node, "heron-2", public_key_of("heron-2"), by="heron-1", why=WHY)
