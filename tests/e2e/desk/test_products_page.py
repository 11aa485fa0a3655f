"""Products in a real browser: searched by keys, read, and looked for on the map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tearline.doors.desk import Role
from tests.desk import as_person, chromium, must_be_accessible, must_look_well, opened, picture, served_desk
from tests.traced import TEXTS, report
from tests.unit.node.world import REPORT, bundle, malware, nodes, take, work

HERON = as_person("heron-1", Role.OFFICER)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


def test_products_are_searched_read_and_mapped(browser: Browser, tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA") as (node, _):
        take(node, REPORT.encode())
        take(node, report(TEXTS, title="Lorries at Velna").encode())
        take(node, bundle(malware("Quiet Heron"), malware("Loud Wren")))
        work(node)
        with served_desk(node.home.folder) as address:
            must_look_well(browser, address, "/products?words=velna", HERON)
            with opened(browser, address, HERON) as page:
                page.goto("/")
                page.keyboard.press("g")
                page.keyboard.press("p")
                page.wait_for_url("**/products")
                page.keyboard.press("/")
                page.keyboard.type("velna")
                page.keyboard.press("Enter")
                expect(page.locator("article.hit")).to_have_count(2)
                expect(page.locator("mark").first).to_have_text("Velna")
                must_be_accessible(page)
                picture(page, "desk-products")
                page.get_by_role("link", name="Barges at Velna").click()
                expect(page.get_by_role("heading", level=1)).to_have_text("Barges at Velna")
                expect(page.get_by_role("rowheader", name="USA")).to_be_visible()
                must_be_accessible(page)
                page.goto("/products/map")
                expect(page.locator("#map[data-drawn]")).to_be_visible()
                must_be_accessible(page)
