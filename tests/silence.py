"""Histories that agree on what one partner may have, run through whole nodes, and all that it can fetch then.

A history is what concerns the watched partner (`Core`) with what does not (`Noise`) strewn in between, and
with differences inside the core's own products that the partner is not meant to see (`Skin`). One node is
used again and again: `World.fresh` puts its files back to their first state.
"""

from __future__ import annotations

import asyncio
import atexit
import itertools
import json
import os
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from hypothesis import strategies as st
from msgspec.structs import replace

from tearline.adapters import database, store
from tearline.adapters.home import Marks
from tearline.adapters.view import OUT, Item
from tearline.agreement import load
from tearline.agreement.suspension import Scope
from tearline.deliver import Kind
from tearline.doors.partner import ByCertificate, PartnerDoor, Registry, inbox
from tearline.doors.partner.pace import Pace
from tearline.intake import Fault
from tearline.node import (
    Card,
    Node,
    add_partner,
    agreements,
    consider,
    hand_over,
    media,
    messages,
    previews,
    reconsider,
    references,
    shadow,
    take_inbox,
)
from tearline.node.agreement_record import versions
from tearline.node.suspend import RESUME, resume, suspend
from tearline.node.take_in_file import About, take_in_file
from tearline.terms import Category, Topic
from tests.adoption import OFFICERS, adopt, approve
from tests.coalition import AGREEMENTS
from tests.media_files import picture, recording
from tests.quick_sandbox import quick
from tests.unit.node import world
from tests.unit.node.world import EVERYTHING, GREEN, RED, bundle, five_eyes, malware, take

WATCHED, OTHERS = "USA", ("AUS", "CAN")
START = datetime(2026, 11, 24, tzinfo=UTC)
KEY = "f" * 64
"""In the place of the fingerprint of the watched partner's TLS key."""
TAXII = "application/taxii+json;version=2.1"
WHY = {"officer": OFFICERS[0], "why": "Example."}

SECRETS = [malware(f"Dusky Petrel{letter}", RED) for letter in "ABCD"]
"""Held from the beginning, and withheld from everybody."""
OPEN = [malware(f"Plain Duck {letter}", GREEN) for letter in "ABCD"]
"""Given to everybody, once they come."""
NOWHERE = [malware(f"nowhere {number}") for number in range(3)]
SCOPES = [Scope(), Scope(categories=frozenset({Category.CYBER})), Scope(topics=frozenset({Topic.MARITIME}))]


FORMS = """
[forms.coarse]
kind = "imagery"
gsd_m = 60

[forms.near]
kind = "signal"
annotated = true
position_deg = 1.0
"""
FORMS_GO = """
@id("forms")
@reason("Pictures and recordings go in the form that was agreed.")
permit (principal in Coalition::"FVEY", action == Action::"releaseTearline", resource)
when { resource.category == Category::"imagery" || resource.category == Category::"intercept" };
"""
PREVIEW_S = 2


# The rooms' fronts have functions of the same names.
_consider, _hand_over = (import_module(f"tearline.node.{name}") for name in ("consider", "hand_over"))
SMALL = {(_consider, "DECISIONS"): 10, (_hand_over, "BATCH"): 3}
"""Batches so small that every history has several: three products, three releases."""


class Core(NamedTuple):
    """What concerns the watched partner: an act, and which of its kind."""

    act: str
    number: int


class Noise(NamedTuple):
    """What does not: an act, which of its kind, and the step of the core that it comes before.

    What is taken in comes in one file with what that step takes in, before it or (`behind`) after it.
    """

    at: int
    act: str
    number: int
    behind: bool


class Skin(NamedTuple):
    """In what the core's own products may differ.

    `others`: who else may have them. `hidden`: portions that the watched partner may not have. `points_to`:
    withheld or absent objects that they refer to. `says`: names of what is withheld, in their lists.
    """

    others: str
    hidden: int
    points_to: tuple[str, ...]
    says: tuple[str, ...]


class History(NamedTuple):
    skins: tuple[Skin, ...]
    noise: tuple[Noise, ...]


PLAIN = History((Skin("CAN, GBR", 1, (NOWHERE[0]["id"],), ()),) * 3, ())


class World:
    """A node with the watched partner and two others, whose files forget."""

    def __init__(self, node: Node, peers: Sequence[Card]) -> None:
        self.node, self.peers = node, peers
        manifest = (AGREEMENTS / "five-eyes" / "agreement.toml").read_text("utf-8")
        adopt(node, load(manifest.replace('"five-eyes"', '"media"', 1) + FORMS, FORMS_GO, "media"))
        node.home.config = replace(
            node.home.config, marks=Marks(text=True, zero_width=True), preview_s=PREVIEW_S
        )
        take(node, bundle(*SECRETS))
        self.at(0)
        world.work(node)
        self._files = [node.home.database, *(node.home.view(party) for party in (WATCHED, *OTHERS))]
        for party in (WATCHED, *OTHERS):
            node.view(party)
        self._images = [_image(path) for path in self._files]
        registry = Registry(node.view)
        registry._keys = {KEY: WATCHED}
        self.loop = asyncio.new_event_loop()
        self.door: Any = PartnerDoor(
            registry,
            ByCertificate(registry),
            title="Desk GBR",
            clock=lambda: node.clock(),  # noqa: PLW0108
            # A second goes by between two requests: how fast this machine is must not make a difference.
            pace=Pace(itertools.count().__next__),
        )

    def fresh(self) -> None:
        """Everything as it was at the beginning."""
        for path, image in zip(self._files, self._images, strict=True):
            with closing(sqlite3.connect(path)) as file:
                file.execute("PRAGMA synchronous = OFF")
                image.backup(file)
        shutil.rmtree(self.node.home.released, ignore_errors=True)
        references._KEPT.clear()
        self.node.generation = -1
        self.at(0)
        self.node.refresh()
        self._ids = itertools.count(1)

    def at(self, seconds: float) -> None:
        """The clock stands still within a step."""
        now = START + timedelta(seconds=seconds)
        self.node.clock = lambda: now

    def uuid4(self) -> uuid.UUID:
        """In the place of drawn ones: of the door's status resources."""
        return uuid.UUID(int=next(self._ids), version=4)


@contextmanager
def opened() -> Iterator[World]:
    """A world, in memory where the machine has a folder for that: what is written need not last."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    real = database._configure

    def careless(connection: sqlite3.Connection, record: Any) -> None:
        real(connection, record)
        connection.execute("PRAGMA synchronous = OFF")

    database._configure = careless
    sizes = {name: getattr(*name) for name in SMALL}
    for (module, name), size in SMALL.items():
        setattr(module, name, size)
    try:
        with (
            quick(),
            tempfile.TemporaryDirectory(dir=memory) as place,
            world.nodes(Path(place), "GBR", WATCHED, *OTHERS, "NZL") as made,
        ):
            found = World(made[0], [Card.of(made[-1])])
            inbox.uuid = found  # type: ignore[attr-defined]
            yield found
            found.loop.close()
    finally:
        database._configure = real
        for (module, name), size in sizes.items():
            setattr(module, name, size)
        inbox.uuid = uuid  # type: ignore[attr-defined]


def _image(path: Path) -> sqlite3.Connection:
    image = sqlite3.connect(":memory:")
    with closing(sqlite3.connect(path)) as file:
        file.backup(image)
    return image


# --- Living --------------------------------------------------------------------------------------


def work(node: Node) -> None:
    """As a round of the worker, within one tick of the cadence."""
    take_inbox(node)
    while consider(node) + hand_over(node) or media.attend(node):
        pass
    previews.attend(node)


def live(made: World, core: Sequence[Core], history: History) -> None:
    """Run a history to its end, when all that waited long enough has gone."""
    made.fresh()
    now, taken = 0.0, set[str]()
    # While the watched partner is suspended, a revision of what it may not see is a new chance for the rest.
    suspends = any(step.act == "suspend" for step in core)
    for number, step in enumerate(core):
        now += 3.0 if step.act == "wait" else 0.4
        made.at(now)
        here = [each for each in history.noise if each.at == number]
        content = _taken_by(step, history)
        noise = [(each, _taken_by_noise(each, taken)) for each in here]
        for each, _ in noise:
            _do_noise(made, each)
        for each, files in noise:
            for one in files if not each.behind else []:
                take(made.node, one)
        if isinstance(content, dict):
            around = {False: [], True: []}  # type: dict[bool, list[Any]]
            for each in here:
                around[each.behind].append(malware(f"mixed {each.number} {number}", RED))
            take(made.node, bundle(*around[False], content, *around[True]))
        elif content:
            taken |= set() if suspends else {f"{step.act} {step.number}"}
            take(made.node, content)
        for each, files in noise:
            for one in files if each.behind else []:
                take(made.node, one)
        for each in here:
            _take_file(made.node, each.act, each.number, "AUS, CAN, GBR")
        _take_file(made.node, step.act, step.number, f"USA, {history.skins[step.number % 3].others}")
        _do(made, step)
    for rest in (3.0, 6.0):
        made.at(now + rest)
        work(made.node)


def _taken_by(step: Core, history: History) -> dict[str, Any] | bytes | None:
    """What a step takes in: a STIX object, or a report."""
    skin = history.skins[step.number % len(history.skins)]
    one, other = OPEN[step.number % 4], OPEN[(step.number + 2) % 4]
    match step.act:
        case "object":
            made = one | {
                "labels": ["energy", *skin.says],
                "created_by_ref": "identity" + skin.points_to[0].removeprefix("malware"),
            }
            # Whether something is missing is told by how long it takes: it is the same in all histories.
            missing = [{"x_ref": each, "why": "alike"} for each in skin.points_to]
            return made | ({"x_like": missing} if step.number % 2 else {})
        case "link":
            ends = {"relationship_type": "uses", "source_ref": one["id"], "target_ref": other["id"]}
            return _of_kind("relationship", step.number, **ends)
        case "holder":
            refs = [one["id"], *skin.points_to, other["id"]]
            return _of_kind(
                "grouping", step.number, name="Some", context="suspicious-activity", object_refs=refs
            )
        case "report":
            return _report(step.number, skin, 0, "osint")
        case "tearline":
            return _report(step.number, skin, skin.hidden, "humint")
        case _:
            return None


@cache
def _files() -> Path:
    """Small pictures and recordings. A twin shows what the picture of its number shows, so that their forms
    are the same file; what each says of itself is another word."""
    folder = Path(tempfile.mkdtemp(prefix="tearline-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for number in range(4):
        picture(folder / f"picture {number}.tif", seed=number, pixels=32, told=f"Taken {number}")
        picture(folder / f"twin {number}.tif", seed=number, pixels=32, told=f"Another {number}")
        picture(folder / f"hidden file {number}.tif", seed=10 + number, pixels=32)
        recording(folder, f"recording {number}", seed=number, samples=512)
        recording(folder, f"file to others {number}", seed=10 + number, samples=512)
    return folder


_WHOLE = frozenset({Topic.THREAT_TO_LIFE})


def _take_file(node: Node, act: str, number: int, others: str) -> None:
    """Take in the picture or recording of a step, if it is one. The odd ones go whole."""
    for path in (_files() / f"{act} {number}.tif", _files() / f"{act} {number}.sigmf-meta"):
        if path.exists():
            rel = "" if act.startswith("hidden") else f"//REL TO {others}"
            about = About(marking=f"//GBR SECRET{rel}", topics=_WHOLE if number % 2 else frozenset())
            assert not [each for each in take_in_file(node, path, about) if isinstance(each, Fault)]


def _of_kind(kind: str, number: int, **more: Any) -> dict[str, Any]:
    item = malware(f"{kind} {number}", GREEN) | {"type": kind} | more
    item["id"] = item["id"].replace("malware", kind, 1)
    del item["is_family"]
    return item if "name" in more else {key: value for key, value in item.items() if key != "name"}


def _report(number: int, skin: Skin, hidden: int, discipline: str, day: int = 2) -> bytes:
    rel = f"REL TO USA, {skin.others}"
    banner = "//GBR SECRET" if hidden else f"//GBR SECRET//{rel}"
    narrow = "\n\n".join(f"(//GBR S) Quay {each} is watched." for each in range(hidden))
    return f"""\
{banner}
Title: (//GBR U) Barges at Velna {number}
Id: {discipline}-{number}
Date: 2026-10-{day:02}T05:00:00Z
Topics: maritime
Regions: eastern-europe
Discipline: {discipline}

(//GBR S//{rel}) {number} barges lay at Velna on 1 October. It is often said that they wait for each other.

{narrow}

{banner}
""".encode()


def _do(made: World, step: Core) -> None:
    node, number = made.node, step.number
    match step.act:
        case "work":
            work(node)
        case "read":
            ask(made, "GET", f"/api/collections/releases/objects/?limit={1 + number}")
        case "post":
            mark = malware(f"given by the watched {number}", GREEN)
            ask(made, "POST", "/api/collections/inbox/objects/", {"objects": [mark]})
        case "suspend":
            suspend(node, WATCHED, SCOPES[number % 3], officer=OFFICERS[0], reason="Example.")
        case "resume":
            _resume(node, WATCHED)
        case "message":
            _say(node, WATCHED, number)
        case "reconsider":
            reconsider(node)
        case _:
            pass


def _taken_by_noise(each: Noise, taken: set[str]) -> list[bytes]:
    number, skin = each.number, Skin("CAN, GBR", 2 + each.number, (), ())
    match each.act:
        case "secret":
            return [bundle(malware(f"secret {number} {each.at}", RED), malware(f"more {number}", RED))]
        case "to others":
            text = _report(number, skin, 0, "osint").replace(b"REL TO USA, CAN, GBR", b"REL TO AUS, CAN, GBR")
            return [text.replace(b"osint-", b"other-%d-" % each.at)]
        case "quarantined":
            mark = "marking-definition--00000000-0000-4000-8000-000000000001"
            return [bundle(malware(f"unread {number}", mark))]
        case "broken":
            return [b'{"type": "bundle", "objects": [{"type": "malware"}, 7', bundle({"type": "x"})]
        case "again":
            return [bundle(*SECRETS)]
        case "link to secret":
            ends = {
                "relationship_type": "uses",
                "source_ref": OPEN[number]["id"],
                "target_ref": SECRETS[number]["id"],
            }
            marks = [GREEN if each.behind else RED]
            return [bundle(_of_kind("relationship", 100 + number, **ends, object_marking_refs=marks))]
        case "hidden revision" if f"tearline {number}" in taken:
            return [_report(number, skin._replace(others="AUS, GBR"), skin.hidden, "humint", day=3 + number)]
        case _:
            return []


def _do_noise(made: World, each: Noise) -> None:
    node, number = made.node, each.number
    match each.act:
        case "suspend CAN":
            # The clock stands still: two alike in one step would be one.
            reason = f"Example {node.generation}."
            suspend(node, "CAN", SCOPES[number % 3], officer=OFFICERS[0], reason=reason)
        case "resume CAN":
            _resume(node, "CAN")
        case "read CAN":
            node.view("CAN").serve(OUT, EVERYTHING, after=-1, limit=1 + number)
        case "post CAN":
            world.add_to_inbox(node, "CAN", malware(f"given by another {number}", GREEN))
        case "message CAN":
            _say(node, "CAN", number)
        case "shadow":
            _shadow(node)
        case "stuck CAN":
            other = OPEN[number]
            item = Item("b" * 64, other["id"], "malware", other["modified"], "2.1", b'{"other": 1}')
            with node.view("CAN").begin() as view:
                if not view.has_release(["b" * 64]):
                    _quietly(lambda: view.add(OUT, [item], node.clock()))
        case "new partner":
            if "NZL" in node.partners:
                add_partner(node, made.peers[0], world.TERMS)
        case _:
            pass


def _quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except Exception:  # it is there with other content already
        return


def _resume(node: Node, party: str) -> None:
    with node.reading() as db:
        standing = store.suspensions(db, party)
    for each in standing[:1]:
        approve(node, RESUME, f"{party}@{each.id}")
        resume(node, party, each.id, **WHY)


def _say(node: Node, party: str, number: int) -> None:
    with node.writing() as db:
        messages.send(node, db, party, Kind.RECEIPT, {"batch": number}, about=str(number))


def _shadow(node: Node) -> None:
    clause = '@id("none") @reason("Example.") forbid (principal, action in Action::"share", resource);'
    agreement = five_eyes(clause)
    if agreement.version not in {each.agreement.version for each in versions(node)}:
        agreements.propose(node, agreement, **WHY)
        shadow.start(node, agreement.version, datetime(2027, 1, 1, tzinfo=UTC), **WHY)


# --- Asking --------------------------------------------------------------------------------------


class Answer(NamedTuple):
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


def ask(made: World, method: str, target: str, body: Any = None, key: str | None = KEY) -> Answer:
    """One request to the door, as the watched partner (or `key`)."""
    return made.loop.run_until_complete(_ask(made.door, method, target, body, key))


async def _ask(door: Any, method: str, target: str, body: Any, key: str | None) -> Answer:
    path, _, query = target.partition("?")
    sent = b"" if body is None else json.dumps(body).encode()
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [
            (b"host", b"gbr.example"),
            (b"accept", TAXII.encode()),
            (b"content-type", TAXII.encode()),
        ],
        "client": ("192.0.2.1", 1),
        "state": {"tls_key": key},
    }
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await door(scope, receive, send)
    head, *rest = said
    return Answer(head["status"], tuple(head["headers"]), b"".join(each.get("body", b"") for each in rest))


_OUT = "/api/collections/releases/"
_IDS = [*OPEN, *SECRETS[:2], NOWHERE[0], malware("secret 0 0"), malware("mixed 0 0")]
FIXED = [
    ("GET", "/taxii2/"),
    ("GET", "/api/"),
    ("GET", "/api/collections/"),
    ("GET", "/api/collections/inbox/objects/"),
    ("GET", "/api/collections/inbox/manifest/"),
    ("GET", _OUT),
    ("GET", f"{_OUT}objects/?match[type]=malware&limit=2"),
    ("GET", f"{_OUT}objects/?match[version]=all&match[spec_version]=2.0,2.1"),
    ("GET", f"{_OUT}objects/?match[type]=report&match[version]=first"),
    ("GET", f"{_OUT}manifest/?match[version]=all"),
    ("GET", f"{_OUT}manifest/?limit=1"),
    ("GET", f"{_OUT}objects/?limit=x"),
    ("GET", f"{_OUT}objects/?next=bm90aGluZw"),
    ("GET", f"{_OUT}objects/?added_after=2026-11-24T00:00:01Z"),
    ("GET", "/api/collections/11111111-1111-4111-8111-111111111111/objects/"),
    ("GET", "/api/status/11111111-1111-4111-8111-111111111111/"),
    ("GET", "/stac/collections"),
    ("GET", "/stac/search?bbox=170,-90,-170,90&datetime=2026-01-01T00:00:00Z/.."),
    ("GET", "/stac/collections/imagery/items/report--11111111-1111-4111-8111-111111111111"),
    ("DELETE", f"{_OUT}objects/{OPEN[0]['id']}/"),
    ("POST", f"{_OUT}objects/"),
    *(("GET", f"{_OUT}objects/{each['id']}/") for each in _IDS),
    *(("GET", f"{_OUT}objects/{each['id']}/versions/") for each in (OPEN[0], SECRETS[0], NOWHERE[0])),
]


def fetched(made: World) -> list[tuple[str, Answer]]:
    """Every byte that the watched partner can fetch, and that a stranger gets, by request."""
    return made.loop.run_until_complete(_fetch(made.door)) + [("pushed", each) for each in _pushed(made.node)]


async def _fetch(door: Any) -> list[tuple[str, Answer]]:
    found = []

    async def get(method: str, target: str, key: str | None = KEY) -> Answer:
        answer = await _ask(door, method, target, None, key)
        found.append((f"{method} {target}", answer))
        return answer

    for method, target in FIXED:
        await get(method, target)
    await get("GET", f"{_OUT}objects/", None)
    target = f"{_OUT}objects/?limit=3"
    while True:  # page after page, as a client does
        page = orjson.loads((await get("GET", target)).body)
        if not page.get("more"):
            break
        target = f"{_OUT}objects/?limit=3&next={page['next']}"
    listed = orjson.loads((await get("GET", f"{_OUT}manifest/?limit=1000")).body).get("objects", [])
    scenes = orjson.loads((await get("GET", "/stac/search?limit=1000")).body)["features"]
    for asset in (each for item in scenes for each in item["assets"].values()):
        await get("GET", asset["href"].removeprefix("https://gbr.example"))
    for record in listed[1::3]:
        await get("GET", f"{_OUT}objects/{record['id']}/")
        await get("GET", f"{_OUT}manifest/?added_after={record['date_added']}&limit=2")
    return found


def _pushed(node: Node) -> list[Answer]:
    """What a courier would push: the rows of the partner's view, and the entries of its logs; files too."""
    with closing(sqlite3.connect(node.home.view(WATCHED))) as db:
        rows = db.execute('SELECT added, id, version, body FROM "out" ORDER BY added').fetchall()
        log = db.execute("SELECT log, seq, data FROM log_entry ORDER BY log, seq").fetchall()
        files = db.execute("SELECT * FROM released_file ORDER BY name").fetchall()
        shown = db.execute("SELECT * FROM preview ORDER BY name").fetchall()
    return [Answer(0, (), repr(each).encode()) for each in (*rows, *log, *files, *shown)]


# --- Drawing -------------------------------------------------------------------------------------

CORE = [
    *("object", "object", "link", "holder", "report", "tearline", "work", "work", "read", "wait"),
    *("post", "suspend", "resume", "message", "reconsider", "picture", "picture", "recording"),
]
NOISE = [
    *("secret", "secret", "to others", "to others", "quarantined", "broken", "again", "link to secret"),
    *("suspend CAN", "resume CAN", "read CAN", "post CAN", "message CAN", "shadow", "stuck CAN"),
    *("new partner", "hidden revision", "twin", "twin", "file to others", "hidden file"),
]
cores = st.lists(st.builds(Core, st.sampled_from(CORE), st.integers(0, 3)), min_size=2, max_size=10)
_noise = st.builds(Noise, st.integers(0, 9), st.sampled_from(NOISE), st.integers(0, 3), st.booleans())
_missing = st.sampled_from([each["id"] for each in (*SECRETS, *NOWHERE)])
skins = st.builds(
    Skin,
    others=st.sampled_from(["CAN, GBR", "AUS, GBR", "AUS, CAN, GBR", "FVEY"]),
    hidden=st.integers(1, 3),
    points_to=st.lists(_missing, min_size=1, max_size=3, unique=True).map(tuple),
    says=st.lists(st.sampled_from([each["name"] for each in SECRETS]), max_size=2, unique=True).map(tuple),
)
histories = st.builds(History, st.tuples(skins, skins, skins), st.lists(_noise, max_size=8).map(tuple))
