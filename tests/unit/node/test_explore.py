"""Looking through the ledger finds what is there, and proves it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tearline.ledger import Act, Entry, open_note, parse_vkey
from tearline.ledger.tree import leaf_hash, verify_inclusion
from tearline.node import ledger_tail
from tearline.node.explore import Looked, Sought, look, proof_of
from tearline.terms import Broken, Refused
from tests.unit.node.world import bundle, malware, nodes, take


def test_a_look_finds_the_newest_first_and_goes_on(tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA") as (node, _):
        take(node, bundle(malware("Heron")))
        everything = [number for number, _ in ledger_tail(node, 10_000)]
        found: list[int] = []
        page = look(node, Sought(), limit=3)
        while True:
            found += [each.number for each in page.found]
            if page.before is None:
                break
            page = look(node, Sought(), before=page.before, limit=3)
        assert found == everything[::-1]
        assert page.size == len(everything)


def test_only_what_is_sought_is_found(tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA") as (node, _):
        take(node, bundle(malware("Heron")))
        everything = ledger_tail(node, 10_000)

        def numbers(looked: Looked) -> list[int]:
            return [each.number for each in looked.found][::-1]

        taken = [number for number, entry in everything if entry.act is Act.PRODUCT_TAKEN_IN]
        assert taken
        assert numbers(look(node, Sought(act=Act.PRODUCT_TAKEN_IN))) == taken
        partner = [number for number, entry in everything if "USA" in str(entry.body)]
        assert numbers(look(node, Sought(words="usa"))) == partner
        assert not look(node, Sought(words="usa nowhere")).found
        at = node.clock()
        assert not look(node, Sought(since=at + timedelta(days=1))).found
        assert len(look(node, Sought(until=at + timedelta(days=1)), limit=500).found) == len(everything)
        assert not look(node, Sought(until=at - timedelta(days=900))).found


def test_every_entry_is_proved_by_the_key_alone(tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA") as (node, _):
        take(node, bundle(malware("Heron")))
        for number, entry in ledger_tail(node, 10_000):
            proved = proof_of(node, number)
            state = open_note(proved.checkpoint, parse_vkey(proved.vkey), origin="GBR/ledger")
            leaf = leaf_hash(proved.data)
            verify_inclusion(leaf, number, proved.size, list(proved.path), state.root)
            assert (state.size, Entry.read(proved.data)) == (proved.size, entry)
            with pytest.raises(Broken):
                verify_inclusion(leaf, (number + 1) % proved.size, proved.size, list(proved.path), state.root)
        with pytest.raises(Refused, match="no entry"):
            proof_of(node, 10_000)
