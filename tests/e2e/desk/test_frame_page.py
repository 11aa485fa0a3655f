"""The frame in a real browser: what every page of the desk has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tearline.doors.desk import Role
from tests.desk import as_person, chromium, must_be_accessible, must_look_well, opened, picture, served_desk
from tests.unit.node.world import nodes

HERON = as_person("heron-1", Role.OFFICER, Role.ANALYST)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("desk")
    with nodes(folder, "GBR", "USA") as (node, _), served_desk(node.home.folder) as address:
        yield address


def test_the_overview_looks_well_everywhere(browser: Browser, desk: str) -> None:
    must_look_well(browser, desk, "/", HERON)


def test_keys_lead_and_are_listed_and_can_be_turned_off(browser: Browser, desk: str) -> None:
    with opened(browser, desk, HERON) as page:
        page.goto("/")
        must_be_accessible(page)
        picture(page, "desk-overview")
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keys")
        expect(dialog).to_contain_text("Overview")
        must_be_accessible(page)
        dialog.get_by_role("switch").uncheck()
        dialog.get_by_role("button", name="Close").click()
        page.keyboard.press("?")
        expect(dialog).to_be_hidden()


def test_light_and_dark_stay_as_chosen(browser: Browser, desk: str) -> None:
    with opened(browser, desk, HERON) as page:
        page.goto("/")
        page.get_by_text("heron-1").click()
        page.get_by_role("button", name="Light or dark").click()
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        must_be_accessible(page)


def test_the_first_stop_leads_past_the_navigation(browser: Browser, desk: str) -> None:
    with opened(browser, desk, HERON) as page:
        page.goto("/")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
