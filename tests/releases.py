"""Products, outcomes and a giver's log, for the tests of what is delivered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline import deliver, label
from tearline.ledger import Checkpoint, sign, tree
from tearline.terms import Category, Label, Portion, Product, Region, Role, Tearline, Topic, Whole

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NODE = deliver.NodeIdentity(party="GBR", name="Desk of GBR", secret=bytes(range(32)))
ISSUED = datetime(2026, 11, 23, 10, 30, 15, 123456, tzinfo=UTC)
CREATED = datetime(2026, 10, 14, 6, 30, tzinfo=UTC)


def read(mark: str) -> Label:
    marking, own = label.parse(mark, at=CREATED.date())
    assert isinstance(own, Label), marking
    return own


def portion(mark: str, text: str, role: Role = Role.BODY) -> Portion:
    return Portion(text=text, role=role, marking=None, label=read(mark))


def cyber(item: dict[str, Any], own: Label) -> Product:
    return Product(
        id=item["id"],
        version="2026-10-14T06:30:00.000Z",
        originator="GBR",
        category=Category.CYBER,
        title=item.get("name", ""),
        created=CREATED,
        marking=None,
        label=own,
        content=orjson.dumps(item),
    )


def report(portions: Sequence[Portion] = (), content: str = "", own: Label | None = None) -> Product:
    return Product(
        id="report--3f1a9d0e-5d0f-5c57-9c9a-0d3c8f3b5c11",
        version="2026-10-14T06:30:00.000Z",
        originator="GBR",
        category=Category.REPORT,
        title="Convoy at Zhytvyn",
        created=CREATED,
        topics=frozenset({Topic.LAND, Topic.THREAT_TO_LIFE}),
        regions=frozenset({Region.EASTERN_EUROPE}),
        marking=None,
        label=own or label.join_all(each.label for each in portions if isinstance(each.label, Label)),
        portions=tuple(portions),
        content=content.encode(),
    )


def whole(product: Product, partner: str = "UKR") -> deliver.Draft:
    return deliver.compose(product, Whole(partner=partner, reasons=()), node=NODE, issued=ISSUED)


def tearline(product: Product, kept: Sequence[Portion], partner: str = "UKR") -> deliver.Draft:
    own = label.join_all(each.label for each in kept if isinstance(each.label, Label))
    outcome = Tearline(partner=partner, portions=tuple(kept), label=own, reasons=())
    return deliver.compose(product, outcome, node=NODE, issued=ISSUED)


def sealed(drafts: Sequence[deliver.Draft], key: Ed25519PrivateKey = KEY, giver: str = "GBR") -> list[bytes]:
    """The drafts as a giver's log of exactly these proves them; all to the first one's recipient."""
    envelopes = [deliver.sign_draft(draft, giver=giver, key=key) for draft in drafts]
    growing, stored = tree.CompactRange(), dict[tuple[int, int], bytes]()
    for envelope in envelopes:
        for level, index, value in growing.append(tree.leaf_hash(envelope.payload)):
            stored[level, index] = value
    origin = deliver.log_origin(giver, drafts[0].recipient)
    note = sign(Checkpoint(origin, growing.size, growing.root()), key, giver)
    return [
        deliver.seal(
            draft,
            envelope,
            checkpoint=note,
            index=index,
            proof=tree.inclusion_proof(index, growing.size, lambda *at: stored[at]),
            previous=deliver.Previous(0, tree.EMPTY_ROOT, []),
        )
        for index, (draft, envelope) in enumerate(zip(drafts, envelopes, strict=True))
    ]
