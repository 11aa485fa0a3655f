"""A review asked for and read in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tearline.doors.desk import Role
from tests.desk import as_person, chromium, must_be_accessible, must_look_well, opened, picture, served_desk
from tests.unit.node import world
from tests.unit.node.test_replay import fill

HERON = as_person("heron-1", Role.OFFICER, Role.ANALYST)
ESTIMATES = b"""adversaries = ["NORTHGATE"]
[[edge]]
from = "USA"
to = "NORTHGATE"
low = 0.1
high = 0.2
why = "A case of last year."
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("desk")
    with world.nodes(folder, "GBR", "USA", "AUS") as (gbr, *_):
        fill(gbr, 9, 8)
        with served_desk(gbr.home.folder) as address:
            yield address


def review(page: Page) -> None:
    """Ask what a suspension of USA would imply, by keys, and wait for it."""
    page.goto("/reviews")
    page.keyboard.press("2")
    page.keyboard.press("Space")
    page.get_by_role("combobox", name="Partner").select_option("USA")
    page.get_by_label("Estimates of who passes things on").set_input_files(
        {"name": "estimates.toml", "mimeType": "application/toml", "buffer": ESTIMATES}
    )
    page.get_by_role("button", name="Review it").click()
    expect(page.get_by_role("heading", name="USA is suspended", level=1)).to_be_visible(timeout=60_000)


def test_the_question_looks_well_everywhere(browser: Browser, desk: str) -> None:
    must_look_well(browser, desk, "/reviews", HERON)


def test_a_suspension_is_reviewed(browser: Browser, desk: str) -> None:
    with opened(browser, desk, HERON) as page:
        review(page)
        must_be_accessible(page)
        expect(page.get_by_role("img", name="Who depends on allies").locator("canvas, svg")).to_be_visible()
        dependency = page.locator("#dependency")
        dependency.get_by_text("What these figures mean").click()
        expect(dependency).to_contain_text("Hirschman")
        expect(dependency.locator("code")).to_have_text(
            "tearline review --suspend USA --estimates estimates.toml --only dependency"
        )
        expect(page.locator("#exposure")).to_contain_text("USA > NORTHGATE")
        dependency.scroll_into_view_if_needed()
        picture(page, "review")
        with page.expect_download() as downloading:
            page.get_by_role("link", name="one page").click()
        text = Path(downloading.value.path()).read_text("utf-8")
        assert "default-src 'none'" in text
        figures = dependency.locator("td.number").all_inner_texts()
        handed = re.search(r'<section id="dependency">(.*?)</section>', text, re.DOTALL)
        assert handed
        assert re.findall(r'<td class="n"[^>]*>([^<]*)</td>', handed[1]) == figures
        address = page.url.removeprefix(desk)
    for size, dark in (((360, 740), True), ((3840, 2160), False)):
        with opened(browser, desk, HERON, size=size, dark=dark, language="uk") as page:
            page.goto(address)
            must_be_accessible(page)


def test_without_scripts_a_review_is_asked_all_the_same(browser: Browser, desk: str) -> None:
    context = browser.new_context(base_url=desk, java_script_enabled=False)
    context.add_cookies([{"name": "person", "value": HERON, "url": desk}])
    page = context.new_page()
    page.goto("/reviews")
    page.get_by_role("button", name="Review it").click()
    until = page.get_by_role("heading", name="How things stand", level=1)
    again = page.get_by_role("link", name="Look again")
    for _ in range(300):
        if until.or_(again).first.is_visible() and until.is_visible():
            break
        again.click()
    expect(until).to_be_visible()
    context.close()
