"""The ledger in a real browser: looked through, and checked by the page itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tearline.doors.desk import Role
from tests.desk import as_person, chromium, must_be_accessible, must_look_well, opened, picture, served_desk
from tests.unit.node.world import bundle, malware, nodes, take

WREN = as_person("wren-1", Role.AUDITOR)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    with nodes(tmp_path, "GBR", "USA") as (node, _):
        take(node, bundle(malware("Heron"), malware("Wren")))
        with served_desk(node.home.folder) as address:
            yield address, node.home.database


def test_an_entry_is_looked_for_and_its_proof_checked(browser: Browser, desk: tuple[str, Path]) -> None:
    address, _ = desk
    must_look_well(browser, address, "/ledger", WREN)
    must_look_well(browser, address, "/ledger/1", WREN)
    with opened(browser, address, WREN) as page:
        page.goto("/ledger")
        picture(page, "desk-ledger")
        page.keyboard.press("/")
        page.keyboard.type("USA")
        page.keyboard.press("Enter")
        expect(page.locator("tbody tr").first).to_contain_text("USA")
        page.get_by_label("Act").select_option("product-taken-in")
        page.wait_for_url("**act=product-taken-in**")
        page.goto("/ledger?act=product-taken-in")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        for step in ("path", "signature", "shown"):
            expect(page.locator(f"[data-step={step}]")).to_have_text("✔ holds")
        must_be_accessible(page)
        picture(page, "desk-ledger-entry")


def test_a_changed_entry_is_seen_in_the_page(browser: Browser, desk: tuple[str, Path]) -> None:
    address, database = desk
    with closing(sqlite3.connect(database)) as db, db:
        changed = (
            "UPDATE log_entry SET data = CAST(replace(data, 'USA', 'CAN') AS BLOB) "
            "WHERE log = 'ledger' AND seq = ?"
        )
        rows = db.execute("SELECT seq FROM log_entry WHERE log = 'ledger' AND instr(data, 'USA')").fetchall()
        (number,) = rows[0]
        db.execute(changed, (number,))
    with opened(browser, address, WREN) as page:
        page.goto(f"/ledger/{number}")
        expect(page.locator("[data-step=path]")).to_contain_text("DOES NOT HOLD")
        expect(page.locator("[data-step=signature]")).to_have_text("✔ holds")
        page.goto("/ledger")
        page.get_by_role("button", name="Recompute every log").click()
        expect(page.get_by_role("alert").first).to_contain_text("the record was changed")
        must_be_accessible(page)


def test_the_exchange_with_a_partner_is_compared(browser: Browser, desk: tuple[str, Path]) -> None:
    address, _ = desk
    with opened(browser, address, WREN) as page:
        page.goto("/ledger/exchange/USA")
        expect(page.get_by_role("heading", level=1)).to_have_text("The exchange with USA")
        must_be_accessible(page)
