"""One run: a queue of events in simulated time, everything drawn from one seed.

Only network, clock, randomness and disk are simulated; what nodes do is `tearline.node`. An *event* is what
the simulated world delivers to a node: a letter, an acknowledgement, a poll at its door, a tick of its
worker, files, an officer's deed, a fault. A poll that finds nothing is one comparison, as a door answers from
what it knows to be its newest; what was lost on the way, or came to a node that was down, is no event.
"""

from __future__ import annotations

import hashlib
import heapq
import time
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from tearline.adapters.view import Closing
from tearline.node import AlreadyHeld, TakenIn
from tearline.simulate import acts, silence
from tearline.simulate.cheat import Cheat
from tearline.simulate.coalition import Coalition
from tearline.simulate.disk import Crashed
from tearline.simulate.laws import Breach, Observer
from tearline.simulate.member import BEGINNING, Member
from tearline.simulate.network import DAY, HOUR, MINUTE, SECOND, Network, Odds
from tearline.simulate.traffic import Writer
from tearline.terms import Party

FAULTS = ("network", "partition", "crash", "power", "skew", "vault", "cheat")
"""What can go wrong. `network`: messages lost, doubled and out of order; `power`: a crash that also loses
what was not synced."""
YEAR = 365 * DAY
_A_YEAR = {"partition": 12, "crash": 10, "power": 10, "skew": 10, "vault": 6, "cheat": 20}
"""How often, a node and year; `Plan.stress` times as often."""
_RETRY = (MINUTE, 10 * MINUTE, HOUR)
_ROUNDS = 200


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to simulate. `events`: stop after so many (0: when the days are over), then heal and check."""

    nodes: int = 8
    days: float = 365
    seed: int = 7
    faults: tuple[str, ...] = FAULTS
    events: int = 0
    products: float = 0.2
    """Products a node writes a day."""
    deeds: float = 0.02
    """Officers' deeds at a node a day."""
    poll_minutes: int = 30
    stress: float = 1
    samples: int = 1
    """How many pairs are run again for law 5."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to. Equal plans give equal reports, but for `cpu_seconds` and `wall_seconds`."""

    plan: Plan
    events: int
    by_kind: dict[str, int]
    faults: dict[str, int]
    node_years: float
    products: int
    releases: int
    received: int
    digest: str
    """SHA-256 of the trace of all events and of the logs at the end."""
    breaches: tuple[Breach, ...]
    cpu_seconds: float
    wall_seconds: float

    @property
    def working(self) -> int:
        """Events that were not a poll that found nothing or a tick without work."""
        return self.events - self.by_kind.get("idle poll", 0) - self.by_kind.get("idle tick", 0)


Watch = Callable[[float, int], None]
"""Told the part of the run that is over, and the number of events."""
Trace = Callable[[str], None]


def run(
    plan: Plan, watch: Watch | None = None, trace: Trace | None = None, *, until: Collection[int] = ()
) -> Report:
    """Run a plan from its seed to its verdict, or to where one of the laws in `until` is broken."""
    wall, cpu = time.monotonic(), time.process_time()
    made = _Run(plan, watch, trace, frozenset(until))
    try:
        made.go()
    except Exception as error:  # whatever it is, it is a finding, and its seed shows it again
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}: {error}"
        made.observer.breach(0, what)
    try:
        return made.report(time.process_time() - cpu, time.monotonic() - wall)
    finally:
        made.close()


class _Pair:
    """A giver and a taker. Instants are dates-added in the giver's view of the taker."""

    def __init__(self, giver: Member, taker: Member) -> None:
        self.giver, self.taker = giver, taker
        self.top = self.pushed = self.taken = -1
        self.pushing = False


class _Run:
    def __init__(self, plan: Plan, watch: Watch | None, trace: Trace | None, until: AbstractSet[int]) -> None:
        self.plan, self._watch, self._say, self._until = plan, watch, trace, until
        self.now, self.number, self.node_years = 0, 0, 0.0
        self.counts, self.faults = Counter[str](), Counter[str]()
        self._digest, self._queued, self._queue = hashlib.sha256(), 0, list[tuple[Any, ...]]()
        seed = f"tearline {plan.seed}"
        self.coalition = Coalition(seed, plan.nodes, self.time)
        self.members = self.coalition.members
        self.observer = Observer()
        self.observer.population = self.coalition.population
        odds = Odds() if "network" in plan.faults else Odds(0, 0, 0)
        self.network = Network(Random(f"{seed} network"), odds, self.faults)  # noqa: S311
        self._fate = Random(f"{seed} faults")  # noqa: S311
        self._polls = Random(f"{seed} polls")  # noqa: S311
        self._traffic = {party: Random(f"{seed} traffic {party}") for party in self.members}  # noqa: S311
        self.writers = {
            party: Writer(party, self.coalition.partners[party], self._traffic[party], member.sources)
            for party, member in self.members.items()
        }
        self.pairs = {
            (giver, taker): _Pair(self.members[giver], self.members[taker])
            for giver, takers in self.coalition.partners.items()
            for taker in takers
        }
        self._woken: set[Party] = set()
        self._arrived = {party: set[Party]() for party in self.members}
        self.cheat = Cheat(self.members, self.observer, self._fate) if "cheat" in plan.faults else None
        sampled = sorted(self.pairs)
        self.silence = [
            silence.Sample(*pair, self.coalition)
            for pair in Random(f"{seed} silence").sample(sampled, min(plan.samples, len(sampled)))  # noqa: S311
        ]

    def close(self) -> None:
        for known in self.observer.known.values():
            known.reader.close()
        for member in self.members.values():
            member.disk.close()

    def time(self) -> datetime:
        return BEGINNING + timedelta(microseconds=self.now)

    # --- The queue --------------------------------------------------------------------------------

    def later(self, delay: int, what: Callable[..., None], *about: Any) -> None:
        self._queued += 1
        heapq.heappush(self._queue, (self.now + delay, self._queued, what, about))

    def go(self) -> None:
        for party, member in self.members.items():
            self.observer.meet(member, self.coalition.grants[party])
            for deal in self.coalition.deals_of(party):
                self.observer.learn_deal(deal)
            self.coalition.found(party)
            self.observer.look(party)
            member.grown.clear()
        self._first_events()
        end = round(self.plan.days * DAY)
        queue, most, pop = self._queue, self.plan.events, heapq.heappop
        while queue and queue[0][0] < end and not (most and self.number >= most):
            self.now, order, what, about = pop(queue)
            what(*about)
            if self._until and any(breach.law in self._until for breach in self.observer.breaches):
                return
            if self._watch is not None and not order & 0xFFF:
                self._watch(self.now / end, self.number)
        self.node_years = self.plan.nodes * min(self.now, end) / YEAR
        self._heal()
        self.observer.event = self.number
        self.observer.end()
        for sample in self.silence:
            for what in sample.differences():
                self.observer.breach(5, what)

    def _first_events(self) -> None:
        every = self.plan.poll_minutes * MINUTE
        for pair in self.pairs.values():
            self.later(self._polls.randrange(every), self._poll, pair)
        for party in self.members:
            self.later(self._polls.randrange(HOUR), self._tick, party)
            self._next(self._traffic[party], self.plan.products / 3.5, self._write, party)
            self._next(self._traffic[party], self.plan.deeds, self._deed, party)
        doers = {
            "partition": self._cut,
            "crash": self._crash,
            "power": self._crash,
            "skew": self._skew,
            "vault": self._shut,
            "cheat": self._cheat,
        }
        for fault, doer in doers.items():
            if fault in self.plan.faults:
                self._fault(fault, doer)

    def _next(self, draw: Random, a_day: float, what: Callable[..., None], *about: Any) -> None:
        if a_day > 0:
            self.later(1 + int(draw.expovariate(a_day) * DAY), what, *about)

    def _fault(self, fault: str, doer: Callable[[str], None]) -> None:
        nodes = 1 if fault == "partition" else self.plan.nodes
        self._next(self._fate, _A_YEAR[fault] * nodes * self.plan.stress / 365, doer, fault)

    def _count(self, kind: str, *about: str) -> None:
        """An event was delivered."""
        self.number += 1
        self.observer.event = self.number
        self.counts[kind] += 1
        line = f"{self.number} {self.now} {kind} {' '.join(about)}"
        self._digest.update(line.encode())
        if self._say is not None:
            self._say(line)

    # --- Nodes ------------------------------------------------------------------------------------

    def _on(self, member: Member, act: Callable[..., Any], *arguments: Any) -> Any:
        """Let a node do something; it may die of it. Afterwards the observer looks, and its courier goes."""
        try:
            done = act(*arguments)
            self.observer.look(member.party)
            self._send(member)
        except Crashed:
            self._died(member, power=self._fate.random() < 0.5)
            return None
        return done

    def _wake(self, party: Party, delay: int = SECOND) -> None:
        if party not in self._woken:
            self._woken.add(party)
            self.later(delay, self._work, party)

    def _work(self, party: Party) -> None:
        self._woken.discard(party)
        member = self.members[party]
        if not member.up:
            return
        arrived, self._arrived[party] = self._arrived[party], set()
        self._count("work", party)
        self._journal(party, silence.WORK, None)
        self._on(member, member.work, arrived)

    def _tick(self, party: Party) -> None:
        """Once an hour the worker looks whether anything is to be done, whatever woke it or not."""
        self.later(HOUR, self._tick, party)
        member = self.members[party]
        if not member.up:
            return
        if member.must_attend or self._arrived[party] or member.node.stirred():
            self._work(party)
        else:
            self.number += 1
            self.counts["idle tick"] += 1

    def _write(self, party: Party) -> None:
        draw = self._traffic[party]
        self._next(draw, self.plan.products / 3.5, self._write, party)
        files = self.writers[party].batch(self.time(), draw.randint(1, 6))
        member = self.members[party]
        if not member.up:
            return
        for content, items in files:
            self.observer.wrote(items)
            self._count("files", party, hashlib.sha256(content).hexdigest()[:12])
            self._journal(party, silence.FILES, content)
            answers = self._on(member, member.take, content) or []
            versions = {item.id: item.version for item in items}
            for answer in answers:
                if isinstance(answer, TakenIn | AlreadyHeld):
                    product = answer.product_id
                    self.observer.acknowledged.add((party, product, versions[product]))
                else:
                    self.observer.breach(0, f"{party}: {answer}")
        self._wake(party)

    def _deed(self, party: Party) -> None:
        draw, member = self._traffic[party], self.members[party]
        self._next(draw, self.plan.deeds, self._deed, party)
        deals = tuple(self.coalition.deals_of(party))
        deed = acts.draw_deed(draw, acts.World(party, self.coalition.partners[party], deals))
        if not member.up:
            return
        if deed.deal is not None:
            self.observer.learn_deal(deed.deal)
        self._count("deed", party, deed.kind, deed.partner)
        self._journal(party, silence.DEED, deed)
        self._on(member, acts.do, member.node, deed)
        self._wake(party)

    def _journal(self, party: Party, kind: str, what: Any) -> None:
        for sample in self.silence:
            if sample.giver == party:
                sample.journal.append((self.now, kind, what))

    # --- Letters ----------------------------------------------------------------------------------

    def _send(self, member: Member) -> None:
        """The courier: push what is new in views to those whose views they are."""
        while member.grown and member.post:
            partner = next(iter(member.grown))
            del member.grown[partner]
            pair = self.pairs.get((member.party, partner))
            if pair is not None:
                self._push(pair)

    def _push(self, pair: _Pair, attempt: int = 0) -> None:
        bodies, last = self._letters(pair, pair.pushed)
        if not bodies:
            return
        self._post(pair, bodies, pair.pushed, last)
        self.later(_RETRY[min(attempt, len(_RETRY) - 1)], self._retry, pair, last, attempt + 1)

    def _retry(self, pair: _Pair, last: int, attempt: int) -> None:
        if pair.pushed < last and pair.giver.post and attempt <= len(_RETRY):
            self._count("retry", pair.giver.party, pair.taker.party)
            self._on(pair.giver, self._push, pair, attempt)

    def _letters(self, pair: _Pair, after: int) -> tuple[list[bytes], int]:
        giver, taker = pair.giver.party, pair.taker.party
        try:
            bodies, last = pair.giver.letters(taker, after)
        except Closing:
            return [], after
        pair.giver.grown.pop(taker, None)  # what was read for serving is noted in the view: nothing new
        pair.top = max(pair.top, last)
        if bodies:
            self.observer.look(giver)
            self.observer.sent(giver, taker, bodies)
        return bodies, last

    def _post(self, pair: _Pair, bodies: Sequence[bytes], after: int, last: int) -> None:
        for delay in self.network.delays(pair.giver.party, pair.taker.party):
            self.later(delay, self._arrive, pair, bodies, after, last)

    def _arrive(self, pair: _Pair, bodies: Sequence[bytes], after: int, last: int) -> None:
        giver, taker = pair.giver.party, pair.taker
        if not taker.post or self.network.is_cut(giver, taker.party):
            self.faults["met a closed door"] += 1
            return
        self._count("letter", giver, taker.party, str(len(bodies)))
        if self._on(taker, self._put, taker, giver, bodies):
            if after <= pair.taken:  # nothing is left out between the last letter and this one
                pair.taken = max(pair.taken, last)
            self._arrived[taker.party].add(giver)
            self._wake(taker.party)
            for delay in self.network.delays(taker.party, giver)[:1]:
                self.later(delay, self._acknowledged, pair, last)

    def _put(self, taker: Member, giver: Party, bodies: Sequence[bytes]) -> bool:
        taker.deliver(giver, bodies)
        return True

    def _acknowledged(self, pair: _Pair, last: int) -> None:
        if pair.giver.post:
            self._count("acknowledgement", pair.giver.party, pair.taker.party)
            pair.pushed = max(pair.pushed, last)

    def _poll(self, pair: _Pair) -> None:
        """A taker asks at a giver's door. It is the way out when pushes were lost."""
        self.later(self.plan.poll_minutes * MINUTE, self._poll, pair)
        if not (pair.giver.post and pair.taker.post) or self.network.is_cut(
            pair.giver.party, pair.taker.party
        ):
            return
        if pair.top <= pair.taken:
            self.number += 1
            self.counts["idle poll"] += 1
            return
        self._count("poll", pair.taker.party, pair.giver.party)
        answer = self._on(pair.giver, self._letters, pair, pair.taken)
        if answer and answer[0]:
            self._post(pair, answer[0], pair.taken, answer[1])

    # --- Faults -----------------------------------------------------------------------------------

    def _crash(self, fault: str) -> None:
        """A node dies: now, or in the middle of what it does next, before or after one of its commits. Or its
        post room alone stops: what is released piles up."""
        self._fault(fault, self._crash)
        draw = self._fate
        member = self.members[draw.choice(list(self.members))]
        kind, commit, before = draw.random(), draw.randrange(6), draw.random() < 0.5
        if not member.up:
            return
        if kind < 0.2:
            self._died(member, power=fault == "power")
        elif kind < 0.5 and fault == "crash":
            self._set_post(member, False)
            self.faults["post room stopped"] += 1
            self.later(draw.randrange(HOUR, 2 * DAY), self._set_post, member, True)
        else:
            member.disk.crash_at(commit, before=before)

    def _set_post(self, member: Member, opens: bool) -> None:
        self._count("post room", member.party, "open" if opens else "stopped")
        member.has_post = opens
        if member.post:
            self._on(member, lambda: None)

    def _died(self, member: Member, *, power: bool) -> None:
        lost = member.crash(power=power and "power" in self.plan.faults)
        self._count("crash", member.party)
        self.faults["power cut" if power else "crash"] += 1
        self.faults["unsynced commits lost"] += len(lost)
        self.observer.lost(member.party, lost)
        self.later(self._fate.randrange(MINUTE, 12 * HOUR), self._start, member)

    def _start(self, member: Member) -> None:
        self._count("start", member.party)
        member.start()
        self._arrived[member.party].update(member.node.partners)
        self._wake(member.party)

    def _cut(self, fault: str) -> None:
        self._fault(fault, self._cut)
        parties = list(self.members)
        some = self._fate.sample(parties, self._fate.randint(1, len(parties) // 2))
        self._count("partition", *some)
        self.faults["partition"] += 1
        self.network.cut(some)
        self.later(self._fate.randrange(HOUR, 4 * DAY), self.network.mend)

    def _skew(self, fault: str) -> None:
        self._fault(fault, self._skew)
        member = self.members[self._fate.choice(list(self.members))]
        member.skew = timedelta(seconds=self._fate.choice((0, -240, 240, -3600, 3600, 90)))
        self._count("skew", member.party, str(member.skew))
        self.faults["clock skew"] += 1

    def _shut(self, fault: str) -> None:
        self._fault(fault, self._shut)
        with_vault = [member for member in self.members.values() if member.vault is not None]
        if with_vault:
            member = self._fate.choice(with_vault)
            self._set_vault(member, True)
            self.faults["vault shut"] += 1
            self.later(self._fate.randrange(HOUR, 2 * DAY), self._set_vault, member, False)

    def _set_vault(self, member: Member, shut: bool) -> None:
        self._count("vault", member.party, "shut" if shut else "open")
        if member.vault is not None:
            member.vault.shut = shut
        self._wake(member.party)

    def _cheat(self, fault: str) -> None:
        self._fault(fault, self._cheat)
        if self.cheat is None:
            return
        done = self.cheat.attempt(self.time())
        if done is not None:
            kind, giver, taker, bodies = done
            self.faults[f"cheat: {kind}"] += 1
            pair = self.pairs[giver, taker]
            for delay in self.network.delays(giver, taker):
                self.later(delay, self._arrive, pair, bodies, 2**62, -1)

    # --- The end ----------------------------------------------------------------------------------

    def _heal(self) -> None:
        """All faults end; everything that can move moves, until nothing does."""
        self.network.mend()
        for member in self.members.values():
            member.disk.crash_at(-1, before=False)
            if not member.up:
                member.start()
            if member.vault is not None:
                member.vault.shut = False
            member.attended, member.has_post = None, True
        for _ in range(_ROUNDS):
            moved = 0
            for member in self.members.values():
                moved += member.work(member.node.partners)
                self.observer.look(member.party)
            for pair in self.pairs.values():
                bodies, last = self._letters(pair, pair.taken)
                if bodies:
                    pair.taker.deliver(pair.giver.party, bodies)
                    pair.taken, moved = last, moved + 1
            if not moved:
                return
        self.observer.breach(8, f"the coalition does not come to rest in {_ROUNDS} rounds")

    def report(self, cpu: float, wall: float) -> Report:
        known = self.observer.known.values()
        for each in known:
            for name in each.member.disk.names:
                self._digest.update(each.member.disk.newest_checkpoints(name))
        return Report(
            plan=self.plan,
            events=self.number,
            by_kind=dict(sorted(self.counts.items())),
            faults=dict(sorted(self.faults.items())),
            node_years=self.node_years,
            products=len(self.observer.items),
            releases=sum(len(each.released) for each in known),
            received=sum(
                count
                for each in known
                for (giver, release), count in each.received.items()
                if release in self.observer.known[giver].released
            ),
            digest=self._digest.hexdigest(),
            breaches=tuple(self.observer.breaches),
            cpu_seconds=cpu,
            wall_seconds=wall,
        )
