"""The observer: knows everything, trusts nothing that a node says of itself, and was written from the laws.

It reads three things: what the authors meant (`traffic.Item`), the private ledgers as they stand in the
databases (with SQL of its own), and every byte that leaves a node. Rules are stated here a second time,
naively: no code of the gate's, the agreements' or the ledger's is called for a judgement.

1. Nothing goes that the label or the agreements in force do not let go; and what they let go does go.
2. No name of a protected source leaves; what touches one never goes whole.
3. What each partner, and all pooled, were told of a source leaves k persons.
4. What another made is not passed on.
5. What a partner sees does not depend on what it is not shown: see `silence`.
6. A version decides only after a quorum, a review and a proof; a proposal does nothing.
7. Nothing goes to a suspended partner that it was not served before.
8. What was acknowledged is held; every release is received once, or reported as not delivered.
9. What leaves is on the ledger already; every log recomputes; a changed entry is found.
10. What only the vault knows stands nowhere else.
"""

from __future__ import annotations

import base64
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import orjson

from tearline.adapters import store
from tearline.deliver.extension import EXTENSION
from tearline.node import verify_ledger
from tearline.simulate.acts import QUORUM
from tearline.simulate.deals import KEEPS_CHARTER, TEARLINE, TEXTS, WHOLE, Deal, agreement, permits
from tearline.simulate.member import Member
from tearline.simulate.traffic import TOKEN, Item, Part
from tearline.terms import Party, Reach


class Grant(msgspec.Struct, frozen=True):
    """What a node grants a partner: the highest rank of its own scale, and the farthest reach."""

    rank: int
    reach: Reach


class Breach(msgspec.Struct, frozen=True):
    """A law that did not hold; 0 stands for a program that failed. `event`: after which it was seen."""

    law: int
    event: int
    what: str


class _Standing(msgspec.Struct):
    """A suspension, from its ledger entry."""

    partner: Party
    scope: str
    until: str

    def stops(self, item: Item, now: datetime) -> bool:
        if self.until and now >= datetime.fromisoformat(self.until):
            return False
        kind, _, names = self.scope.partition("=")
        words = set(names.split(","))
        return kind == "all" or (item.category in words if kind == "category" else bool(item.topics & words))


class _Known:
    """What the observer knows of one node."""

    def __init__(self, member: Member, grants: Mapping[Party, Grant]) -> None:
        self.member, self.grants = member, grants
        self.reader: sqlite3.Connection = member.disk.watch(member.home.database)
        self.read = 0
        self.suspensions: dict[str, _Standing] = {}
        self.deals: dict[str, tuple[Deal, bool]] = {}
        """Adopted deals by id, and whether each is suspended."""
        self.approved: defaultdict[str, set[str]] = defaultdict(set)
        self.reviewed: set[str] = set()
        self.resolved: set[str] = set()
        self.answers: dict[tuple[str, str, Party], str] = {}
        self.released: dict[str, tuple[Party, Item | None, str]] = {}
        self.has_released: set[tuple[str, str, Party, str]] = set()
        self.messages: dict[str, Party] = {}
        self.received: Counter[tuple[Party, str]] = Counter()
        self.forks: set[Party] = set()
        self.served: set[tuple[Party, str]] = set()
        self.notes_lost: set[Party] = set()
        """Partners in whose views a power cut took away what was noted as served."""

    def in_force(self) -> Iterator[Deal]:
        for deal, suspended in self.deals.values():
            if suspended:  # its red lines go on
                forbids = tuple(clause for clause in deal.clauses if clause.effect == "forbid")
                yield msgspec.structs.replace(deal, clauses=forbids)
            else:
                yield deal


class Observer:
    """Watches one run. `breaches` is what it saw; `event` must be kept up to date by the run."""

    def __init__(self) -> None:
        self.breaches: list[Breach] = []
        self.event = 0
        self.items: dict[tuple[str, str], Item] = {}
        self.tokens: dict[str, tuple[Item, Part]] = {}
        self.forged: set[str] = set()
        """Tokens that a cheating node put into what nobody may take."""
        self.borrowed: dict[str, Party] = {}
        """Tokens that a cheating node put under the id of another's object, and who it is."""
        self.acknowledged: set[tuple[Party, str, str]] = set()
        self.deals: dict[str, tuple[Deal, str]] = {}
        """Every version that was ever proposed: the deal, and the name of its text."""
        self.cheats: set[Party] = set()
        self.known: dict[Party, _Known] = {}
        self.told: defaultdict[str, defaultdict[Party, set[tuple[str, str]]]] = defaultdict(
            lambda: defaultdict(set)
        )
        self.secrets: dict[bytes, Party] = {}
        self.names: dict[bytes, Party] = {}
        self.population: Sequence[Mapping[str, str]] = ()

    def meet(self, member: Member, grants: Mapping[Party, Grant]) -> None:
        self.known[member.party] = _Known(member, grants)
        for source in member.sources:
            self.secrets[source.secret.encode()] = member.party
            self.names |= dict.fromkeys((part.encode() for part in source.name.split()), member.party)

    def learn_deal(self, deal: Deal) -> None:
        name = next(name for name, clauses in TEXTS.items() if clauses == deal.clauses)
        self.deals[agreement(deal).version] = deal, name

    def wrote(self, items: Iterable[Item]) -> None:
        for item in items:
            self.items[item.id, item.version] = item
            self.tokens |= {part.token: (item, part) for part in item.parts}

    def breach(self, law: int, what: str) -> None:
        self.breaches.append(Breach(law, self.event, what))

    # --- The ledger, as it grows ------------------------------------------------------------------

    def look(self, party: Party) -> None:
        """Read what is new on a node's ledger."""
        known = self.known[party]
        rows = known.reader.execute(
            "SELECT seq, data FROM log_entry WHERE log = 'ledger' AND seq >= ? ORDER BY seq", (known.read,)
        ).fetchall()
        asked: list[tuple[str, str]] = []
        for number, data in rows:
            if number != known.read:
                self.breach(9, f"{party}: the entry {known.read} of the ledger is missing")
            known.read = number + 1
            entry = orjson.loads(data)
            reader = _READERS.get(entry["act"])
            if reader is not None:
                reader(self, known, entry["body"], datetime.fromisoformat(entry["at"]))
            if entry["act"] == "product-considered":
                asked.append((entry["body"]["product"], entry["body"]["version"]))
        self._must_have_gone(known, asked)

    def lost(self, party: Party, databases: Iterable[str]) -> None:
        """After a crash: what the observer had read on a ledger must still be there.

        Of views, only the notes of what was served may be lost: see `docs/threat-model.md`.
        """
        known = self.known[party]
        known.notes_lost.update(name.removesuffix(".db") for name in databases)
        query = "SELECT count(*) FROM log_entry WHERE log = 'ledger'"
        (size,) = known.reader.execute(query).fetchone()
        if size < known.read:
            self.breach(8, f"{party}: the crash took {known.read - size} entries of the ledger away")
            known.read = size

    def _considered(self, known: _Known, body: dict[str, Any], at: datetime) -> None:
        own, key = known.member.party, (body["product"], body["version"])
        item = self.items.get(key)
        for partner, grant in known.grants.items():
            mine = item is not None and item.owner == own
            known.answers[*key, partner] = (
                self._answer(known, item, partner, grant, at) if mine and item else "withhold"
            )

    def _answer(self, known: _Known, item: Item, partner: Party, grant: Grant, at: datetime) -> str:
        """Laws 1, 2 and 7, naively: the form in which the item may go, or `withhold`."""
        own, parts = item.owner, self._marked(known, item)
        if parts is None or any(
            each.partner == partner and each.stops(item, at) for each in known.suspensions.values()
        ):
            return "withhold"
        deals = list(known.in_force())

        def may(some: Sequence[Part], action: str) -> bool:
            return permits(deals, own, partner, item.facts(some), action, at)

        everything = all(_lets_in(part, partner, grant) for part in parts)
        if everything and not item.touches and may(parts, WHOLE):
            return "whole"
        left = [part for part in parts if part.role != "source" and _lets_in(part, partner, grant)]
        tells = any(part.role == "body" for part in left)
        if item.touches:  # a part of what may go may go, once it is sanitized; or an officer is asked
            return "touched" if tells and item.category == "report" and may(left, TEARLINE) else "withhold"
        if tells and len(left) < len(parts) and item.category == "report" and may(left, TEARLINE):
            return "tearline"
        return "withhold"

    def _marked(self, known: _Known, item: Item) -> Sequence[Part] | None:
        if not item.unmarked:
            return item.parts
        if item.id not in known.resolved:
            return None
        return [msgspec.structs.replace(part, reach=Reach.GREEN) for part in item.parts]

    def _released(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        own, partner, form = known.member.party, body["partner"], body["form"]
        key = (body["product"], body["version"], partner)
        item = self.items.get(key[:2])
        known.released[body["release"]] = partner, item, form
        if (*key, form) in known.has_released:
            self.breach(8, f"{own} released {key[0]} to {partner} twice")
        known.has_released.add((*key, form))
        if item is None or item.owner != own:
            return self.breach(4, f"{own} passed on to {partner} what another made ({key[0]})")
        answer = known.answers.get(key, "withhold")
        if answer == "touched" and form == "tearline":
            return None
        if answer != form:
            law = 2 if item.touches and form == "whole" else 1
            self.breach(law, f"{own} released {key[0]} to {partner} as {form}; it should {answer}")
        return None

    def _must_have_gone(self, known: _Known, asked: Iterable[tuple[str, str]]) -> None:
        for product, version in asked:
            for partner in known.grants:
                answer = known.answers[product, version, partner]
                gone = (product, version, partner, answer) in known.has_released
                if answer in {"whole", "tearline"} and not gone:
                    own = known.member.party
                    self.breach(8, f"{own} did not release {product} to {partner} as {answer}")

    def _suspended(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        standing = _Standing(body["partner"], body["scope"], body["until"])
        known.suspensions[body["suspension"]] = standing

    def _resumed(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        known.suspensions.pop(body["suspension"], None)

    def _approved(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        if body["act"] == "adopt":
            known.approved[body["subject"]].add(body["officer"])

    def _proposed(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        known.approved.pop(body["version"], None)
        known.reviewed.discard(body["version"])

    def _reviewed(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        known.reviewed.add(body["version"])

    def _adopted(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        version, own = body["version"], known.member.party
        deal, name = self.deals[version]
        known.deals[deal.id] = deal, False
        if len(known.approved[version]) < QUORUM:
            self.breach(6, f"{own} adopted a version of {deal.id} without a quorum")
        if version not in known.reviewed:
            self.breach(6, f"{own} adopted a version of {deal.id} without a review")
        if not KEEPS_CHARTER[name]:
            self.breach(6, f"{own} adopted a version of {deal.id} that breaks the charter")

    def _agreement_suspended(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        deal, _name = self.deals[body["version"]]
        known.deals[deal.id] = deal, True

    def _agreement_resumed(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        deal, _name = self.deals[body["version"]]
        known.deals[deal.id] = deal, False

    def _agreement_ended(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        deal, _name = self.deals[body["version"]]
        if known.deals.get(deal.id, (None,))[0] == deal:
            del known.deals[deal.id]

    def _resolved(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        known.resolved.add(body["product"])

    def _message_sent(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        known.messages[body["release"]] = body["partner"]

    def _received(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        giver, release = body["giver"], body["release"]
        known.received[giver, release] += 1
        if known.received[giver, release] > 1:
            self.breach(8, f"{known.member.party} took the release {release[:12]} of {giver} twice")

    def _fork_found(self, known: _Known, body: dict[str, Any], _: datetime) -> None:
        known.forks.add(body["giver"])
        if body["giver"] not in self.cheats:
            self.breach(9, f"{known.member.party} accuses {body['giver']} of a fork that there is not")

    # --- What leaves ------------------------------------------------------------------------------

    def sent(self, giver: Party, partner: Party, bodies: Sequence[bytes]) -> None:
        """Objects leave `giver` for `partner` now. What left before is not looked at again."""
        known = self.known[giver]
        for body in bodies:
            release = _release_id(body)
            if release is not None and (partner, release) not in known.served:
                known.served.add((partner, release))
                self._leaves(known, partner, release, body)

    def _leaves(self, known: _Known, partner: Party, release: str, body: bytes) -> None:
        giver = known.member.party
        recorded = known.released.get(release)
        if release in known.messages:
            if known.messages[release] != partner:
                self.breach(9, f"{giver} sent {partner} a message for {known.messages[release]}")
        elif recorded is None or recorded[0] != partner:
            self.breach(9, f"{giver} sent {partner} a release that is not on its ledger ({release[:12]})")
        item = recorded[1] if recorded else None
        now = known.member.clock()
        if item is not None and any(
            each.partner == partner and each.stops(item, now) for each in known.suspensions.values()
        ):
            self.breach(7, f"{giver} sent {partner} {item.id}, though it is suspended")
        for token in TOKEN.findall(body):
            self._shows(known, partner, token.decode(), whole=recorded is not None and recorded[2] == "whole")
        for name, owner in self.names.items():
            if name in body:
                self.breach(2, f"{giver} sent {partner} a name of a source of {owner}")
        for secret, owner in self.secrets.items():
            if secret in body:
                self.breach(10, f"{giver} sent {partner} what only the vault of {owner} knows")

    def _shows(self, known: _Known, partner: Party, token: str, *, whole: bool) -> None:
        giver = known.member.party
        found = self.tokens.get(token)
        if found is None:
            return
        item, part = found
        if item.owner != giver:
            self.breach(4, f"{giver} sent {partner} what {item.owner} made")
            return
        part = next(each for each in self._marked(known, item) or [part] if each.token == token)
        if not _lets_in(part, partner, known.grants[partner]):
            self.breach(1, f"{giver} sent {partner} a part of {item.id} that its mark does not let it have")
        if part.role == "source" and not whole:
            self.breach(2, f"{giver} sent {partner} a source line of {item.id} in a tearline")
        if item.source is not None:
            self.told[item.source.cryptonym][partner].update(part.facts)

    # --- At the end -------------------------------------------------------------------------------

    def end(self) -> None:
        """All is healed and quiet: check what must hold then."""
        for known in self.known.values():
            self.look(known.member.party)
        for known in self.known.values():
            self._holds_what_it_said(known)
            self._verifies(known)
            self._keeps_secrets(known)
        self._all_arrived()
        self._mosaic()

    def _holds_what_it_said(self, known: _Known) -> None:
        own = known.member.party
        with known.member.node.reading() as db:
            held = {
                (each.product.originator, each.product.id, each.product.version): each
                for each in store.held(db)
            }
            waiting = store.pending(db, 1)
        for party, product, version in self.acknowledged:
            if party == own and (own, product, version) not in held:
                self.breach(8, f"{own} acknowledged {product} and does not hold it")
        if waiting:
            self.breach(8, f"{own} never considered {waiting[0].product.id}")
        for (originator, product, _), each in held.items():
            for token in map(bytes.decode, TOKEN.findall(each.product.content)):
                found = self.tokens.get(token)
                if token in self.forged:
                    self.breach(9, f"{own} took from {originator} what does not verify ({product})")
                elif token in self.borrowed and originator != self.borrowed[token]:
                    self.breach(4, f"{own} holds as made by {originator} what {self.borrowed[token]} gave")
                elif found is not None and found[0].owner != originator:
                    self.breach(4, f"{own} holds as made by {originator} what {found[0].owner} made")

    def _verifies(self, known: _Known) -> None:
        own = known.member.party
        _, findings = verify_ledger(known.member.node)
        for finding in findings:
            self.breach(9, f"{own}: {finding}")

    def _keeps_secrets(self, known: _Known) -> None:
        for name in known.member.disk.names:
            content = known.member.disk.bytes_of(name)
            for secret, owner in self.secrets.items():
                if secret in content:
                    self.breach(
                        10, f"{known.member.party}: {name} holds what only the vault of {owner} knows"
                    )

    def _all_arrived(self) -> None:
        for known in self.known.values():
            giver = known.member.party
            with known.member.node.reading() as db:
                undelivered = {release for _, release, _, _, at in store.releases(db) if at is None}
                undelivered |= {release for _, release, _, at in store.messages(db) if at is None}
            sent = [(release, partner) for release, (partner, *_) in known.released.items()]
            for release, partner in [*sent, *known.messages.items()]:
                got = self.known[partner].received[giver, release]
                if not got and release not in undelivered and giver not in self.cheats:
                    self.breach(8, f"{partner} never received the release {release[:12]} of {giver}")
                if got and release in undelivered and partner not in known.notes_lost:
                    self.breach(8, f"{giver} reports {release[:12]} as undelivered, but {partner} has it")
        for known in self.known.values():
            histories: defaultdict[Party, set[bool]] = defaultdict(set)
            for giver, release in known.received:
                gave = self.known[giver]
                to = gave.released.get(release, (gave.messages.get(release),))[0]
                histories[giver].add(to == known.member.party)
                if to != known.member.party and giver not in self.cheats:
                    self.breach(9, f"{known.member.party} holds a release that {giver} never gave it")
            for giver, kinds in histories.items():
                if len(kinds) == 2 and giver not in known.forks:
                    self.breach(9, f"{known.member.party} took two histories of the log of {giver}")

    def _mosaic(self) -> None:
        """Law 3: persons who fit all that was told, for each partner and for all pooled."""
        sources = {
            source.cryptonym: source for known in self.known.values() for source in known.member.sources
        }
        for cryptonym, told in self.told.items():
            pooled = set().union(*told.values())
            for who, facts in [*told.items(), ("all partners together", pooled)]:
                left = sum(all(each.get(name) == value for name, value in facts) for each in self.population)
                if left < sources[cryptonym].k:
                    self.breach(3, f"{who} can tell {cryptonym} from all but {left} persons")


def _lets_in(part: Part, partner: Party, grant: Grant) -> bool:
    listed = part.release is None or partner in part.release
    return listed and part.rank <= grant.rank and part.reach <= grant.reach


def _release_id(body: bytes) -> str | None:
    try:
        payload = orjson.loads(body)["extensions"][EXTENSION]["dsse"]["payload"]
        return str(orjson.loads(base64.b64decode(payload))["release_id"])
    except (KeyError, TypeError, ValueError):
        return None


_READERS = {
    "product-considered": Observer._considered,
    "product-released": Observer._released,
    "partner-suspended": Observer._suspended,
    "partner-resumed": Observer._resumed,
    "approval-given": Observer._approved,
    "agreement-proposed": Observer._proposed,
    "agreement-reviewed": Observer._reviewed,
    "agreement-adopted": Observer._adopted,
    "agreement-suspended": Observer._agreement_suspended,
    "agreement-resumed": Observer._agreement_resumed,
    "agreement-superseded": Observer._agreement_ended,
    "agreement-withdrawn": Observer._agreement_ended,
    "agreement-expired": Observer._agreement_ended,
    "quarantine-resolved": Observer._resolved,
    "fork-found": Observer._fork_found,
    "message-sent": Observer._message_sent,
    "release-received": Observer._received,
}
