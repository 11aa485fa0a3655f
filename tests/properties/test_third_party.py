"""Law 4 between nodes: what another made goes on only by its originator's consent, to just that recipient.

Histories of four nodes, whose pages are carried by hand; the oracle keeps a list of who said what to whom,
and knows nothing of envelopes, tables or queues. And a middleman that forges what it can from what it has.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from tearline import deliver
from tearline.agreement.suspension import Scope as Stopped
from tearline.deliver import Chain, Envelope, Form, Scope, Subject, sign_consent
from tearline.node import Node, consider, receive, verify_ledger
from tearline.node import consent as acts
from tearline.node.suspend import RESUME, resume, suspend
from tearline.terms import Category, Refused
from tests import middleman
from tests.adoption import OFFICERS, approve
from tests.unit.node.world import GREEN, bundle, held, malware, names, nodes, page, take, work

LONG = bool(os.environ.get("TEARLINE_LONG"))
BY = OFFICERS[0]
PARTIES = ("GBR", "USA", "CAN", "AUS")
SCOPES = (
    Scope(),
    Scope(categories=frozenset({Category.CYBER})),
    Scope(categories=frozenset({Category.REPORT})),
)
modest = settings(
    max_examples=200 if LONG else 6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

party = st.integers(0, 3)
onward = st.sampled_from([(0, 1), (0, 1), (1, 2), (0, 2), (2, 3), (1, 0), (2, 0), (3, 0), (2, 1)])
"""Who speaks to whom: GBR makes most, USA passes on to CAN, CAN to AUS, and they ask back."""


def _carry(pair: tuple[int, int]) -> tuple[Any, ...]:
    return ("carry", *pair)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("make"), st.sampled_from([0, 0, 0, 1])),
        onward.map(_carry),
        onward.map(_carry),
        onward.map(lambda pair: ("tell", *pair)),
        st.tuples(st.just("consider"), party),
        st.tuples(st.just("ask"), st.sampled_from([1, 1, 2]), party),
        st.tuples(st.just("answer"), st.sampled_from([0, 0, 1]), st.booleans(), st.integers(1, 3)),
        st.tuples(
            st.just("standing"),
            st.sampled_from([0, 0, 1]),
            st.sampled_from([1, 1, 2]),
            st.sampled_from([2, 2, 3]),
            st.integers(0, 2),
            st.integers(1, 3),
        ),
        st.tuples(st.just("revoke"), st.sampled_from([0, 0, 1])),
        st.tuples(st.just("days"), st.integers(1, 2)),
        st.tuples(st.just("suspend"), st.just(0), st.integers(2, 3)),
        st.tuples(st.just("resume"), st.just(0)),
    ),
    min_size=8,
    max_size=26,
).map(lambda found: [("make", 0), ("carry", 0, 1), *found, ("carry", 0, 1), ("carry", 1, 2), ("carry", 2, 3)])
RICH: list[tuple[Any, ...]] = [
    *[
        ("make", 0),
        ("carry", 0, 1),
        ("ask", 1, 2),
        ("carry", 1, 0),
        ("answer", 0, True, 2),
        ("carry", 0, 1),
    ],
    *[
        ("carry", 1, 2),
        ("ask", 2, 3),
        ("carry", 2, 0),
        ("answer", 0, True, 3),
        ("carry", 0, 2),
        ("carry", 2, 3),
    ],
    *[("make", 0), ("standing", 0, 1, 2, 1, 3), ("carry", 0, 1), ("revoke", 0), ("carry", 0, 1)],
    *[("make", 0), ("carry", 0, 1), ("suspend", 0, 3), ("make", 0), ("carry", 0, 1), ("carry", 0, 2)],
    *[("resume", 0), ("carry", 0, 2), ("days", 2), ("make", 0), ("carry", 0, 1), ("carry", 0, 2)],
]
QUEUED: list[tuple[Any, ...]] = [
    *[("make", 0), ("carry", 0, 1), ("standing", 0, 1, 2, 0, 1), ("tell", 0, 1), ("consider", 1)],
    *[("days", 2), ("carry", 1, 2), ("standing", 0, 1, 2, 0, 3), ("tell", 0, 1), ("consider", 1)],
    *[
        ("revoke", 0),
        ("tell", 0, 1),
        ("carry", 1, 2),
        ("standing", 0, 1, 2, 0, 3),
        ("tell", 0, 1),
        ("carry", 1, 2),
    ],
]


class Said:
    """A consent as the oracle knows it. `heard`/`unheard`: whether the holder knows of it, and of its end."""

    def __init__(self, serial: str, of: str, to: str, party: str, about: str, until: datetime) -> None:
        self.serial, self.of, self.to, self.party, self.about, self.until = (
            serial,
            of,
            to,
            party,
            about,
            until,
        )
        self.heard = self.ended = self.unheard = self.paused = False


class World:
    """The nodes, and the oracle's list."""

    def __init__(self, made: list[Node]) -> None:
        self.nodes = made
        self.said: list[Said] = []
        self.seen: set[tuple[str, str, str]] = set()
        self.made = 0
        self.asked: dict[str, tuple[str, str, str]] = {}

    def do(self, step: tuple[Any, ...]) -> None:
        getattr(self, step[0])(*step[1:])
        if step[0] in {"carry", "tell"}:  # nothing is sealed by the others
            for number in step[1:]:
                self.look(self.nodes[number])

    def look(self, node: Node) -> None:
        """Whatever is new in a view was made here, or there is a consent for it."""
        for other in self.nodes:
            if other is node:
                continue
            for name in names(page(node, other)):
                maker, _, _ = name.partition(" ")
                if (node.party, other.party, name) in self.seen or maker == node.party:
                    continue
                self.seen.add((node.party, other.party, name))
                event("onward")
                assert any(
                    (each.of, each.to, each.party) == (maker, node.party, other.party)
                    and each.about in {name, "cyber", "all"}
                    and each.heard
                    and not each.unheard
                    and node.clock() < each.until
                    for each in self.said
                ), f"{node.party} gave {other.party} {name} without consent"
        for item in held(node):
            assert item.product.originator == item.product.title.partition(" ")[0], "not held as its maker's"

    # --- steps

    def make(self, who: int) -> None:
        node = self.nodes[who]
        self.made += 1
        take(node, bundle(malware(f"{node.party} {self.made}", GREEN)))

    def consider(self, who: int) -> None:
        while consider(self.nodes[who]):
            pass

    def carry(self, giver: int, taker: int) -> None:
        self.tell(giver, taker)
        work(self.nodes[taker])

    def tell(self, giver: int, taker: int) -> None:
        """What the giver has to say reaches the taker, who does not act on it yet."""
        if giver == taker:
            return
        source, target = self.nodes[giver], self.nodes[taker]
        work(source)
        receive(target, source.party, page(source, target))
        for each in self.said:
            if (each.of, each.to) == (source.party, target.party):
                each.heard, each.unheard = True, each.ended

    def ask(self, who: int, recipient: int) -> None:
        node, other = self.nodes[who], self.nodes[recipient]
        foreign = [item.product for item in held(node) if item.product.originator != node.party]
        if foreign:
            product = foreign[-1]
            try:
                asked = acts.request(node, product.id, other.party)
                self.asked[asked.id] = (product.originator, other.party, product.title)
            except Refused:
                assert other.party in {product.originator, node.party}

    def answer(self, who: int, yes: bool, days: int) -> None:
        node = self.nodes[who]
        for waiting in acts.requests(node)[:1]:
            asked = waiting.request
            if not yes or waiting.obstacle:
                acts.refuse(node, asked.id, officer=BY)
            else:
                until = node.clock() + timedelta(days=days)
                made = acts.grant(node, asked.id, officer=BY, until=until)
                _, party, title = self.asked[asked.id]
                self.add(made, title, party)

    def add(self, made: deliver.Consent, about: str, party: str) -> None:
        self.said.append(Said(made.serial, made.originator, made.holder, party, about, made.until))

    def standing(self, who: int, holder: int, recipient: int, scope: int, days: int) -> None:
        node, to, party = self.nodes[who], self.nodes[holder].party, self.nodes[recipient].party
        try:
            until = node.clock() + timedelta(days=days)
            made = acts.give_standing(node, to, party, SCOPES[scope], officer=BY, until=until)
            self.add(made, ("all", "cyber", "report")[scope], party)
        except Refused:
            assert len({node.party, to, party}) < 3 or any(each.partner == party for each in node.suspensions)

    def revoke(self, who: int) -> None:
        node = self.nodes[who]
        mine = [each for each in self.said if each.of == node.party and not each.ended]
        if mine and node.clock() < mine[-1].until:
            acts.revoke(node, mine[-1].serial, officer=BY, why="Example.")
            mine[-1].ended = True

    def days(self, count: int) -> None:
        for node in self.nodes:
            node.clock.now += timedelta(days=count)  # type: ignore[attr-defined]

    def suspend(self, who: int, whom: int) -> None:
        node, partner = self.nodes[who], self.nodes[whom]
        if node is not partner and not node.suspensions:
            suspend(node, partner.party, Stopped(), officer=BY, reason="Example.")
            for each in self.said:
                if (each.of, each.party) == (node.party, partner.party) and not each.ended:
                    each.ended = each.paused = True

    def resume(self, who: int) -> None:
        node = self.nodes[who]
        for each in node.suspensions:
            approve(node, RESUME, f"{each.partner}@{each.id}")
            before = {one.consent.serial for one in acts.listed(node)[0]}
            resume(node, each.partner, officer=BY, why="Example.")
            fresh = [one.consent for one in acts.listed(node)[0] if one.consent.serial not in before]
            paused = [said for said in self.said if said.of == node.party and said.paused]
            for said in paused:
                said.paused = False
            for made in fresh:  # each stands for one that was paused, and says the same
                same = next(
                    said
                    for said in paused
                    if (said.to, said.party, said.until) == (made.holder, made.recipient, made.until)
                )
                paused.remove(same)
                self.add(made, same.about, same.party)


@modest
@given(history=steps)
@example(history=RICH)
@example(history=QUEUED)
def test_nothing_of_anothers_goes_on_without_its_consent_for_that_recipient(
    history: list[tuple[Any, ...]],
) -> None:
    with TemporaryDirectory() as folder, nodes(Path(folder), *PARTIES) as made:
        world = World(made)
        for step in history:
            world.do(step)
        for one in made:
            assert verify_ledger(one)[1] == []
        if history in (RICH, QUEUED):
            assert world.seen, "these histories must show something"


# --- a middleman that cheats ----------------------------------------------------------------------

REPORT = """\
//GBR SECRET//REL TO USA, AUS, CAN, GBR
Title: (//GBR U) Barges at {place}
Date: 2026-10-02T05:00:00Z
Topics: maritime

(//GBR S//REL TO USA, AUS, CAN, GBR) Nine barges lay at {place} on 1 October.

//GBR SECRET//REL TO USA, AUS, CAN, GBR
"""

CUSTODIES = ["none", "velna", "osk", "tool", "forged", "own", "own, others named", "consent"]
CONSENTS = [
    "velna",
    "tool",
    "for AUS",
    "of AUS",
    "expired",
    "tearlines",
    "on cyber",
    "self-signed",
    "AUS says",
]
CHANGES = ["creator", "no creator", "id", "text", "name", "version", "created", "extra"]


class Try(msgspec.Struct, frozen=True):
    """What the middleman signs."""

    content: str
    change: frozenset[str] = frozenset()
    custody: str = "none"
    consents: frozenset[str] = frozenset()
    to: str = "CAN"
    known: bool = False


def _some(names: list[str], most: int) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(names), max_size=most)


@st.composite
def tries(draw: st.DrawFn) -> Try:
    content = draw(st.sampled_from(["velna", "osk", "tool"]))
    return Try(
        content,
        draw(st.one_of(st.just(frozenset[str]()), _some(CHANGES, 3))),
        draw(st.one_of(st.just(content), st.sampled_from(CUSTODIES))),
        draw(_some(CONSENTS, 3)),
        draw(st.sampled_from(["CAN", "CAN", "AUS"])),
        draw(st.booleans()),
    )


@settings(modest, max_examples=3000 if LONG else 80)
@given(tried=tries())
@example(Try("velna", custody="velna", consents=frozenset({"velna"})))
@example(Try("tool", custody="tool", consents=frozenset({"on cyber"})))
@example(Try("velna", custody="velna", consents=frozenset({"for AUS"}), to="AUS"))
@example(Try("velna", change=frozenset({"creator"}), custody="own"))
@example(Try("velna", change=frozenset({"creator"}), custody="own", known=True))
def test_a_middleman_that_cheats_is_found_or_in_the_list_of_what_cannot_be(tried: Try) -> None:
    stage = _stage()
    item = _changed(stage, tried)
    untouched = item == stage.items[tried.content]
    with stage.taker(tried.known, tried.to) as taker:
        before = {each.product.id for each in held(taker)}
        chain = _chain(stage, item, tried)
        receive(taker, "USA", [middleman.release(stage.usa, item, taker.party, chain)])
        mine = [each.product for each in held(taker) if each.product.id == item["id"]]
    makers = {product.originator for product in mine}
    assert makers <= {"USA", "GBR"}, "nobody else is ever named as its originator"
    if "GBR" in makers and item["id"] not in before:
        event("as GBR's")
        assert untouched, "nothing is changed in it"
        assert tried.custody == tried.content, "it is under GBR's own envelope for this object"
        yes = {
            ("velna", "CAN"): {"velna"},
            ("tool", "CAN"): {"tool", "on cyber"},
            ("velna", "AUS"): {"for AUS"},
        }
        assert yes.get((tried.content, tried.to), set()) & tried.consents, "with GBR's consent for just that"
    if "USA" in makers:
        event("as USA's own")
        # The list in docs/consent.md: what the recipient has never seen, and nobody's name stands on.
        assert tried.custody in {"none", "own", "own, others named"}
        assert item.get("created_by_ref") != stage.identities["GBR"], "GBR stands as its creator"
        if tried.custody == "own, others named":
            assert "tearlines" in tried.consents, "GBR is named as an owner"
        if tried.known:
            assert item["id"] not in before, "its id is known as GBR's"
            if item["type"] == "report":
                assert tried.change & {"text", "name", "extra"}, "its text is known as GBR's"


class Stage:
    """GBR's objects, USA which holds them, and takers which know them or not; each example begins afresh."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with nodes(folder / "new", *PARTIES):
            pass
        with nodes(folder / "known", *PARTIES) as (gbr, usa, can, aus):
            for content in (
                REPORT.format(place="Velna").encode(),
                REPORT.format(place="Osk").encode(),
                bundle(malware("Tool", GREEN)),
            ):
                take(gbr, content)
            work(gbr)
            for taker in (usa, can, aus):
                receive(taker, "GBR", page(gbr, taker))
            found = {item.get("name"): item for item in page(gbr, usa)}
            words = {"velna": "Barges at Velna", "osk": "Barges at Osk", "tool": "Tool"}
            parts = {word: middleman.taken_apart(found[name]) for word, name in words.items()}
            self.items = {word: part[0] | {"object_marking_refs": [GREEN]} for word, part in parts.items()}
            self.chains = {word: part[1] for word, part in parts.items()}
            self.keys = {node.party: node.home.signing_key for node in (gbr, usa, can, aus)}
            self.identities = {node.party: node.identity.id for node in (gbr, usa)}
            self.now = gbr.clock()
        self.usa = Node.open(folder / "known" / "USA")

    @contextmanager
    def taker(self, known: bool, party: str) -> Iterator[Node]:
        """A node that holds what GBR gave it, or knows GBR and holds nothing."""
        with TemporaryDirectory(dir=self.folder) as place:
            source = self.folder / ("known" if known else "new") / party
            shutil.copytree(source, Path(place) / party)
            with Node.open(Path(place) / party) as node:
                node.clock = lambda: self.now + timedelta(hours=1)
                yield node


_FOLDER = TemporaryDirectory(prefix="tearline-tests-")
_STAGES: list[Stage] = []


def _stage() -> Stage:
    if not _STAGES:
        _STAGES.append(Stage(Path(_FOLDER.name)))
    return _STAGES[0]


def _changed(stage: Stage, tried: Try) -> dict[str, Any]:
    item = dict(stage.items[tried.content])
    if "no creator" in tried.change:
        item.pop("created_by_ref", None)
    new = {
        "creator": {"created_by_ref": stage.identities["USA"]},
        "id": {"id": f"{item['type']}--7c0f9b3c-0c54-4c0e-9a50-0d2f6a4f0f55"},
        "text": {"description": "Ten barges."},
        "name": {"name": "Other"},
        "version": {"modified": "2026-11-20T00:00:00.000Z"},
        "created": {"created": "2026-09-01T00:00:00.000Z"},
        "extra": {"x_extra": 1},
    }
    for change in sorted(tried.change & new.keys()):
        item |= new[change]
    return item


def _chain(stage: Stage, item: dict[str, Any], tried: Try) -> Chain | None:
    real = stage.chains["velna"].custody
    if tried.custody == "none":
        return None
    if tried.custody in stage.chains:
        envelope = stage.chains[tried.custody].custody
    elif tried.custody == "forged":
        envelope = middleman.custody(stage.usa, item, real)
    elif tried.custody == "consent":
        envelope = _consent(stage, "velna")
    else:
        mine = msgspec.structs.replace(deliver.custody_in(real).label, owners=frozenset({"USA"}))
        says = {"label": mine} if tried.custody == "own" else {}
        envelope = middleman.custody(stage.usa, item, real, originator="USA", **says)
    return Chain(envelope, [_consent(stage, name) for name in sorted(tried.consents)])


def _consent(stage: Stage, name: str) -> Envelope:
    about = deliver.custody_in(stage.chains["tool" if name == "tool" else "velna"].custody)
    says: dict[str, Any] = {
        "serial": "0" * 32,
        "originator": "GBR",
        "holder": "USA",
        "recipient": "CAN",
        "subject": Subject(about.object_id, about.version, about.core),
        "forms": frozenset({Form.WHOLE}),
        "granted_at": stage.now,
        "until": stage.now + timedelta(days=9),
    }
    other: dict[str, dict[str, Any]] = {
        "for AUS": {"recipient": "AUS"},
        "of AUS": {"holder": "AUS", "subject": Scope()},
        "expired": {"subject": Scope(), "until": stage.now + timedelta(minutes=30)},
        "tearlines": {"subject": Scope(), "forms": frozenset({Form.TEARLINE})},
        "on cyber": {"subject": Scope(categories=frozenset({Category.CYBER}))},
        "self-signed": {"subject": Scope()},
        "AUS says": {"originator": "AUS", "subject": Scope()},
    }
    signer = {"self-signed": "USA", "AUS says": "AUS"}.get(name, "GBR")
    return sign_consent(deliver.Consent(**(says | other.get(name, {}))), stage.keys[signer])
