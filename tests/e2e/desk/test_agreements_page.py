"""Agreements in a real browser: a revision from the first letter to force, by two officers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tearline.doors.desk import Role
from tests.desk import (
    NARROW,
    PASSPHRASE,
    as_person,
    chromium,
    must_be_accessible,
    must_look_well,
    opened,
    picture,
    served_desk,
)
from tests.unit.node.world import GREEN, bundle, malware, nodes, take, work

HERON_1, HERON_2 = (as_person(name, Role.OFFICER, Role.ANALYST) for name in ("heron-1", "heron-2"))
RED_LINE = """
@id("no-cyber")
@reason("Their networks are under repair.")
@review("2027-06-30")
forbid (principal == Partner::"USA", action in Action::"share", resource)
when { resource.category == Category::"cyper" };
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("desk")
    with nodes(folder, "GBR", "USA") as (node, _):
        take(node, bundle(malware("first", GREEN), malware("second", GREEN)))
        work(node)
        with served_desk(node.home.folder) as address:
            yield address


def act(page: Page, section: str, button: str, **fields: str) -> None:
    """Fill in the form of a section, and press its button."""
    part = page.get_by_role("region", name=section, exact=True)
    form = part.locator("form").filter(has=page.get_by_role("button", name=button, exact=True)).first
    for label, value in fields.items():
        form.get_by_label(
            {"why": "Why, in one sentence", "passphrase": "Passphrase of your key"}[label]
        ).fill(value)
    form.get_by_role("button", name=button, exact=True).click()


def test_a_revision_is_written_proved_reviewed_approved_by_two_and_adopted(
    browser: Browser, desk: str
) -> None:
    with opened(browser, desk, HERON_1) as page:
        page.goto("/")
        page.keyboard.press("g")
        page.keyboard.press("e")
        expect(page.get_by_role("heading", name="Agreements", exact=True)).to_be_visible()
        page.get_by_role("link", name="five-eyes").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("five-eyes in force")
        page.keyboard.press("w")
        clauses = page.get_by_label("Clauses (clauses.cedar)")
        checks = page.locator("#checks")
        expect(checks).to_contain_text("It keeps to the profile")
        clauses.fill(clauses.input_value() + RED_LINE)
        expect(checks).to_contain_text("It cannot be proposed yet")
        must_be_accessible(page)
        finding = checks.get_by_role("link", name="clauses.cedar, line").first
        finding.click()
        expect(clauses).to_be_focused()
        chosen = "t => t.value.slice(t.selectionStart, t.selectionEnd)"
        assert clauses.evaluate(chosen) == 'Category::"cyper"'
        page.keyboard.type('Category::"cyber"')
        expect(checks).to_contain_text("It keeps to the profile")
        expect(checks.locator(".changes")).to_contain_text("no-cyber: Never releases whole or as a tearline")
        must_be_accessible(page)
        picture(page, "desk-agreements-draft")
        page.get_by_label("Why, in one sentence").fill("Their networks are under repair.")
        page.get_by_role("button", name="Propose").click()
        expect(page.locator("#notice")).to_contain_text("five-eyes is proposed. Nothing has changed yet.")
        where = page.url
        expect(page.get_by_role("button", name="Adopt")).to_be_disabled()
        expect(page.locator("#adopt-lacks")).to_contain_text("Missing: approvals, review, proof.")

        act(page, "Proof and review", "Only prove it")
        expect(page.get_by_role("heading", name="Proof", exact=True)).to_be_visible(timeout=30_000)
        expect(page.get_by_text("It keeps the charter.")).to_be_visible()
        must_be_accessible(page)
        page.goto(where)
        act(page, "Proof and review", "Review it", why="Before it is adopted.")
        expect(page.get_by_role("heading", name="Review", exact=True)).to_be_visible(timeout=30_000)
        expect(page.get_by_text("2 decisions on 2 items held")).to_be_visible()
        must_be_accessible(page)
        page.goto(where)
        act(page, "Approvals", "Approve", why="I agree.", passphrase="wrong")
        expect(page.get_by_role("alert").filter(has_text="does not open your key")).to_be_visible()
        act(page, "Approvals", "Approve", why="I agree.", passphrase=PASSPHRASE)
        expect(page.locator("#notice")).to_contain_text("Approved: 1 of 2 officers.")
        expect(page.get_by_role("button", name="Adopt")).to_be_disabled()
        picture(page, "desk-agreements-version")

    with opened(browser, desk, HERON_2) as page:
        page.goto(where)
        act(page, "Approvals", "Approve", why="So do I.", passphrase=PASSPHRASE)
        expect(page.locator("#notice")).to_contain_text("Approved: 2 of 2 officers.")
        act(page, "Adopt", "Adopt", why="Agreed by both.")
        expect(page.get_by_role("heading", level=1)).to_contain_text("in force", timeout=30_000)
        must_be_accessible(page)
        page.goto("/agreements")
        row = page.get_by_role("row").filter(has=page.locator(f"a[href='{where.removeprefix(desk)}']"))
        expect(row).to_contain_text("in force")
        expect(row).to_contain_text("heron-1, heron-2")
        must_be_accessible(page)
        picture(page, "desk-agreements")


def test_each_page_looks_well_everywhere(browser: Browser, desk: str) -> None:
    for path in ("", "/draft?version=five-eyes", "/versions/five-eyes"):
        must_look_well(browser, desk, f"/agreements{path}", HERON_1)


def test_a_text_is_checked_without_scripts(browser: Browser, desk: str) -> None:
    context = browser.new_context(base_url=desk, java_script_enabled=False)
    context.add_cookies([{"name": "person", "value": HERON_1, "url": desk}])
    page = context.new_page()
    page.goto("/agreements/draft")
    page.get_by_label("Parties, the giving one first").fill("GBR,USA")
    page.get_by_role("button", name="Begin").click()
    clauses = page.get_by_label("Clauses (clauses.cedar)")
    clauses.fill(clauses.input_value() + RED_LINE)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#checks")).to_contain_text("It cannot be proposed yet")
    assert RED_LINE in clauses.input_value()
    context.close()


def test_the_texts_can_be_written_on_a_small_screen(browser: Browser, desk: str) -> None:
    with opened(browser, desk, HERON_1, size=NARROW) as page:
        page.goto("/agreements/draft?template=crisis&parties=GBR,USA")
        numbers = page.locator(".numbers").last
        lines = page.get_by_label("Clauses (clauses.cedar)").input_value().count("\n") + 1
        expect(numbers.locator("span")).to_have_count(lines)
        must_be_accessible(page)
