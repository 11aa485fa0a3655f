"""The trace page in a real browser: a leaked text is pasted, and its holder named with the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tearline.doors.desk import Role
from tests.desk import as_person, chromium, must_be_accessible, must_look_well, opened, picture, served_desk
from tests.traced import body, reports
from tests.unit.node.test_trace import given
from tests.unit.node.world import nodes

HERON = as_person("heron-1", Role.OFFICER)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


def test_whose_copy_it_was_is_told_with_the_evidence(browser: Browser, tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA", "CAN", "AUS") as made:
        given(*made)
        leaked = "\n\n".join(body(each) for each in reports(*made[:2]))
        with served_desk(made[0].home.folder) as address:
            must_look_well(browser, address, "/trace", HERON)
            with opened(browser, address, HERON) as page:
                page.goto("/")
                page.keyboard.press("g")
                page.keyboard.press("t")
                page.get_by_label("Or the text").fill(leaked)
                page.get_by_role("button", name="Trace it").click()
                expect(page.get_by_role("heading", level=1)).to_have_text("Accused: USA", timeout=30_000)
                must_be_accessible(page)
                picture(page, "desk-trace")
                with page.expect_popup() as shown:
                    page.keyboard.press("e")
                expect(shown.value.get_by_role("heading", level=1)).to_have_text("Whose copy was it?")
