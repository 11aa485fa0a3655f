"""What a release costs its giver and its recipient, in CPU time: `python benchmarks/seal.py [BUNDLE]`.

Without a bundle the objects are made up, about 2.5 kB each. Batches of 100, in a real view database.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import orjson
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import MetaData

from tearline import deliver
from tearline.adapters.database import open_database
from tearline.adapters.log import Log
from tearline.ledger import canonical
from tearline.terms import Category, Label, Product, Reach, Whole

BATCH, BATCHES, BEFORE = 100, 10, 50_000
KEY = Ed25519PrivateKey.generate()
NODE = deliver.NodeIdentity(party="GBR", name="Desk of GBR", secret=bytes(32))

spent: dict[str, float] = {}


@contextmanager
def timed(step: str) -> Iterator[None]:
    start = time.process_time()
    yield
    spent[step] = spent.get(step, 0.0) + time.process_time() - start


def objects(path: str | None) -> list[dict[str, object]]:
    if path is None:
        text = "The group has used this technique against operators of pumping stations. " * 28
        return [_made(n, text) for n in range(BATCH * BATCHES)]
    found = [item for item in orjson.loads(Path(path).read_bytes())["objects"] if "modified" in item]
    return (found * (BATCH * BATCHES // len(found) + 1))[: BATCH * BATCHES]


def _made(n: int, text: str) -> dict[str, object]:
    times = {"created": "2026-10-01T00:00:00.000Z", "modified": "2026-10-14T06:30:00.000Z"}
    ident = f"attack-pattern--{n:08x}-0000-4000-8000-000000000000"
    return {"type": "attack-pattern", "spec_version": "2.1", "id": ident, "description": text, **times}


def product(item: dict[str, object], n: int) -> Product:
    return Product(
        id=f"{item['id']}#{n}",
        version=str(item["modified"]),
        originator="GBR",
        category=Category.CYBER,
        title="",
        created=datetime(2026, 10, 1, tzinfo=UTC),
        marking=None,
        label=Label(reach=Reach.GREEN),
        content=orjson.dumps(item),
    )


def main() -> None:
    products = [product(item, n) for n, item in enumerate(objects(sys.argv[1] if sys.argv[1:] else None))]
    log = Log("out", deliver.log_origin("GBR", "UKR"))
    whole = Whole(partner="UKR", reasons=())
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(Path(folder) / "view.db", metadata=MetaData())
        with engine.begin() as conn:
            log.append(conn, [b"statement %d" % n + b"." * 300 for n in range(BEFORE)])
            log.checkpoint(conn, KEY)
        bodies = []
        for start in range(0, len(products), BATCH):
            with timed("compose"):
                some = products[start : start + BATCH]
                drafts = [deliver.compose(one, whole, node=NODE, issued=now) for one in some]
            with timed("sign"):
                envelopes = [deliver.sign_draft(draft, giver="GBR", key=KEY) for draft in drafts]
            with timed("commit"), engine.begin() as conn:
                with timed("append"):
                    numbers = log.append(conn, [envelope.payload for envelope in envelopes])
                with timed("checkpoint"):
                    note = log.checkpoint(conn, KEY)
                with timed("prove"):
                    proofs = list(log.inclusions(conn, numbers, numbers.stop))
            with timed("prove the growth"), engine.connect() as conn:
                before = deliver.Previous(
                    numbers.start,
                    log.root(conn, numbers.start),
                    log.consistency(conn, numbers.start, numbers.stop),
                )
            with timed("seal"):
                bodies += [
                    deliver.seal(draft, envelope, checkpoint=note, index=index, proof=proof, previous=before)
                    for draft, envelope, index, proof in zip(drafts, envelopes, numbers, proofs, strict=True)
                ]
    with timed("open, as the recipient"):
        for body in bodies:
            deliver.open_release(orjson.loads(body), giver="GBR", keys=[KEY.public_key()], recipient="UKR")
    spent["commit"] -= spent["append"] + spent["checkpoint"] + spent["prove"]

    size = sum(len(one.content) for one in products) / len(products)
    sealed = sum(map(len, bodies)) / len(bodies)
    print(f"{len(products)} releases, {size:.0f} bytes each, sealed {sealed:.0f}; {BEFORE} in the log before")
    for step, seconds in spent.items():
        print(f"  {step:24} {seconds / len(products) * 1e6:7.0f} us a release")
    giving = sum(seconds for step, seconds in spent.items() if not step.startswith("open"))
    print(f"  {'giver, all of it':24} {giving / len(products) * 1e6:7.0f} us a release")

    values = [msgspec.json.decode(one.content) for one in products]
    for name, dump in (("canonical", canonical), ("rfc8785.dumps", rfc8785.dumps)):
        start = time.process_time()
        for value in values:
            dump(value)
        print(f"  {name:24} {(time.process_time() - start) / len(values) * 1e6:7.0f} us an object")


if __name__ == "__main__":
    main()
