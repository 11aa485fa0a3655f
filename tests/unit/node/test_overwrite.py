"""A partner sends an object under an id that is somebody else's: it overwrites nothing, for nobody."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tearline.adapters import store
from tearline.adapters.view import OUT
from tearline.node import consider, hand_over, take_inbox
from tests.unit.node.world import EVERYTHING, GREEN, add_to_inbox, bundle, malware, nodes, take


@pytest.mark.parametrize("modified", ["2026-03-01T00:00:00.000Z", "2026-09-01T00:00:00.000Z"])
def test_a_partner_cannot_overwrite_what_another_made(tmp_path: Path, modified: str) -> None:
    with nodes(tmp_path, "GBR", "USA", "CAN") as (gbr, _, _):
        mine = malware("one", GREEN)
        take(gbr, bundle(mine))
        consider(gbr)
        hand_over(gbr)
        before = gbr.view("CAN").page(OUT, EVERYTHING, after=-1, limit=100).items
        forged = mine | {"name": "Somebody else's", "modified": modified, "revoked": True}
        add_to_inbox(gbr, "USA", forged)
        take_inbox(gbr)
        consider(gbr)
        hand_over(gbr)
        assert gbr.view("CAN").page(OUT, EVERYTHING, after=-1, limit=100).items == before
        with gbr.reading() as db:
            held = {
                (each.product.originator, orjson.loads(each.product.content)["name"])
                for each in store.held(db)
            }
        assert held == {("GBR", mine["name"]), ("USA", "Somebody else's")}
