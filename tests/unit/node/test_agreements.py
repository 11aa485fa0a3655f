"""The life of agreements at a node: law 6, each of its conditions broken once, and nothing changed then."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tearline.adapters import store
from tearline.agreement import Agreement, between
from tearline.agreement.lifecycle import Need, State, Step
from tearline.agreement.proof import Status
from tearline.ledger import Act
from tearline.node import (
    Node,
    agreements,
    approve,
    consider,
    hand_over,
    officers,
    read_agreement,
    sign_approval,
    verify_ledger,
)
from tearline.node.agreement_record import (
    agreement_of,
    find,
    history,
    newest_review,
    notices,
    versions,
)
from tearline.node.officers import add_officer, remove_officer
from tearline.terms import BadInput, Broken, Refused
from tests import adoption
from tests.adoption import OFFICERS, WHY, key_of, proved, public_key_of
from tests.coalition import AGREEMENTS
from tests.unit.node.world import (
    GREEN,
    Clock,
    bundle,
    codes,
    entries,
    five_eyes,
    make,
    malware,
    names,
    nodes,
    page,
    take,
    work,
)

BY = OFFICERS[0]
NEWS = """
@id("more-{topic}") @reason("Example.") @review("2026-11-22")
{effect} (principal, action == Action::"release", resource)
when {{ resource.level == 0 && resource.topics.contains(Topic::"{topic}") }}{unless};
"""
ONCE = 'unless { resource.disciplines.contains(Discipline::"humint") }'


def revision(topic: str = "air", effect: str = "permit", unless: str = f" {ONCE}") -> Agreement:
    """The five-party agreement with one clause more."""
    found = five_eyes(NEWS.format(effect=effect, topic=topic, unless=unless))
    assert isinstance(found, Agreement)
    return found


def bilateral() -> Agreement:
    return between(read_agreement(AGREEMENTS / "bilateral"), ("USA", "UKR"), ("USA", "GBR"))


@pytest.fixture
def gbr(tmp_path: Path) -> Iterator[Node]:
    """A node with one agreement in force."""
    with nodes(tmp_path, "GBR", "USA") as (node, _):
        yield node


def everything(node: Node) -> dict[str, Any]:
    """All rows of `node.db`, the ledger included."""
    with closing(sqlite3.connect(node.home.database)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


def refused(node: Node, step: Callable[[], object], why: str) -> None:
    """The step is refused in one sentence, and not a row is other than before."""
    before, in_force = everything(node), node.agreements
    with pytest.raises(Refused, match=why) as error:
        step()
    assert "\n" not in str(error.value)
    assert everything(node) == before
    node.refresh()
    assert node.agreements == in_force


def propose(node: Node, agreement: Agreement) -> str:
    return agreements.propose(node, agreement, officer=BY, why=WHY).version


def review(node: Node, version: str, **ports: Any) -> None:
    ports = {"replay": adoption.replayed, **ports}
    agreements.review(node, version, officer=BY, why=WHY, **ports)


def ready(node: Node, agreement: Agreement | None = None) -> str:
    """A version that lacks nothing but its adoption."""
    version = propose(node, agreement or revision())
    review(node, version)
    adoption.approve(node, "adopt", version)
    return version


def adopt(node: Node, version: str, **ports: Any) -> Callable[[], Agreement]:
    return partial(agreements.adopt, node, version, officer=BY, why=WHY, **ports)


def state(node: Node, version: str) -> State:
    (found,) = [each.state for each in versions(node) if each.agreement.version == version]
    return found


def in_force(node: Node) -> list[str]:
    return [agreement.version for agreement in node.agreements]


# --- Adoption needs all of it -----------------------------------------------------------------------


def test_the_way_into_force(gbr: Node) -> None:
    old, new = five_eyes().version, revision()
    version = propose(gbr, new)
    assert (state(gbr, version), in_force(gbr)) == (State.PROPOSED, [old])
    review(gbr, version)
    adoption.approve(gbr, "adopt", version, BY)
    assert state(gbr, version) is State.PROPOSED
    adoption.approve(gbr, "adopt", version, OFFICERS[1])
    assert (state(gbr, version), in_force(gbr)) == (State.APPROVED, [old])
    generation = gbr.generation
    assert adopt(gbr, version)() == new
    assert gbr.generation == generation + 2  # one for the old that goes, one for the new that comes
    assert (state(gbr, version), state(gbr, old), in_force(gbr)) == (
        State.ADOPTED,
        State.SUPERSEDED,
        [version],
    )
    told = [(entry.act, entry.body["version"]) for entry in entries(gbr) if "agreement" in entry.body]
    assert told[-4:] == [
        (Act.AGREEMENT_PROPOSED, version),
        (Act.AGREEMENT_REVIEWED, version),
        (Act.AGREEMENT_SUPERSEDED, old),
        (Act.AGREEMENT_ADOPTED, version),
    ]
    body = entries(gbr, Act.AGREEMENT_ADOPTED)[-1].body
    assert (body["officer"], body["why"], body["approved_by"], body["quorum"]) == (BY, WHY, list(OFFICERS), 2)
    with gbr.reading() as db:
        assert all(store.evidence(db, body[name]) for name in ("review", "evidence"))
    assert verify_ledger(gbr)[1] == []


def test_without_the_quorum(gbr: Node) -> None:
    version = propose(gbr, revision())
    review(gbr, version)
    refused(gbr, adopt(gbr, version), "0 of 2 officers")
    adoption.approve(gbr, "adopt", version, BY)
    refused(gbr, adopt(gbr, version), "1 of 2 officers")


def test_with_the_same_officer_twice(gbr: Node) -> None:
    version = propose(gbr, revision())
    review(gbr, version)
    adoption.approve(gbr, "adopt", version, BY, BY)
    refused(gbr, adopt(gbr, version), "1 of 2 officers")


def test_with_an_officer_removed_since(gbr: Node) -> None:
    third = "heron-3"

    def approved(step: Callable[[], object], act: str, *who: str) -> None:
        with pytest.raises(Refused) as error:
            step()
        subject = str(error.value).partition(f"{act} ")[2].strip("'")
        adoption.approve(gbr, act, subject, *who)
        step()

    add = partial(add_officer, gbr, third, public_key_of(third), by=BY, why=WHY)
    approved(add, "officer-add", *OFFICERS)
    version = propose(gbr, revision())
    review(gbr, version)
    adoption.approve(gbr, "adopt", version, BY, third)
    assert state(gbr, version) is State.APPROVED
    approved(partial(remove_officer, gbr, third, by=BY, why=WHY), "officer-remove", *OFFICERS)
    assert state(gbr, version) is State.PROPOSED
    refused(gbr, adopt(gbr, version), "1 of 2 officers")
    # Nor with the same name and another key.
    again = partial(add_officer, gbr, third, public_key_of("heron-4"), by=BY, why=WHY)
    approved(again, "officer-add", *OFFICERS)
    refused(gbr, adopt(gbr, version), "1 of 2 officers")


def test_with_a_signature_over_another_version(gbr: Node) -> None:
    version, other = propose(gbr, revision()), propose(gbr, revision("land"))
    review(gbr, version)
    adoption.approve(gbr, "adopt", other)
    refused(gbr, adopt(gbr, version), "0 of 2 officers")


def test_with_an_approval_of_another_act(gbr: Node) -> None:
    version = propose(gbr, revision())
    review(gbr, version)
    adoption.approve(gbr, "resume-agreement", version)
    refused(gbr, adopt(gbr, version), "0 of 2 officers")


def test_with_a_row_that_nobody_signed(gbr: Node) -> None:
    """Whoever writes into the database can make no officer say yes."""
    version = propose(gbr, revision())
    review(gbr, version)
    adoption.approve(gbr, "adopt", version, BY)
    with closing(sqlite3.connect(gbr.home.database)) as db, db:
        columns = "act, subject, officer, at, signature, why"
        db.execute(
            f"INSERT INTO approval ({columns}) SELECT act, subject, ?, at, signature, why FROM approval "
            "WHERE subject = ?",
            (OFFICERS[1], version),
        )
    refused(gbr, adopt(gbr, version), "1 of 2 officers")


def test_with_approvals_of_an_earlier_round(gbr: Node) -> None:
    version = ready(gbr)
    agreements.withdraw(gbr, version, officer=BY, why=WHY)
    propose(gbr, revision())
    refused(gbr, adopt(gbr, version), "0 of 2 officers")
    adoption.approve(gbr, "adopt", version)
    refused(gbr, adopt(gbr, version), "no review")


def test_without_a_review(gbr: Node) -> None:
    version = propose(gbr, revision())
    adoption.approve(gbr, "adopt", version)
    refused(gbr, adopt(gbr, version), "no review")


def test_with_a_review_of_another_version(gbr: Node) -> None:
    version, other = propose(gbr, revision()), propose(gbr, revision("land"))
    review(gbr, other)
    adoption.approve(gbr, "adopt", version)
    refused(gbr, adopt(gbr, version), "no review")


def test_with_a_review_passed_off_as_this_one(gbr: Node) -> None:
    version, other = propose(gbr, revision()), propose(gbr, revision("land"))
    for each in (version, other):
        review(gbr, each)
    adoption.approve(gbr, "adopt", version)
    with closing(sqlite3.connect(gbr.home.database)) as db, db:
        found = "SELECT evidence FROM agreement_step WHERE step = 'review' AND version = ?"
        swap = f"UPDATE agreement_step SET evidence = ({found}) WHERE step = 'review' AND version = ?"
        db.execute(swap, (other, version))
    refused(gbr, adopt(gbr, version), "no review")
    assert verify_ledger(gbr)[1]


def test_with_a_review_that_was_changed(gbr: Node) -> None:
    version = ready(gbr)
    with closing(sqlite3.connect(gbr.home.database)) as db, db:
        db.execute("UPDATE evidence SET body = body || ' '")
    before = everything(gbr)
    with pytest.raises(Broken, match=r"review .* was changed"):
        adopt(gbr, version)()
    assert everything(gbr) == before
    assert verify_ledger(gbr)[1]


def test_with_a_stale_review(gbr: Node) -> None:
    version = ready(gbr)
    assert isinstance(gbr.clock, Clock)
    gbr.clock.now += timedelta(days=30)
    refused(gbr, adopt(gbr, version), "older than 30 days")
    review(gbr, version)
    gbr.clock.now += timedelta(days=29, hours=23)
    adopt(gbr, version)()


def test_with_a_review_against_what_is_no_longer_in_force(gbr: Node) -> None:
    version = ready(gbr)
    adoption.adopt(gbr, bilateral())
    refused(gbr, adopt(gbr, version), "other agreements are in force")
    review(gbr, version)
    adopt(gbr, version)()


def test_with_an_unknown_proof(gbr: Node) -> None:
    version = ready(gbr)
    refused(gbr, adopt(gbr, version, prove=partial(proved, status=Status.UNKNOWN)), "unknown whether")


def test_with_a_broken_charter(gbr: Node) -> None:
    """The real prover: what a person told us would go whole."""
    version = ready(gbr, revision(unless=""))
    refused(gbr, adopt(gbr, version), "breaks the charter")


def test_with_a_proof_of_something_else(gbr: Node) -> None:
    version, other = ready(gbr), revision("land")

    def of_another(node: Node, _: Agreement) -> Any:
        return proved(node, other)

    def against_nothing(node: Node, agreement: Agreement) -> Any:
        return msgspec.structs.replace(proved(node, agreement), against=())

    for prove in (of_another, against_nothing):
        refused(gbr, adopt(gbr, version, prove=prove), "the proof is not one")


def test_without_a_second_solver(gbr: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    version = ready(gbr)
    monkeypatch.setitem(sys.modules, "cvc5", None)
    agreements._PROOFS.clear()
    refused(gbr, adopt(gbr, version), "unknown whether")
    monkeypatch.undo()
    adopt(gbr, version)()  # what was unknown is asked again


def test_what_changes_while_the_proof_runs(gbr: Node) -> None:
    version = ready(gbr)

    def meanwhile(node: Node, agreement: Agreement) -> Any:
        with Node.open(node.home.folder) as other:
            other.clock = node.clock
            agreements.suspend(other, five_eyes().version, officer=BY, why=WHY)
        return proved(node, agreement)

    with pytest.raises(Refused, match="changed in the meantime"):
        adopt(gbr, version, prove=meanwhile)()
    assert state(gbr, version) is State.APPROVED


def test_after_its_days(gbr: Node) -> None:
    short = five_eyes()
    manifest = short.manifest.replace("2040-01-01", "2026-11-24")
    version = ready(gbr, agreements.load(manifest, short.clauses, "x"))
    assert isinstance(gbr.clock, Clock)
    gbr.clock.now = datetime(2026, 11, 24, tzinfo=UTC)
    assert state(gbr, version) is State.EXPIRED
    refused(gbr, adopt(gbr, version), "days of .* are over")
    refused(gbr, partial(propose, gbr, agreements.load(manifest, short.clauses + "//", "x")), "are over")


def test_a_text_that_was_changed_decides_nothing(gbr: Node) -> None:
    version = ready(gbr)
    with closing(sqlite3.connect(gbr.home.database)) as db, db:
        db.execute("UPDATE agreement SET clauses = replace(clauses, 'cyber', 'land')")
    for step in (adopt(gbr, version), partial(Node.open, gbr.home.folder)):
        with pytest.raises(Broken, match="was changed"):
            step()
    assert any("the text of the agreement" in str(finding) for finding in verify_ledger(gbr)[1])


def test_only_an_officer_takes_a_step_and_says_why(gbr: Node) -> None:
    version = ready(gbr)
    for step in (agreements.adopt, agreements.withdraw):
        refused(gbr, partial(step, gbr, version, officer="heron-9", why=WHY), "not an officer")
        before = everything(gbr)
        with pytest.raises(BadInput, match="no reason"):
            step(gbr, version, officer=BY, why=" ")
        assert everything(gbr) == before


# --- Other steps --------------------------------------------------------------------------------------


def test_proposing_wants_a_sound_text_of_ones_own(gbr: Node, tmp_path: Path) -> None:
    refused(gbr, lambda: propose(gbr, five_eyes("\npermit (principal, action, resource);\n")), "cedar, line")
    with make(tmp_path / "FRA", "FRA") as fra:
        adoption.found(fra)
        refused(fra, lambda: propose(fra, five_eyes()), "not a party")
    manifest = five_eyes().manifest.replace('"five-eyes"', '"suspensions"')
    refused(gbr, lambda: propose(gbr, agreements.load(manifest, "", "x")), "no name for an agreement")
    marked = five_eyes().manifest + '\n[forms.x]\nkind = "imagery"\nmarking = "SECRET//REL TO NOWHERE"\n'
    unread = agreements.load(marked, five_eyes().clauses, "x")
    refused(gbr, lambda: propose(gbr, unread), "marking: 'NOWHERE'")
    propose(gbr, revision())
    refused(gbr, lambda: propose(gbr, revision()), "proposed cannot propose")
    refused(gbr, lambda: propose(gbr, five_eyes()), "adopted cannot propose")


def test_approvals_are_for_what_is_proposed(gbr: Node) -> None:
    version = propose(gbr, revision())

    def given(subject: str, at: datetime) -> Callable[[], int]:
        signed = sign_approval("GBR", BY, key_of(BY), act="adopt", subject=subject, at=at)
        return partial(agreements.approve, gbr, signed, WHY)

    for subject in (five_eyes().version, version[:12], "0" * 64):
        refused(gbr, given(subject, gbr.clock()), "no version that is proposed")
    refused(gbr, given(version, datetime(2026, 11, 23, 9, tzinfo=UTC)), "before the version was proposed")
    assert given(version, gbr.clock())() == 1


def test_suspended_it_permits_nothing_and_forbids_on(gbr: Node, tmp_path: Path) -> None:
    red = adoption.adopt(gbr, revision("energy", "forbid", ""))
    items = [malware("a", GREEN)]
    take(gbr, bundle(*items))
    work(gbr)
    with Node.open(tmp_path / "USA") as usa:
        assert names(page(gbr, usa)) == ["a"]
        agreements.suspend(gbr, red.version, officer=BY, why=WHY)
        assert state(gbr, red.version) is State.SUSPENDED
        take(gbr, bundle(malware("b", GREEN)))
        work(gbr)
        assert names(page(gbr, usa)) == ["a"]
        assert codes(gbr)["USA", "withhold", "agreement.no-clause"] == 1
        (lines,) = gbr.agreements
        assert {clause.tree.effect for clause in lines.parsed} == {"forbid"}
        assert len(lines.parsed) == 2


def test_what_waits_in_the_outbox_is_asked_about_again(gbr: Node, tmp_path: Path) -> None:
    """Law 7: the suspension stops queued deliveries too, and the one that is resumed lets them go."""
    version = five_eyes().version
    take(gbr, bundle(malware("a", GREEN)))
    assert consider(gbr) == 1
    agreements.suspend(gbr, version, officer=BY, why=WHY)
    hand_over(gbr)
    work(gbr)
    with Node.open(tmp_path / "USA") as usa:
        assert page(gbr, usa) == []
        resume = partial(agreements.resume, gbr, version, officer=BY, why=WHY)
        with pytest.raises(Refused) as error:
            resume()
        subject = str(error.value).partition("resume-agreement ")[2].strip("'")
        adoption.approve(gbr, "resume-agreement", subject)
        resume()
        work(gbr)
        assert names(page(gbr, usa)) == ["a"]
    assert verify_ledger(gbr)[1] == []


def test_what_waits_goes_under_the_version_in_force_then(gbr: Node, tmp_path: Path) -> None:
    version = ready(
        gbr,
        five_eyes(
            '@id("no") @reason("Example.") forbid (principal, action, resource);'.replace(
                "action,", 'action in Action::"share",'
            )
        ),
    )
    take(gbr, bundle(malware("a", GREEN)))
    assert consider(gbr) == 1
    adopt(gbr, version)()
    hand_over(gbr)
    work(gbr)
    with Node.open(tmp_path / "USA") as usa:
        assert page(gbr, usa) == []


def test_resuming_wants_the_quorum_and_a_proof(gbr: Node) -> None:
    version = five_eyes().version
    agreements.suspend(gbr, version, officer=BY, why=WHY)
    refused(gbr, partial(agreements.suspend, gbr, version, officer=BY, why=WHY), "suspended cannot suspend")
    resume = partial(agreements.resume, gbr, version, officer=BY, why=WHY)
    with pytest.raises(Refused, match="0 of 2 officers") as error:
        resume()
    subject = str(error.value).partition("resume-agreement ")[2].strip("'")
    adoption.approve(gbr, "resume-agreement", subject, BY)
    refused(gbr, resume, "1 of 2 officers")
    adoption.approve(gbr, "resume-agreement", subject)
    for status in (Status.UNKNOWN, Status.COUNTEREXAMPLE):
        prove = partial(proved, status=status)
        refused(gbr, partial(resume, prove=prove), "not proved to keep the charter")
    other = revision("land")
    refused(gbr, partial(resume, prove=lambda node, _: proved(node, other)), "the proof is not one")
    resume()
    assert (state(gbr, version), in_force(gbr)) == (State.ADOPTED, [version])
    # The next time they must approve again.
    agreements.suspend(gbr, version, officer=BY, why=WHY)
    refused(gbr, resume, "0 of 2 officers")
    assert verify_ledger(gbr)[1] == []


def test_what_is_in_force_is_withdrawn_by_the_quorum_alone(gbr: Node) -> None:
    version = five_eyes().version
    withdraw = partial(agreements.withdraw, gbr, version, officer=BY, why=WHY)
    for prepare in (lambda: None, partial(agreements.suspend, gbr, version, officer=BY, why=WHY)):
        prepare()
        refused(gbr, withdraw, "0 of 2 officers")
    with pytest.raises(Refused) as error:
        withdraw()
    subject = str(error.value).partition("withdraw-agreement ")[2].strip("'")
    adoption.approve(gbr, "withdraw-agreement", subject)
    withdraw()
    assert (state(gbr, version), in_force(gbr)) == (State.WITHDRAWN, [])


def test_a_former_version_comes_back_by_the_same_way(gbr: Node) -> None:
    old = five_eyes()
    adopt(gbr, ready(gbr))()
    refused(gbr, adopt(gbr, old.version), "superseded cannot adopt")
    adoption.adopt(gbr, old)
    assert in_force(gbr) == [old.version]
    steps = [(row.step, row.officer) for row in history(gbr, old.id) if row.version == old.version]
    life = ["propose", "review", "approve", "approve", "adopt"]
    assert [step for step, _ in steps] == [*life, "supersede", *life]
    assert {officer for _, officer in steps} == set(OFFICERS)


# --- Time ---------------------------------------------------------------------------------------------


def test_expiry_is_recorded_once_and_announced(gbr: Node) -> None:
    assert isinstance(gbr.clock, Clock)
    short = five_eyes()
    manifest = short.manifest.replace("2040-01-01", "2027-01-20")
    version = adoption.adopt(gbr, agreements.load(manifest, short.clauses, "x")).version
    other = adoption.adopt(gbr, bilateral()).version
    assert agreements.expire(gbr) == 0
    assert [notice.kind for notice in notices(gbr)] == ["expires"]
    gbr.clock.now = datetime(2027, 1, 20, tzinfo=UTC)
    assert state(gbr, version) is State.EXPIRED
    assert agreements.expire(gbr) == 1
    assert agreements.expire(gbr) == 0
    (entry,) = entries(gbr, Act.AGREEMENT_EXPIRED)
    assert (entry.body["version"], entry.body["officer"]) == (version, "")
    assert (in_force(gbr), [notice.kind for notice in notices(gbr)]) == ([other], ["expired"])
    assert verify_ledger(gbr)[1] == []
    refused(gbr, partial(agreements.suspend, gbr, version, officer=BY, why=WHY), "expired cannot suspend")
    adoption.adopt(gbr, short)
    assert state(gbr, version) is State.SUPERSEDED
    assert all(notice.kind == "review" for notice in notices(gbr))


def test_a_suspended_one_expires_and_does_not_resume(gbr: Node) -> None:
    assert isinstance(gbr.clock, Clock)
    version = five_eyes().version
    agreements.suspend(gbr, version, officer=BY, why=WHY)
    gbr.clock.now = datetime(2040, 1, 1, tzinfo=UTC)
    resume = partial(agreements.resume, gbr, version, officer=BY, why=WHY, prove=proved)
    refused(gbr, resume, "are over")
    assert agreements.expire(gbr) == 1
    assert state(gbr, version) is State.EXPIRED


def test_a_passed_review_day_nags_and_changes_nothing(gbr: Node) -> None:
    adopt(gbr, ready(gbr))()
    assert [(notice.kind, notice.clause) for notice in notices(gbr)] == [("review", "more-air")]
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    assert codes(gbr) == {("USA", "whole", "agreement.permit"): 1}


# --- Reading ------------------------------------------------------------------------------------------


def test_what_a_reference_means(gbr: Node) -> None:
    old, first, second = five_eyes().version, propose(gbr, revision()), propose(gbr, revision("land"))
    assert find(gbr, first[:6]) == find(gbr, first.upper()) == first
    assert find(gbr, "five-eyes") == find(gbr, "five-eyes", Step.SUSPEND) == old
    for reference, step, why in (
        ("five-eyes", Step.ADOPT, f"can mean {first[:12]}, {second[:12]}"),
        ("five-eyes", Step.RESUME, "no version of five-eyes that can resume"),
        ("nine-eyes", None, "no version is 'nine-eyes'"),
        (first[:3], None, "no version is"),
        ("", None, "no version is"),
    ):
        refused(gbr, partial(find, gbr, reference, step), why)
    agreements.withdraw(gbr, second, officer=BY, why=WHY)
    assert find(gbr, "five-eyes", Step.ADOPT) == first


def test_the_review_is_kept_whole(gbr: Node) -> None:
    version = ready(gbr)
    found = newest_review(gbr, version)
    assert found is not None
    assert (found.version, found.against) == (version, (f"five-eyes {five_eyes().version}",))
    assert found.proof.keeps_charter
    assert {answer.question for answer in found.proof.answers} >= {"charter", "releases-more"}
    assert newest_review(gbr, five_eyes().version) is not None
    with gbr.reading() as db, pytest.raises(Refused, match="no version 0000"):
        agreement_of(db, "0" * 64)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM agreement_step WHERE step = 'review'",
        "UPDATE agreement_step SET step = 'withdraw' WHERE step = 'propose'",
        "UPDATE agreement_step SET officer = 'heron-2' WHERE step = 'adopt'",
        "UPDATE agreement_step SET why = 'other' WHERE step = 'propose'",
        "DELETE FROM evidence",
        "UPDATE evidence SET body = x'00'",
        "INSERT INTO agreement_step (version, step, officer, at, why, evidence) "
        "SELECT version, 'suspend', 'heron-1', at, why, '' FROM agreement_step LIMIT 1",
    ],
)
def test_what_is_changed_is_found(gbr: Node, change: str) -> None:
    assert verify_ledger(gbr)[1] == []
    with closing(sqlite3.connect(gbr.home.database)) as db, db:
        assert db.execute(change).rowcount
    assert verify_ledger(gbr)[1]


def test_approve_by_the_general_door_counts_the_same(gbr: Node) -> None:
    version = propose(gbr, revision())
    signed = sign_approval("GBR", BY, key_of(BY), act="adopt", subject=version, at=gbr.clock())
    assert approve(gbr, signed, WHY) == 1
    assert agreements.approve(gbr, signed, WHY) == 1
    (found,) = [each for each in versions(gbr) if each.agreement.version == version]
    assert found.approved_by == {BY}


def test_read_agreement_says_what_is_missing(tmp_path: Path) -> None:
    assert read_agreement(AGREEMENTS / "five-eyes") == five_eyes()
    with pytest.raises(BadInput, match="toml: it cannot be read"):
        read_agreement(tmp_path)
    (tmp_path / "agreement.toml").write_bytes(b"\xff")
    (tmp_path / "clauses.cedar").write_bytes(b"")
    with pytest.raises(BadInput, match="not UTF-8"):
        read_agreement(tmp_path)


def test_what_is_lacking_is_told_all_at_once(tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA") as (node, _):
        version = agreements.propose(node, revision(), officer=BY, why=WHY).version
        assert set(agreements.lacking(node, version)) == {Need.OFFICERS, Need.REVIEW, Need.PROOF}
        agreements.review(node, version, officer=BY, why=WHY)
        assert set(agreements.lacking(node, version)) == {Need.OFFICERS}
        adoption.approve(node, "adopt", version)
        assert agreements.lacking(node, version) == {}
        agreements.suspend(node, find(node, "five-eyes", Step.SUSPEND), officer=BY, why=WHY)
        # Something else is in force now: the red lines alone.
        assert set(agreements.lacking(node, version)) == {Need.REVIEW, Need.PROOF}
        with pytest.raises(Refused, match="no version"):
            agreements.lacking(node, "0" * 64)


def test_what_is_undone_is_signed_once(tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA") as (node, _):
        version = find(node, "five-eyes")
        before = agreements.undoing(node, version)
        adoption.approve(node, agreements.WITHDRAW, before)
        given = officers.given(node, act=agreements.WITHDRAW, subject=before)
        assert [(each.approval.officer, each.why, each.stands) for each in given] == [
            (name, WHY, True) for name in OFFICERS
        ]
        agreements.suspend(node, version, officer=BY, why=WHY)
        after = agreements.undoing(node, version)
        assert after != before
        assert officers.given(node, act=agreements.WITHDRAW, subject=after) == []
        later = node.clock()
        assert not any(
            each.stands for each in officers.given(node, act=agreements.WITHDRAW, subject=before, since=later)
        )
