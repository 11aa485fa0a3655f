"""Sources in a real browser: how they look, and an identity that is shown and closes itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tearline.doors.desk import Role
from tearline.vault import sealed as sealing
from tests import desk as desks
from tests.desk import as_person, chromium, must_be_accessible, must_look_well, opened, picture, served_desk
from tests.sources import KETTLE, open_vault, with_sources
from tests.unit.node.world import nodes
from tests.unit.vault.world import CHEAP, WORDS

WREN, HERON = as_person("wren-1", Role.SOURCE_HANDLER), as_person("heron-1", Role.OFFICER)


class Confirmed(desks.Anybody):
    """Whoever it is has confirmed that it is they."""

    def is_fresh(self, person: object) -> bool:
        return True


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "COST", CHEAP)
        patch.setattr(desks, "Anybody", Confirmed)
        with nodes(folder, "GBR", "USA") as (gbr, _):
            with_sources(gbr)
            with open_vault(gbr), served_desk(gbr.home.folder) as address:
                yield address


@pytest.mark.parametrize("path", ["/sources", f"/sources/{KETTLE}", f"/sources/{KETTLE}/identity"])
def test_every_page_looks_well_everywhere(browser: Browser, desk: str, path: str) -> None:
    must_look_well(browser, desk, path, WREN)


def test_officers_see_no_obligations(browser: Browser, desk: str) -> None:
    with opened(browser, desk, HERON) as page:
        page.goto(f"/sources/{KETTLE}")
        expect(page.get_by_text("fewer than owed").first).to_be_visible()
        expect(page.get_by_text("What it is owed")).to_have_count(0)
        must_be_accessible(page)


def test_an_identity_is_shown_and_closes_itself(browser: Browser, desk: str) -> None:
    with opened(browser, desk, WREN) as page:
        page.clock.install()
        page.goto("/sources")
        picture(page, "desk-sources")
        page.get_by_role("link", name=KETTLE).click()
        picture(page, "desk-source")
        page.keyboard.press("i")
        page.get_by_label("Why, in one sentence").fill("A warning has to reach them.")
        page.get_by_label("Passphrase of the vault").first.fill(WORDS)
        page.get_by_role("button", name="Show who it is").click()
        expect(page.get_by_text("Zvenyslava Chornoloziuk")).to_be_visible()
        must_be_accessible(page)
        page.clock.fast_forward(30_000)
        expect(page.get_by_text("Zvenyslava Chornoloziuk")).to_be_visible()
        page.clock.fast_forward(31_000)
        expect(page.get_by_role("heading", name="What partners have learnt")).to_be_visible()
        assert "Zvenyslava" not in page.content()
