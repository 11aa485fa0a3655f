"""Partners in a real browser: how it looks, and a suspension tried, seen, applied and ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tearline.adapters.view import OUT
from tearline.doors.desk import Role
from tearline.node import consider, receive
from tests.desk import (
    PASSPHRASE,
    as_person,
    chromium,
    must_be_accessible,
    must_look_well,
    opened,
    picture,
    served_desk,
)
from tests.unit.node.world import EVERYTHING, GREEN, REPORT, bundle, malware, nodes, page, take, work

HERON, SECOND = as_person("heron-1", Role.OFFICER), as_person("heron-2", Role.OFFICER)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("desk")
    with nodes(folder, "GBR", "USA", "CAN") as (gbr, usa, _):
        take(usa, bundle(*(malware(f"theirs {number}", GREEN) for number in range(4))))
        take(gbr, REPORT.encode())
        take(gbr, bundle(*(malware(f"ours {number}", GREEN) for number in range(9))))
        work(gbr), work(usa)
        receive(gbr, "USA", page(usa, gbr))
        gbr.view("USA").serve(OUT, EVERYTHING, after=-1, limit=6)
        take(gbr, bundle(malware("on its way", GREEN)))
        consider(gbr)
        with served_desk(gbr.home.folder) as address:
            yield address


@pytest.mark.parametrize("path", ["/partners/USA", "/partners/USA/suspend", "/partners/USA/releases"])
def test_every_page_looks_well_everywhere(browser: Browser, desk: str, path: str) -> None:
    must_look_well(browser, desk, path, HERON)


def looked(page: Page) -> None:
    page.get_by_label("Reason, in one sentence").fill("They passed on what was ours.")
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_role("heading", name="What would no longer go")).to_be_visible()


def test_a_suspension_is_tried_seen_applied_and_ended(browser: Browser, desk: str) -> None:
    with opened(browser, desk, HERON) as page:
        page.goto("/partners")
        picture(page, "desk-partners")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.get_by_role("link", name="USA").click()
        must_be_accessible(page)
        picture(page, "desk-partner")
        page.keyboard.press("s")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Suspend USA")
        looked(page)
        must_be_accessible(page)
        picture(page, "desk-suspension")
        page.get_by_role("button", name="Leave it").click()
        expect(page.get_by_text("Suspended: all")).to_have_count(0)
        page.get_by_role("button", name="Suspend").click()
        looked(page)
        page.get_by_role("button", name="Suspend USA now").click()
        expect(page.get_by_role("status")).to_contain_text("Nothing of all goes to USA any more")
        expect(page.get_by_text("They passed on what was ours.")).to_be_visible()
        must_be_accessible(page)
        approve(page, "1 of 2")
    with opened(browser, desk, SECOND) as page:
        page.goto("/partners/USA")
        approve(page, "2 of 2")
        page.get_by_label("Why, in one sentence").fill("They told us how it happened.")
        page.get_by_role("button", name="End the suspension").click()
        expect(page.get_by_role("status")).to_contain_text("may go to USA again")
        expect(page.get_by_role("button", name="End the suspension")).to_have_count(0)


def approve(page: Page, so_far: str) -> None:
    page.get_by_text("Approve that it ends").click()
    page.get_by_label("Why, in one sentence").fill("Cleared up.")
    page.get_by_label("Passphrase of your key").fill("not the right one")
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("does not open your key")
    page.get_by_label("Passphrase of your key").fill(PASSPHRASE)
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(so_far)
