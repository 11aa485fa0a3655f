"""Keys change: partners follow, history holds, and a key without trust is worth nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tearline import deliver
from tearline.adapters.view import OUT
from tearline.deliver import Kind
from tearline.ledger import Act, public_key_text
from tearline.node import (
    Card,
    Node,
    add_login,
    add_partner,
    consider,
    hand_over,
    keys,
    logins,
    messages,
    receive,
    remove_partner,
    verify_ledger,
)
from tearline.node.invitation import accepted, invite, read_invitation
from tearline.terms import Refused
from tests.adoption import OFFICERS
from tests.unit.node.world import (
    EVERYTHING,
    GREEN,
    TERMS,
    bundle,
    entries,
    held,
    malware,
    names,
    nodes,
    page,
    take,
    work,
)

WHY = {"officer": OFFICERS[0], "why": "Example."}


def again(node: Node) -> Node:
    clock = node.clock
    node.close()
    opened = Node.open(node.home.folder)
    opened.clock = clock
    return opened


def own_key(node: Node) -> str:
    return public_key_text(node.home.signing_key.public_key())


def share(node: Node, *what: str) -> None:
    take(node, bundle(*(malware(name, GREEN) for name in what)))
    work(node)


def test_partners_follow_a_new_key_and_history_holds(tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA") as (gbr, usa):
        share(gbr, "before")
        old = own_key(gbr)
        new = keys.rotate(gbr, **WHY)
        later = again(gbr)
        share(later, "after")
        assert own_key(later) == new != old
        # One page holds what the old key signed, the change, and what the new key signed.
        assert receive(usa, "GBR", page(later, usa)) == 3
        usa.refresh()
        assert {each.product.title for each in held(usa)} == {"before", "after"}
        assert (usa.partners["GBR"].signing_key, usa.partners["GBR"].former_keys) == (new, (old,))
        assert not entries(usa, Act.RELEASE_REFUSED)
        for node in (later, usa):
            assert verify_ledger(node)[1] == []
        later.close()


@pytest.mark.parametrize("killed_at", ["before it is told", "before the switch", "within the switch"])
def test_a_rotation_that_was_killed_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with nodes(tmp_path, "GBR", "USA") as (gbr, usa):
        with monkeypatch.context() as patch:
            if killed_at == "before it is told":
                patch.setattr(keys, "hand_over", kill)
            elif killed_at == "before the switch":
                patch.setattr(type(gbr.home), "take_next_key", kill)
            else:
                patch.setattr(Path, "rename", _after_former(Path.rename, Killed))
            with pytest.raises(Killed):
                keys.rotate(gbr, **WHY)
        revived = again(gbr)
        share(revived, "between")
        new = keys.rotate(revived, **WHY)
        later = again(revived)
        share(later, "after")
        receive(usa, "GBR", page(later, usa))
        usa.refresh()
        assert names([release.object for release in _releases(usa, later)]) == ["between", "after"]
        assert usa.partners["GBR"].signing_key == new == own_key(later)
        assert verify_ledger(later)[1] == []
        later.close()


def _after_former(rename: Callable[..., Path], error: type[BaseException]) -> Callable[..., Path]:
    def act(self: Path, target: Path) -> Path:
        if "signing.next" in self.name and target.name == "signing.pem":
            raise error
        return rename(self, target)

    return act


def _releases(taker: Node, giver: Node) -> list[deliver.Opened]:
    partner = taker.partners[giver.party]
    keys_ = [deliver.public_key(key) for key in (partner.signing_key, *partner.former_keys)]
    return [
        deliver.open_release(item, giver=giver.party, keys=keys_, recipient=taker.party)
        for item in page(giver, taker)
        if deliver.is_release(item)
    ]


@pytest.mark.parametrize("lie", ["not agreed", "another's agreement", "not from the key of today", "half"])
def test_a_change_that_does_not_hold_changes_nothing(tmp_path: Path, lie: str) -> None:
    with nodes(tmp_path, "GBR", "USA", "CAN") as (gbr, usa, can):
        own = own_key(gbr)
        body = deliver.key_change("GBR", own, can.home.signing_key)
        if lie == "not agreed":
            body |= {"agreed": "AAAA"}
        elif lie == "another's agreement":
            body |= {"agreed": deliver.key_change("USA", own, can.home.signing_key)["agreed"]}
        elif lie == "not from the key of today":
            body = deliver.key_change("GBR", own_key(usa), can.home.signing_key)
        else:
            del body["agreed"]
        with gbr.writing() as db:
            messages.send(gbr, db, "USA", Kind.KEY_CHANGE, body, about="lie")
        hand_over(gbr)
        receive(usa, "GBR", page(gbr, usa))
        usa.refresh()
        assert usa.partners["GBR"].signing_key == own
        assert entries(usa, Act.RELEASE_REFUSED)


def test_a_former_key_cannot_change_the_key_again(tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA", "CAN") as (gbr, usa, can):
        shutil.copytree(gbr.home.folder, tmp_path / "stolen")
        keys.rotate(gbr, **WHY)
        receive(usa, "GBR", page(gbr, usa))
        usa.refresh()
        today = usa.partners["GBR"]
        with Node.open(tmp_path / "stolen") as thief:
            body = deliver.key_change("GBR", own_key(thief), can.home.signing_key)
            with thief.writing() as db:
                messages.send(thief, db, "USA", Kind.KEY_CHANGE, body, about="theft")
            hand_over(thief)
            receive(usa, "GBR", page(thief, usa))
        usa.refresh()
        assert usa.partners["GBR"] == today


def test_nothing_of_a_revoked_key_is_taken_until_a_new_invitation(tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA") as (gbr, usa):
        share(gbr, "before")
        keys.revoke(usa, "GBR", **WHY)
        assert "GBR" not in usa.certificates
        assert receive(usa, "GBR", page(gbr, usa)) == 0
        assert held(usa) == []
        old = Card.of(gbr)
        with pytest.raises(Refused, match="revoked"):
            add_partner(usa, old, TERMS)
        keys.rotate(gbr, **WHY)
        later = again(gbr)
        keys.renew_tls(later, **WHY)
        later = again(later)
        share(later, "after")
        path = tmp_path / "file"
        path.write_bytes(invite(later))
        invitation, words = read_invitation(path)
        add_partner(usa, accepted(usa, invitation, words, words), TERMS)
        assert usa.certificates["GBR"] == later.home.certificate.read_text()
        assert receive(usa, "GBR", page(later, usa)) == 1
        assert {each.product.title for each in held(usa)} == {"after"}
        assert usa.partners["GBR"].former_keys == ()
        later.close()


def test_who_was_removed_gets_and_gives_nothing_and_its_history_stays(tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA", "CAN") as (gbr, usa, can):
        share(gbr, "served")
        view = gbr.view("USA")
        view.serve(OUT, EVERYTHING, after=-1, limit=100)
        share(gbr, "sealed")
        take(gbr, bundle(malware("queued", GREEN)))
        consider(gbr)
        remove_partner(gbr, "USA", **WHY)
        assert "USA" not in gbr.partners
        assert "USA" not in gbr.certificates
        share(gbr, "later")
        assert names(page(gbr, usa)) == ["served"]
        assert names(page(gbr, can)) == ["served", "sealed", "queued", "later"]
        assert verify_ledger(gbr)[1] == []
        # When it is a partner again, it begins anew.
        add_partner(gbr, Card.of(usa), TERMS)
        share(gbr, "anew")
        assert names(page(gbr, usa)) == ["served", "anew"]
        assert verify_ledger(gbr)[1] == []


@pytest.mark.parametrize("end", [keys.revoke, remove_partner])
def test_a_password_is_no_way_round(tmp_path: Path, end: Callable[..., None]) -> None:
    with nodes(tmp_path, "GBR", "USA", "CAN") as (gbr, _, _):
        for party in ("USA", "CAN"):
            add_login(gbr, party, f"desk-{party}", "a hash")
        end(gbr, "USA", **WHY)
        assert set(logins(gbr)) == {"desk-CAN"}


@pytest.mark.parametrize("act", [keys.rotate, keys.renew_tls])
def test_only_officers_change_keys(tmp_path: Path, act: Callable[..., object]) -> None:
    with nodes(tmp_path, "GBR", "USA") as (gbr, usa):
        card = Card.of(gbr)
        with pytest.raises(Refused, match="not an officer"):
            act(gbr, officer="nobody", why="Example.")
        assert Card.of(again(gbr)) == card
        for other in (keys.revoke, remove_partner):
            with pytest.raises(Refused, match="not an officer"):
                other(usa, "GBR", officer="nobody", why="Example.")
            with pytest.raises(Refused, match="not a partner"):
                other(usa, "FRA", **WHY)
