"""The texts that were released, and which marks each copy carries: what a trace starts from.

A *form* is a text as it is for everybody, without portion marks: those are cut to each recipient. Of a copy
its marks are not kept: they are made again from form, partner and the node's secret.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from hashlib import sha256

import msgspec
from sqlalchemy import (
    BLOB,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from tearline.adapters.prepared import Prepared, any_of, driver
from tearline.adapters.store import tables as t
from tearline.terms import Party

_form = Table(
    "form",
    t.metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("product", ForeignKey("product.seq"), nullable=False),
    Column("language", String, nullable=False),
    Column("text", String, nullable=False),
    Column("slots", BLOB, nullable=False),
)
Index("form_product", _form.c.product)
_copy = Table(
    "copy",
    t.metadata,
    Column("release_id", String, primary_key=True),
    Column("partner", String, nullable=False),
    Column("form", ForeignKey("form.id"), nullable=False),
    Column("mode", String, nullable=False),
    Column("dress", BLOB, nullable=False),
    sqlite_with_rowid=False,
)
Index("copy_form", _copy.c.form)
_off = Table("slot_off", t.metadata, Column("what", String, primary_key=True), sqlite_with_rowid=False)

Dress = tuple[tuple[int, int, str], ...]
"""As `deliver.Dress`: what one copy has in the place of parts of its form."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A released text, with the places in it where copies may differ.

    `product`: its number here. `slots`: the places, as the node writes them.
    """

    product: int
    language: str
    text: str
    slots: bytes = b"[]"

    @property
    def id(self) -> str:
        """SHA-256 of all of it, hexadecimal: what the ledger names."""
        return sha256(t.encode(self)).hexdigest()


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """What one release gave of a form. `mode`: that of its marks, empty where it carries none."""

    release_id: str
    partner: Party
    form: str
    mode: str = ""
    dress: Dress = ()


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """A copy, and when it went into its partner's view: `None` while it waits."""

    copy: Copy
    at: str | None


_ADD_FORM = "INSERT OR IGNORE INTO form (id, product, language, text, slots) VALUES (?, ?, ?, ?, ?)"
_ADD_COPY = "INSERT OR IGNORE INTO copy (release_id, partner, form, mode, dress) VALUES (?, ?, ?, ?, ?)"
_FORM = (_form.c.seq, _form.c.product, _form.c.language, _form.c.text, _form.c.slots)
_BEFORE = Prepared(
    select(_form.c.id, *_FORM)
    .where(_form.c.seq < bindparam("before"))
    .order_by(_form.c.seq.desc())
    .limit(bindparam("most"))
)
_NAMED = Prepared(select(_form.c.id, *_FORM).where(_form.c.id.in_(any_of("ids"))))
_OF_PRODUCT = Prepared(
    select(*_FORM)
    .join(t.product, t.product.c.seq == _form.c.product)
    .where(t.product.c.id == bindparam("product"))
    .order_by(_form.c.seq)
)
_COPIES = Prepared(
    select(_copy, t.outbox.c.delivered_at)
    .outerjoin(t.outbox, t.outbox.c.release_id == _copy.c.release_id)
    .where(_copy.c.form.in_(any_of("forms")))
    .order_by(_copy.c.partner, _copy.c.release_id)
)
_dress = msgspec.json.Decoder(Dress).decode


def add_copies(db: Connection, copies: Iterable[tuple[Form, Copy]]) -> None:
    """Keep what releases give, in the transaction that queues them."""
    rows = list(copies)
    forms = {form.id: form for form, _ in rows}
    driver(db).executemany(
        _ADD_FORM,
        [(name, form.product, form.language, form.text, form.slots) for name, form in forms.items()],
    )
    driver(db).executemany(
        _ADD_COPY,
        [(each.release_id, each.partner, each.form, each.mode, t.encode(each.dress)) for _, each in rows],
    )


def forms_before(db: Connection, before: int, limit: int) -> list[tuple[int, str, Form]]:
    """The newest forms whose numbers are below `before`, newest first: (number, id, form)."""
    return [(row[1], row[0], _read(row[1:])) for row in _BEFORE(db, before=before, most=limit)]


def forms_named(db: Connection, ids: Collection[str]) -> dict[str, Form]:
    """Forms by their ids."""
    return {row[0]: _read(row[1:]) for row in _NAMED(db, ids=list(ids))}


def forms_of(db: Connection, product_id: str) -> list[Form]:
    """The forms in which versions of a product went, the oldest first."""
    return [_read(row) for row in _OF_PRODUCT(db, product=product_id)]


def count_forms(db: Connection) -> int:
    """How many forms there are."""
    return int(db.execute(select(func.count()).select_from(_form)).scalar_one())


def copies_of(db: Connection, forms: Collection[str]) -> list[Delivered]:
    """All copies of these forms, by partner."""
    return [
        Delivered(
            copy=Copy(release_id=name, partner=partner, form=form, mode=mode, dress=_dress(dress)), at=at
        )
        for name, partner, form, mode, dress, at in _COPIES(db, forms=list(forms))
    ]


def every_copy(db: Connection) -> Iterator[tuple[str, str, str]]:
    """(release id, form, mode) of every copy."""
    rows = driver(db).execute("SELECT release_id, form, mode FROM copy")
    return ((release, form, mode) for release, form, mode in rows)


def every_form(db: Connection) -> Iterator[tuple[str, Form]]:
    """Every form with the id that it is kept under."""
    rows = driver(db).execute("SELECT id, seq, product, language, text, slots FROM form")
    return ((name, _read(row)) for name, *row in rows)


def _read(row: tuple[int, int, str, str, bytes]) -> Form:
    _, product, language, text, slots = row
    return Form(product=product, language=language, text=text, slots=slots)


def switched_off(db: Connection) -> frozenset[str]:
    """The slots (by their keys) and wordings that an officer switched off."""
    return frozenset(db.execute(select(_off.c.what)).scalars())


def switch_off(db: Connection, what: str) -> None:
    """No copy is marked there from now on."""
    db.execute(insert(_off).values(what=what))


def switch_on(db: Connection, what: str) -> None:
    """Copies may be marked there again."""
    db.execute(delete(_off).where(_off.c.what == what))
