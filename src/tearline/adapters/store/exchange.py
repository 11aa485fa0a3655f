"""What was exchanged with each partner, counted and listed for officers. It reads, and writes nothing.

Recalls and messages between nodes are no products, and not counted. A release counts as given once it stands
in the partner's view; one that a suspension stopped does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection

from tearline.adapters.prepared import driver
from tearline.adapters.store.products import decode_product
from tearline.adapters.store.received import MESSAGE
from tearline.agreement.suspension import Scope
from tearline.terms import Party, Product

_GIVEN = "o.form <> 'recall' AND o.delivered_at IS NOT NULL AND o.stopped = 0"
_NO_RECEIPT = (
    "NOT EXISTS (SELECT 1 FROM receipt_line AS l WHERE l.partner = o.partner "
    "AND l.release_id = o.release_id AND l.difference IS NULL)"
)
_MESSAGE = f"object_id LIKE '{MESSAGE}%'"


class GivenTo(NamedTuple):
    """What went to a partner: in its view, on its way there, kept back by a suspension, without a receipt."""

    given: int = 0
    waiting: int = 0
    stopped: int = 0
    last: str | None = None
    unreceipted: int = 0
    oldest: str | None = None
    """Since when the oldest of these waits for its receipt."""


class TakenFrom(NamedTuple):
    """What came from a partner, and when the last of it did."""

    taken: int = 0
    last: str | None = None


class Sent(NamedTuple):
    """A release in the outbox, and what its recipient's receipt says became of it."""

    number: int
    release: str
    form: str
    delivered_at: str | None
    stopped: bool
    became: str | None
    differs: str | None
    product: Product


def given_to(db: Connection, party: Party | None = None) -> dict[Party, GivenTo]:
    """By partner; of one, or of all."""
    # In one pass: receipts are looked up once for each release, and what is sorted is short.
    rows = driver(db).execute(
        "WITH seen AS MATERIALIZED (SELECT o.partner AS partner, o.stopped > 0 AS stopped, "  # noqa: S608
        f"CASE WHEN {_GIVEN} THEN o.delivered_at END AS at, {_GIVEN} AND {_NO_RECEIPT} AS open "
        "FROM outbox AS o WHERE o.form <> 'recall' AND (:party IS NULL OR o.partner = :party)) "
        "SELECT partner, count(at), sum(at IS NULL AND NOT stopped), sum(stopped), max(at), sum(open), "
        "min(CASE WHEN open THEN at END) FROM seen GROUP BY partner",
        {"party": party},
    )
    return {name: GivenTo(*counts) for name, *counts in rows}


def taken_from(db: Connection) -> dict[Party, TakenFrom]:
    """By giver."""
    rows = driver(db).execute(
        f"SELECT giver, count(*), max(received_at) FROM received WHERE NOT {_MESSAGE} GROUP BY giver"  # noqa: S608
    )
    return {giver: TakenFrom(count, last) for giver, count, last in rows}


def referred_to(db: Connection) -> dict[Party, int]:
    """How many of the gate's answers wait for an officer, by partner."""
    rows = driver(db).execute("SELECT partner, count(*) FROM outcome WHERE kind = 'refer' GROUP BY partner")
    return dict(rows.fetchall())


def given_by_month(db: Connection, party: Party, since: str) -> list[tuple[str, str, int]]:
    """What one partner was given from the month `since` on: (month, category, how many)."""
    query = (
        "SELECT substr(o.delivered_at, 1, 7), p.category, count(*) "  # noqa: S608
        "FROM outbox AS o JOIN product AS p ON p.seq = o.product "
        f"WHERE o.partner = ? AND {_GIVEN} AND o.delivered_at >= ? GROUP BY 1, 2"
    )
    return driver(db).execute(query, (party, since)).fetchall()


def taken_by_month(db: Connection, party: Party, since: str) -> list[tuple[str, str, int]]:
    """The same of what it gave; the category is empty where it was held already or is only a definition."""
    query = (
        "SELECT substr(r.received_at, 1, 7), coalesce(p.category, ''), count(*) "  # noqa: S608
        "FROM received AS r LEFT JOIN product AS p ON p.received_as = r.release_id "
        f"WHERE r.giver = ? AND NOT r.{_MESSAGE} AND r.received_at >= ? GROUP BY 1, 2"
    )
    return driver(db).execute(query, (party, since)).fetchall()


def given_in(db: Connection, party: Party, scope: Scope) -> int:
    """How much of what is in a partner's view is in a scope."""
    query = (
        "SELECT p.category, p.body FROM outbox AS o JOIN product AS p ON p.seq = o.product "  # noqa: S608
        f"WHERE o.partner = ? AND {_GIVEN}"
    )
    if not scope.topics:
        query = query.replace("p.body", "count(*)") + " GROUP BY p.category"
        rows = driver(db).execute(query, (party,))
        return sum(count for name, count in rows if not scope.categories or name in scope.categories)
    rows = driver(db).execute(query, (party,))
    return sum(scope.covers(decode_product(body)) for _, body in rows)


def differing(db: Connection, party: Party) -> int:
    """How many lines of a partner's receipts differ from what was sent."""
    query = "SELECT count(*) FROM receipt_line WHERE partner = ? AND difference IS NOT NULL"
    return int(driver(db).execute(query, (party,)).fetchone()[0])


def sent_to(
    db: Connection, party: Party, limit: int, *, before: int | None = None, unreceipted: bool = False
) -> list[Sent]:
    """The newest releases to a partner, recalls aside; `before`: those with lower numbers.

    `unreceipted`: those in its view alone for which no receipt came that says what was sent.
    """
    query = (
        "SELECT o.seq, o.release_id, o.form, o.delivered_at, o.stopped > 0, "  # noqa: S608
        "(SELECT max(became) FROM receipt_line AS l "
        "  WHERE l.partner = o.partner AND l.release_id = o.release_id), "
        "(SELECT max(difference) FROM receipt_line AS l "
        "  WHERE l.partner = o.partner AND l.release_id = o.release_id), p.body "
        "FROM outbox AS o JOIN product AS p ON p.seq = o.product "
        "WHERE o.partner = :party AND o.form <> 'recall' AND (:before IS NULL OR o.seq < :before) "
        + (f"AND {_GIVEN} AND {_NO_RECEIPT} " if unreceipted else "")
        + "ORDER BY o.seq DESC LIMIT :limit"
    )
    rows: Iterable[tuple[Any, ...]] = driver(db).execute(
        query, {"party": party, "before": before, "limit": limit}
    )
    return [
        Sent(number, release, form, at, bool(stopped), became, differs, decode_product(body))
        for number, release, form, at, stopped, became, differs, body in rows
    ]


# --- Sources ----------------------------------------------------------------------------------------


def products_by_source(db: Connection) -> dict[str, int]:
    """How many products held rest on each source."""
    rows = driver(db).execute(
        "SELECT s.value, count(*) FROM product AS p, json_each(p.body, '$.sources') AS s GROUP BY 1"
    )
    return dict(rows.fetchall())


def touching(db: Connection, cryptonym: str) -> tuple[int, dict[Party, int]]:
    """How many products held rest on a source, and how many releases of these each partner has."""
    mine = "SELECT p.seq FROM product AS p, json_each(p.body, '$.sources') AS s WHERE s.value = ?"
    numbers = [number for (number,) in driver(db).execute(mine, (cryptonym,))]
    rows = driver(db).execute(
        "SELECT o.partner, count(*) FROM outbox AS o "  # noqa: S608
        f"WHERE {_GIVEN} AND o.product IN (SELECT value FROM json_each(?)) GROUP BY 1",
        (json.dumps(numbers),),
    )
    return len(numbers), dict(rows.fetchall())
