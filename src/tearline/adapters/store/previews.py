"""Previews of released files: which are to be drawn, what was drawn, and for whom it is to be shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Column, Connection, Index, Integer, String, Table, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from tearline.adapters.prepared import driver
from tearline.adapters.store import tables as t
from tearline.terms import Party

_drawn = Table(
    "drawn",
    t.metadata,
    Column("seq", Integer, primary_key=True),
    Column("source", String, nullable=False, unique=True),
    Column("pictures", String),
)
Index("drawn_wanted", _drawn.c.seq, sqlite_where=_drawn.c.pictures.is_(None))
_to_show = Table(
    "preview_to_show",
    t.metadata,
    Column("release_id", String, primary_key=True),
    Column("partner", String, nullable=False),
    Column("source", String, nullable=False),
)


class ToShow(NamedTuple):
    """A release whose previews are drawn. `pictures`: as they were kept."""

    release_id: str
    partner: Party
    pictures: str


def want_preview(db: Connection, release_id: str, partner: Party, source: str) -> None:
    """Have the file `source` (SHA-256) drawn, where that is not done, and shown to who was given it."""
    db.execute(insert(_drawn).values(source=source).on_conflict_do_nothing())
    row = insert(_to_show).values(release_id=release_id, partner=partner, source=source)
    db.execute(row.on_conflict_do_nothing())


def previews_to_draw(db: Connection) -> list[str]:
    """The files that are to be drawn, in the order in which they were released."""
    query = select(_drawn.c.source).where(_drawn.c.pictures.is_(None)).order_by(_drawn.c.seq)
    return list(db.execute(query).scalars())


def keep_drawn(db: Connection, source: str, pictures: str) -> None:
    """Keep what was drawn: JSON, an array of objects with a `sha256`."""
    db.execute(_drawn.update().where(_drawn.c.source == source).values(pictures=pictures))


def previews_to_show(db: Connection, limit: int) -> list[ToShow]:
    query = (
        select(_to_show.c.release_id, _to_show.c.partner, _drawn.c.pictures)
        .join(_drawn, _drawn.c.source == _to_show.c.source)
        .where(_drawn.c.pictures.is_not(None))
        .limit(limit)
    )
    return [ToShow(*row) for row in db.execute(query)]


def no_longer_to_show(db: Connection, releases: Iterable[str]) -> None:
    db.execute(delete(_to_show).where(_to_show.c.release_id.in_(list(releases))))


def count_to_show(db: Connection) -> int:
    """How many releases wait for their previews."""
    return int(db.execute(select(func.count()).select_from(_to_show)).scalar_one())


def previews_referred_to(db: Connection) -> set[str]:
    """The digests of all pictures that were drawn."""
    query = "SELECT value ->> 'sha256' FROM drawn, json_each(drawn.pictures) WHERE pictures IS NOT NULL"
    return {digest for (digest,) in driver(db).execute(query)}
