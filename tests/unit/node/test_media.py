"""Pictures and recordings through nodes: taken in, released whole or in a form, fetched, passed on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tearline.adapters import store
from tearline.agreement import load
from tearline.agreement.suspension import Inbound, Scope
from tearline.deliver import RecallAction, RecallKind, RecallReason, file_in
from tearline.deliver.extension import FILE
from tearline.intake import Fault
from tearline.ledger import Act
from tearline.node import (
    AlreadyHeld,
    Node,
    TakenIn,
    arrivals,
    consider,
    files,
    media,
    protect,
    receive,
    take_inbox,
    verify_ledger,
)
from tearline.node import consent as acts
from tearline.node.recall import recall
from tearline.node.suspend import RESUME, attend, resume, suspend
from tearline.node.take_in_file import About, take_in_file
from tearline.scan import Hit, Identity, Kind, Scanner
from tearline.terms import Category, Discipline, Label, Level, Media, Product, Quarantine, Signal, Topic
from tests.adoption import OFFICERS, adopt, approve
from tests.coalition import AGREEMENTS
from tests.media_files import picture, recording
from tests.pictures import marked
from tests.unit.node.world import EVERYTHING, add_to_inbox, codes, entries, held, nodes, page, work

BY = OFFICERS[0]
WHOLE = About(marking="TLP:GREEN", topics=frozenset({Topic.THREAT_TO_LIFE}))
FORMS = """
[forms.near]
kind = "signal"
position_deg = 1.0
time = "day"

[forms.late]
kind = "imagery"
gsd_m = 40
time = "day"
delay_h = 720
"""
CLAUSE = """
@id("media-forms")
@reason("Recordings and pictures go in the form that was agreed.")
permit (principal in Coalition::"FVEY", action == Action::"releaseTearline", resource)
when { resource.category == Category::"intercept" || resource.category == Category::"imagery" };
"""
WHERE = {"core:geolocation": {"type": "Point", "coordinates": [31.234, 46.789]}, "core:author": "CANARY"}


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path / "nodes", "AUS", "GBR", "USA") as made:
        yield made


@pytest.fixture
def forming(tmp_path: Path) -> Iterator[list[Node]]:
    """GBR and USA, with forms in their agreement."""
    folder = AGREEMENTS / "five-eyes"
    manifest = (folder / "agreement.toml").read_text(encoding="utf-8").replace('"five-eyes"', '"media"', 1)
    agreement = load(manifest + FORMS, CLAUSE, "media")
    with nodes(tmp_path / "nodes", "GBR", "USA") as made:
        for node in made:
            adopt(node, agreement)
        yield made


def take(node: Node, path: Path, about: About = WHOLE) -> list[Any]:
    return list(take_in_file(node, path, about))


def bring(giver: Node, taker: Node) -> int:
    """What the taker's post room would fetch from the giver's door; returns how many files."""
    view, count = taker.view(giver.party), 0
    for wanted in view.wanted_files(here=False):
        if giver.view(taker.party).file(wanted.name) is None:
            continue
        view.fetched.mkdir(exist_ok=True)
        link = giver.view(taker.party).link(wanted.name)
        (view.fetched / wanted.name).write_bytes(link.read_bytes())
        with view.begin() as writer:
            writer.file_came(wanted.name)
        count += 1
    return count


def carry(giver: Node, taker: Node) -> None:
    work(giver)
    receive(taker, giver.party, page(giver, taker))
    bring(giver, taker)
    media.attend(taker)
    work(taker)


def only(node: Node) -> Product:
    (item,) = held(node)
    return item.product


def content(product: Product) -> Media:
    return msgspec.json.decode(product.content, type=Media)


def reports(giver: Node, taker: Node) -> list[dict[str, Any]]:
    return [item for item in page(giver, taker) if item["type"] == "report"]


def name_for(giver: Node, taker: Node) -> str:
    (report,) = reports(giver, taker)
    return file_in(report).name


# --- Taking in -------------------------------------------------------------------------------------


def test_a_recording_is_taken_in_once(three: list[Node], tmp_path: Path) -> None:
    _, gbr, _ = three
    path = recording(tmp_path)
    (first,) = take(gbr, path)
    assert isinstance(first, TakenIn)
    assert take(gbr, path.with_suffix(".sigmf-data")) == [AlreadyHeld(first.product_id)]
    product = only(gbr)
    assert product.category is Category.INTERCEPT
    assert product.disciplines == {Discipline.SIGINT}
    about = content(product)
    assert isinstance(about.facts, Signal)
    assert gbr.blobs.local(about.sha256).stat().st_size == about.size
    assert verify_ledger(gbr)[1] == []


def test_without_a_marking_it_goes_to_nobody_until_one_is_given(three: list[Node], tmp_path: Path) -> None:
    _, gbr, usa = three
    take(gbr, recording(tmp_path), About(topics=WHOLE.topics))
    assert isinstance(only(gbr).label, Quarantine)
    work(gbr)
    assert reports(gbr, usa) == []
    (again,) = take(gbr, recording(tmp_path), About(marking="TLP:NONSENSE"))
    assert isinstance(again, Fault)
    (again,) = take(gbr, recording(tmp_path))
    assert again == TakenIn(only(gbr).id, None)
    assert isinstance(only(gbr).label, Label)


def test_what_cannot_be_read_stores_nothing(three: list[Node], tmp_path: Path) -> None:
    _, gbr, _ = three
    bad = tmp_path / "bad.tif"
    bad.write_bytes(b"II*\0" + b"\xff" * 100)
    (fault,) = take(gbr, bad)
    assert isinstance(fault, Fault)
    assert fault.where == str(bad)
    alone = recording(tmp_path / "alone")
    alone.with_suffix(".sigmf-data").unlink()
    (fault,) = take(gbr, alone)
    assert isinstance(fault, Fault)
    assert fault.where == str(alone)
    assert held(gbr) == []
    assert list(gbr.home.blobs.glob("??/*")) == []


def item(path: Path, href: str, **more: Any) -> Path:
    asset = {"href": href, "type": "image/tiff; application=geotiff", "roles": ["data"]}
    body = {"type": "Feature", "stac_version": "1.0.0", "id": "scene-1", "geometry": None, "links": []}
    body |= {"properties": {"datetime": "2026-10-05T06:07:08Z", "title": "Quay at Velna"}}
    path.write_text(json.dumps(body | {"assets": {"data": asset}} | more))
    return path


def test_a_stac_item_tells_time_and_title_of_the_picture_beside_it(three: list[Node], tmp_path: Path) -> None:
    _, gbr, _ = three
    picture(tmp_path / "a.tif")
    (taken,) = take(gbr, item(tmp_path / "item.json", "./a.tif"))
    assert isinstance(taken, TakenIn), taken
    product = only(gbr)
    assert (product.title, product.version) == ("Quay at Velna", "2026-10-05T06:07:08.000Z")
    assert content(product).facts.taken == product.created


@pytest.mark.parametrize(
    "href", ["https://elsewhere.example/a.tif", "../a.tif", "/etc/passwd", "file:///a.tif", "link.tif"]
)
def test_a_stac_item_leads_nowhere_but_beside_it(three: list[Node], tmp_path: Path, href: str) -> None:
    _, gbr, _ = three
    (tmp_path / "inside").mkdir()
    picture(tmp_path / "a.tif")
    (tmp_path / "inside" / "link.tif").symlink_to(tmp_path / "a.tif")
    (fault,) = take(gbr, item(tmp_path / "inside" / "item.json", href))
    assert isinstance(fault, Fault)
    assert held(gbr) == []


def test_a_collection_names_items(three: list[Node], tmp_path: Path) -> None:
    _, gbr, _ = three
    picture(tmp_path / "a.tif")
    item(tmp_path / "item.json", "./a.tif")
    links = [{"rel": "item", "href": "./item.json"}, {"rel": "item", "href": "./gone.json"}]
    body = {"type": "Collection", "stac_version": "1.0.0", "id": "c", "links": links}
    (tmp_path / "collection.json").write_text(json.dumps(body))
    taken, fault = take(gbr, tmp_path / "collection.json")
    assert isinstance(taken, TakenIn)
    assert isinstance(fault, Fault)


# --- Whole ------------------------------------------------------------------------------------------


def test_a_file_is_released_fetched_and_taken_in(three: list[Node], tmp_path: Path) -> None:
    aus, gbr, usa = three
    take(gbr, recording(tmp_path))
    work(gbr)
    (mine,), (theirs,) = reports(gbr, usa), reports(gbr, aus)
    told = [part for part in page(gbr, usa) if part["type"] in {"report", "artifact"}]
    assert len(json.dumps(told)) < 4000
    assert mine["object_refs"] != theirs["object_refs"]
    assert (gbr.view("USA").link(name_for(gbr, usa))).samefile(gbr.blobs.local(content(only(gbr)).sha256))

    receive(usa, "GBR", page(gbr, usa))
    assert held(usa) == [], "nothing is taken in before its file is whole"
    assert media.attend(usa) == 0
    assert bring(gbr, usa) == 1
    assert media.attend(usa) == 1
    got, given = only(usa), only(gbr)
    assert (got.category, got.originator, got.title) == (given.category, "GBR", given.title)
    assert content(got).facts == content(given).facts
    assert (
        usa.blobs.local(content(got).sha256).read_bytes()
        == gbr.blobs.local(content(given).sha256).read_bytes()
    )
    receive(usa, "GBR", page(gbr, usa))
    assert media.attend(usa) == 0
    assert len(held(usa)) == 1
    assert list(usa.view("GBR").fetched.iterdir()) == []
    for node in three:
        assert verify_ledger(node)[1] == []


def test_a_file_that_is_not_the_signed_one_is_fetched_again(three: list[Node], tmp_path: Path) -> None:
    _, gbr, usa = three
    take(gbr, recording(tmp_path))
    work(gbr)
    receive(usa, "GBR", page(gbr, usa))
    bring(gbr, usa)
    path = usa.view("GBR").fetched / name_for(gbr, usa)
    path.write_bytes(path.read_bytes() + b"x")
    (job,) = media.jobs(usa)
    media.keep(usa, job, media.do(usa.blobs, job))
    assert held(usa) == []
    assert not path.exists()
    assert list(usa.home.blobs.glob("??/*")) == []
    assert len(usa.view("GBR").wanted_files(here=False)) == 1
    bring(gbr, usa)
    media.attend(usa)
    assert len(held(usa)) == 1


def test_a_file_that_cannot_be_read_is_refused(
    three: list[Node], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, gbr, usa = three
    take(gbr, recording(tmp_path))
    work(gbr)
    receive(usa, "GBR", page(gbr, usa))
    bring(gbr, usa)
    (job,) = media.jobs(usa)
    assert isinstance(media.do(usa.blobs, job), arrivals.Looked)
    media.keep(usa, job, arrivals.Looked(True, None, "its file: is cut short"))
    assert list(usa.home.blobs.glob("??/*")) != []
    assert media.jobs(usa) == []
    assert held(usa) == []
    assert list(usa.home.blobs.glob("??/*")) == [], "nothing of it stays"
    (refused,) = entries(usa, Act.RELEASE_REFUSED)
    assert refused.body["reason"].endswith("its file: is cut short")
    assert media.jobs(usa) == []


def test_one_that_is_too_long_is_refused_and_never_fetched(three: list[Node], tmp_path: Path) -> None:
    _, gbr, usa = three
    take(gbr, recording(tmp_path, samples=200_000))
    work(gbr)
    usa.home.config = msgspec.structs.replace(usa.home.config, max_file_mb=1)
    receive(usa, "GBR", page(gbr, usa))
    assert usa.view("GBR").wanted_files(here=False) == []
    (refused,) = entries(usa, Act.RELEASE_REFUSED)
    assert "longer than this node takes" in refused.body["reason"]


def test_a_report_of_a_file_that_is_not_signed_is_refused(three: list[Node], tmp_path: Path) -> None:
    _, gbr, usa = three
    take(gbr, recording(tmp_path))
    work(gbr)
    (report,) = reports(gbr, usa)
    add_to_inbox(usa, "GBR", report | {"extensions": {FILE: report["extensions"][FILE]}})
    take_inbox(usa)
    assert held(usa) == []
    assert len(entries(usa, Act.RELEASE_REFUSED)) == 1


def test_it_goes_on_whole_with_its_originators_consent(three: list[Node], tmp_path: Path) -> None:
    aus, gbr, usa = three
    take(gbr, recording(tmp_path))
    carry(gbr, usa)
    product = only(usa)
    assert reports(usa, aus) == []
    asked = acts.request(usa, product.id, "AUS")
    carry(usa, gbr)
    acts.grant(gbr, asked.id, officer=BY)
    carry(gbr, usa)
    carry(usa, aus)
    got = only(aus)
    assert (got.originator, got.category) == ("GBR", Category.INTERCEPT)
    assert content(got).sha256 == content(only(gbr)).sha256
    assert name_for(usa, aus) != name_for(gbr, usa)


@pytest.mark.parametrize("how", ["revoked", "over"])
def test_a_consent_that_ends_closes_the_file_though_it_was_served(
    three: list[Node], tmp_path: Path, how: str
) -> None:
    aus, gbr, usa = three
    take(gbr, recording(tmp_path))
    carry(gbr, usa)
    asked = acts.request(usa, only(usa).id, "AUS")
    carry(usa, gbr)
    made = acts.grant(gbr, asked.id, officer=BY)
    carry(gbr, usa)
    carry(usa, aus)
    serve(usa, aus)
    name = name_for(usa, aus)
    assert attend(usa) == 0
    assert had(usa, aus, name)
    if how == "revoked":
        acts.revoke(gbr, made.serial, officer=BY, why="Example.")
        carry(gbr, usa)
    else:
        usa.clock.now += timedelta(days=31)  # type: ignore[attr-defined]
    attend(usa)
    assert not had(usa, aus, name)
    assert attend(usa) == 0, "it is closed once"
    assert len(reports(usa, aus)) == 1, "what was served stays in the view"


# --- What hides a file ------------------------------------------------------------------------------


def had(giver: Node, taker: Node, name: str) -> bool:
    view = giver.view(taker.party)
    there = view.file(name) is not None
    assert there == view.link(name).exists(), "row and link go together"
    return there


def test_a_recall_takes_the_file_from_its_holders_door(three: list[Node], tmp_path: Path) -> None:
    aus, gbr, usa = three
    take(gbr, recording(tmp_path))
    work(gbr)
    name, other = name_for(gbr, usa), name_for(gbr, aus)
    serve(gbr, usa)
    serve(gbr, aus)
    how = (RecallKind.SUBSTANTIVE_RECALL, RecallReason.FACTUAL_ERROR, [RecallAction.DESTROY])
    kind, reason, actions = how
    recall(gbr, only(gbr).id, kind=kind, reason=reason, actions=actions, officer=BY, to=["USA"])
    assert not had(gbr, usa, name)
    assert had(gbr, aus, other)


def test_what_was_recalled_before_its_file_came_is_not_waited_for(three: list[Node], tmp_path: Path) -> None:
    _, gbr, usa = three
    take(gbr, recording(tmp_path))
    work(gbr)
    serve(gbr, usa)
    receive(usa, "GBR", page(gbr, usa))
    assert usa.view("GBR").wanted_files(here=False)
    kind, reason = RecallKind.SUBSTANTIVE_RECALL, RecallReason.FACTUAL_ERROR
    recall(gbr, only(gbr).id, kind=kind, reason=reason, actions=[RecallAction.DESTROY], officer=BY)
    work(gbr)
    receive(usa, "GBR", page(gbr, usa))
    assert usa.view("GBR").wanted_files(here=False) == []
    assert held(usa) == []


@pytest.mark.parametrize("served", [True, False])
def test_a_suspension_closes_the_file_and_its_end_opens_it(
    three: list[Node], tmp_path: Path, served: bool
) -> None:
    aus, gbr, usa = three
    take(gbr, recording(tmp_path))
    work(gbr)
    name, other = name_for(gbr, usa), name_for(gbr, aus)
    if served:
        serve(gbr, usa)
    made = suspend(gbr, "USA", Scope(), officer=BY, reason="Example.")
    assert not had(gbr, usa, name)
    assert had(gbr, aus, other)
    approve(gbr, RESUME, f"USA@{made.id}")
    resume(gbr, "USA", officer=BY, why="Example.")
    work(gbr)
    assert had(gbr, usa, name)


def test_a_suspension_of_something_else_leaves_it(three: list[Node], tmp_path: Path) -> None:
    _, gbr, usa = three
    take(gbr, recording(tmp_path))
    work(gbr)
    suspend(gbr, "USA", Scope(categories=frozenset({Category.CYBER})), officer=BY, reason="Example.")
    assert had(gbr, usa, name_for(gbr, usa))


def serve(giver: Node, taker: Node) -> None:
    """The taker has read all that stands there."""
    giver.view(taker.party).serve("out", EVERYTHING, after=-1, limit=1000)


def test_sweeping_keeps_what_is_needed(three: list[Node], tmp_path: Path) -> None:
    _, gbr, usa = three
    take(gbr, recording(tmp_path))
    work(gbr)
    stray = gbr.home.released_to("USA") / "stray"
    stray.write_bytes(b"")
    assert files.sweep(gbr) == 0
    assert not stray.exists()
    assert had(gbr, usa, name_for(gbr, usa))


# --- Forms ------------------------------------------------------------------------------------------


def test_a_form_is_made_once_and_goes(forming: list[Node], tmp_path: Path) -> None:
    gbr, usa = forming
    take(gbr, recording(tmp_path, **WHERE), About(marking="TLP:GREEN"))
    work(gbr)
    assert reports(gbr, usa) == []
    assert codes(gbr) == {("USA", "tearline", "form.making"): 1}
    assert media.attend(gbr) == 1
    work(gbr)
    assert codes(gbr) == {("USA", "tearline", "agreement.permit"): 1}
    (report,) = reports(gbr, usa)
    assert report["name"] == "Recording: no topic given"
    assert only(gbr).id not in json.dumps(page(gbr, usa))
    assert content(only(gbr)).sha256 not in json.dumps(page(gbr, usa))
    body = gbr.view("USA").link(name_for(gbr, usa)).read_bytes()
    assert b"CANARY" not in body
    assert b"31.234" not in body
    (made,) = entries(gbr, Act.FORM_MADE)
    assert made.body["found"] == []
    (scene,) = [json.loads(each) for each in scenes(gbr, usa)]
    assert scene["assets"]["data"]["href"] == f"/media/{name_for(gbr, usa)}"

    carry(gbr, usa)
    got = content(only(usa))
    assert isinstance(got.facts, Signal)
    assert got.facts.position is not None
    assert got.facts.position.latitude != 46.789
    assert files.sweep(gbr) == 0
    assert verify_ledger(gbr)[1] == []


def scenes(giver: Node, taker: Node) -> list[bytes]:
    view = giver.view(taker.party)
    view.open_scenes()
    with view.scenes() as found:
        return found.search(_Any(), after=None, limit=10).items


class _Any:
    boxes = touches = since = until = ids = collections = None


def test_a_form_that_has_to_wait_goes_when_it_is_due(forming: list[Node], tmp_path: Path) -> None:
    gbr, usa = forming
    picture(tmp_path / "a.tif")
    told = item(tmp_path / "item.json", "a.tif", properties={"datetime": "2026-11-20T10:00:00Z"})
    take(gbr, told, About(marking="TLP:GREEN"))
    work(gbr)
    media.attend(gbr)
    assert reports(gbr, usa) == []
    assert codes(gbr) == {("USA", "tearline", "form.waits"): 1}
    gbr.clock.now += timedelta(days=20)
    work(gbr)
    assert reports(gbr, usa) == []
    gbr.clock.now += timedelta(days=8)
    work(gbr)
    assert media.attend(gbr) == 1
    work(gbr)
    assert len(reports(gbr, usa)) == 1


def test_what_the_second_parser_finds_is_for_an_officer(forming: list[Node], tmp_path: Path) -> None:
    gbr, usa = forming
    take(gbr, recording(tmp_path, **WHERE), About(marking="TLP:GREEN"))
    work(gbr)
    (job,) = media.jobs(gbr)
    done = media.do(gbr.blobs, job)
    media.keep(gbr, job, msgspec.structs.replace(done, found=("a field is not on the allow-list",)))
    work(gbr)
    assert reports(gbr, usa) == []
    assert codes(gbr) == {("USA", "refer", "form.found"): 1}


def test_a_crash_while_a_form_is_made_changes_nothing(forming: list[Node], tmp_path: Path) -> None:
    gbr, usa = forming
    take(gbr, recording(tmp_path, **WHERE), About(marking="TLP:GREEN"))
    work(gbr)
    (job,) = media.jobs(gbr)
    media.do(gbr.blobs, job)  # and the node dies here
    with Node.open(gbr.home.folder) as again:
        again.clock = gbr.clock
        files.sweep(again)
        assert media.attend(again) == 1
        while consider(again):
            pass
    work(gbr)
    assert len(reports(gbr, usa)) == 1


def test_the_store_knows_what_waits(three: list[Node], tmp_path: Path) -> None:
    _, gbr, usa = three
    take(gbr, recording(tmp_path))
    work(gbr)
    receive(usa, "GBR", page(gbr, usa))
    with usa.reading() as db:
        assert store.blobs_referred_to(db) == {content(only(gbr)).sha256}
        assert store.is_awaited(db, "GBR", name_for(gbr, usa))


def test_text_in_a_file_is_scanned_like_any_text(three: list[Node], tmp_path: Path) -> None:
    _, gbr, _ = three
    take(gbr, recording(tmp_path, **{"core:description": "Said by Rook", "other:note": {"of": ["Jackdaw"]}}))
    assert {"Said by Rook", "Jackdaw"} <= set(content(only(gbr)).texts)
    picture(tmp_path / "a.tif", told="Seen by Magpie")
    take(gbr, tmp_path / "a.tif")
    assert "Seen by Magpie" in content(held(gbr)[-1].product).texts


@pytest.mark.parametrize("where", ["text", "title"])
def test_a_file_that_names_a_source_goes_to_an_officer(
    three: list[Node], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Law 2."""
    _, gbr, usa = three
    scanner = Scanner([Identity("ROOK-1", "Zvenyslava Chornoloziuk", Kind.PERSON, "uk")], key=bytes(32))
    monkeypatch.setattr(protect, "ask_vault", lambda _: _Vault(scanner))
    with gbr.writing() as db:
        store.put_vault_state(db, 1, "0" * 64)
    if where == "text":
        path = recording(tmp_path, **{"core:description": "Met with Zvenyslava Chornoloziuk"})
    else:
        picture(tmp_path / "a.tif")
        told = {"datetime": "2026-10-05T06:07:08Z", "title": "House of Zvenyslava Chornoloziuk"}
        path = item(tmp_path / "item.json", "a.tif", properties=told)
    take(gbr, path)
    work(gbr)
    assert reports(gbr, usa) == []
    assert {(party, kind) for party, kind, _ in codes(gbr)} == {("AUS", "refer"), ("USA", "refer")}


class _Vault:
    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner

    def sources(self) -> tuple[()]:
        return ()

    def scan(self, texts: Sequence[str]) -> list[tuple[Hit, ...]]:
        return [tuple(self._scanner.scan(text)) for text in texts]

    def close(self) -> None:
        return


def test_a_nitf_goes_whole_with_its_marking_written_for_its_recipient(
    three: list[Node], tmp_path: Path
) -> None:
    aus, gbr, usa = three
    path = marked(tmp_path / "a.ntf", FSREL="USA GBR AUS", ISREL="USA GBR AUS")
    (taken,) = take(usa, path, About(topics=WHOLE.topics))
    assert isinstance(taken, TakenIn), taken
    assert taken.quarantine is None
    work(usa)
    assert set(codes(usa)) == {(party, "whole", "form.making") for party in ("AUS", "GBR")}
    assert media.attend(usa) == 2
    work(usa)
    for other in (aus, gbr):
        body = usa.view(other.party).link(name_for(usa, other)).read_bytes()
        left_out = ({"AUS", "GBR"} - {other.party}).pop().encode()
        assert other.party.encode() in body[:1000]
        assert left_out not in body[:1000]
        carry(usa, other)
        got = only(other).label
        assert isinstance(got, Label)
        assert got.level == (("USA", Level.SECRET),)
        assert got.release == {"USA", other.party}


def test_what_waits_for_its_file_is_not_taken_from_who_is_refused(three: list[Node], tmp_path: Path) -> None:
    _, gbr, usa = three
    take(gbr, recording(tmp_path))
    work(gbr)
    receive(usa, "GBR", page(gbr, usa))
    bring(gbr, usa)
    made = suspend(usa, "GBR", Scope(), officer=BY, reason="Example.", inbound=Inbound.REFUSE)
    assert media.attend(usa) == 1
    assert held(usa) == []
    approve(usa, RESUME, f"GBR@{made.id}")
    resume(usa, "GBR", officer=BY, why="Example.")
    media.attend(usa)
    assert len(held(usa)) == 1
