"""The queue in a real browser: a referral decided by mouse and by keys, and undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, expect

from tearline.adapters import store
from tearline.doors.desk import Role
from tearline.node import Node, consider, hand_over, mosaic, protect
from tearline.vault import Obligations
from tearline.vault.source import PlaceGrain, TimeGrain
from tests.adoption import found
from tests.desk import (
    NARROW,
    as_person,
    chromium,
    must_be_accessible,
    must_look_well,
    opened,
    picture,
    served_desk,
)
from tests.unit.node.test_protect import CRYPTONYM, NAME, FakeVault
from tests.unit.node.world import GREEN, bundle, malware, nodes, take

HERON = as_person("heron-1", Role.OFFICER)
REPORT = """\
//GBR SECRET
Title: (//GBR U) {title}
Date: 2026-10-0{day}T05:00:00Z
Topics: {topics}
Regions: eastern-europe
Discipline: humint
Sources: OBLONG-KETTLE

(//GBR S//REL TO USA, FVEY) Nine barges lay at {town} on 1 October, counted before dawn. {said}

(//GBR S//REL TO USA, FVEY) Two tugs came up the river towards evening. [[OBLONG-KETTLE: town=Varnik]]

(//GBR S) SOURCE: A harbour pilot with direct access.

//GBR SECRET
"""
SAID = f"“Only I saw them all leave that night”, said {NAME}, who counted them."


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("queue")
    vault = FakeVault()
    owed = Obligations(
        k=6, time=TimeGrain.EXACT, place=PlaceGrain.EXACT, descriptor="a source with direct access"
    )
    vault.standing = msgspec.structs.replace(vault.standing, obligations=owed)
    with pytest.MonkeyPatch.context() as patch, nodes(folder, "GBR", "USA", "CAN", "AUS") as (node, *_):
        patch.setattr(protect, "ask_vault", lambda _: vault)
        patch.setattr(mosaic, "ask_vault", lambda _: nullcontext(vault))
        with node.writing() as db:
            store.put_vault_state(db, 1, "0" * 64)
        found(node)
        _filled(node, folder)
        with served_desk(node.home.folder) as address:
            yield address


def _filled(node: Node, folder: Path) -> None:
    table = folder / "harbour.csv"
    rows = [f"{town},{trade}" for town in ("Varnik", "Osk") for trade in ("pilot", "clerk") * 9]
    table.write_text("\n".join(["town,trade", *rows]), encoding="utf-8")
    mosaic.keep_population(node, "harbour", table, {}, "heron-1")
    mosaic.link_source(node, CRYPTONYM, "harbour", "heron-1")
    for day, (title, topics, town) in enumerate(
        [
            ("Barges at Velna", "maritime", "Velna"),
            ("A raid is planned at Osk", "threat-to-life, land", "Osk"),
            ("Fuel at the northern quay", "energy, logistics", "Tarn"),
        ],
        start=1,
    ):
        take(node, REPORT.format(title=title, day=day, topics=topics, town=town, said=SAID).encode())
    take(node, bundle(malware("Kettle", GREEN, description=f"Sold by {NAME} at Osk.")))
    while consider(node) + hand_over(node):
        pass


def test_the_queue_and_a_referral_look_well_everywhere(browser: Browser, desk: str) -> None:
    must_look_well(browser, desk, "/referrals", HERON)
    must_look_well(browser, desk, "/referrals/next?after=1&partner=CAN", HERON)


def test_a_referral_is_decided_by_mouse_and_undone(browser: Browser, desk: str) -> None:
    with opened(browser, desk, HERON) as page:
        page.goto("/referrals")
        page.get_by_label("For partner").select_option("USA")
        page.wait_for_url("**/referrals?partner=USA**")
        must_be_accessible(page)
        picture(page, "desk-queue")
        page.get_by_role("link", name="A raid is planned at Osk").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("A raid is planned at Osk")
        expect(page.locator("main")).not_to_contain_text("Чорнолозюк")
        expect(page.locator(".pair ins").first).to_be_visible()
        page.get_by_text("Let the tearline go").first.click()
        must_be_accessible(page)
        picture(page, "desk-referral")
        page.get_by_label("Why, in one sentence").locator("visible=true").fill("It protects people.")
        page.get_by_role("button", name="Let it go").click()
        undo = page.get_by_role("region", name="What you can still undo")
        expect(undo).to_contain_text("It goes as a tearline · USA · A raid is planned at Osk")
        must_be_accessible(page)
        undo.get_by_role("button").click()
        expect(page.get_by_role("status")).to_contain_text("It is undone")
        expect(page.get_by_role("heading", level=1)).to_have_text("A raid is planned at Osk")


def test_a_referral_is_decided_by_keys_alone(browser: Browser, desk: str) -> None:
    with opened(browser, desk, HERON) as page:
        page.goto("/")
        page.keyboard.press("g")
        page.keyboard.press("q")
        page.wait_for_url("**/referrals")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/referrals/*/*")
        first = page.url
        page.keyboard.press("x")
        expect(page.locator("[name=why]:focus")).to_be_visible()
        page.keyboard.press("Enter")  # no reason, no decision
        page.keyboard.type("It would show who the source is.")
        page.keyboard.press("Enter")
        page.wait_for_url("**/referrals/next**")
        expect(page.get_by_role("status")).to_contain_text("It is withheld from")
        page.keyboard.press("z")
        page.wait_for_url(first)
        expect(page.get_by_role("status")).to_contain_text("It is undone")


def test_what_goes_wrong_is_said_beside_the_form_and_nothing_typed_is_lost(
    browser: Browser, desk: str
) -> None:
    with opened(browser, desk, HERON, size=NARROW) as page:
        page.goto("/referrals/next")
        page.keyboard.press("t")
        page.keyboard.type("A raid at night.")
        page.get_by_text("In other words").click()
        words = page.locator("textarea").first
        words.fill(f"Seen by {NAME}.")
        page.get_by_role("button", name="Let it go").click()
        expect(page.get_by_role("alert").locator("visible=true")).to_contain_text(
            "a protected identity stands"
        )
        expect(words).to_have_value(f"Seen by {NAME}.")


def test_the_queue_looks_again_by_itself_and_keeps_the_place(browser: Browser, desk: str) -> None:
    with opened(browser, desk, HERON) as page:
        page.clock.install()
        page.goto("/referrals")
        page.keyboard.press("j")
        page.keyboard.press("j")
        name = page.evaluate("document.activeElement.id")
        with page.expect_response("**/referrals"):
            page.clock.fast_forward(11_000)
        page.wait_for_function("name => document.activeElement.id === name", arg=name)
