"""Products: what the node holds, searched by words and marks, on a map, and what became of each."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from tearline.adapters.search import Piece
from tearline.doors.desk.endpoint import N_, Area, At, Nothing
from tearline.doors.desk.person import READERS, Role
from tearline.node import product_book
from tearline.node.search import Asked, readable, search
from tearline.terms import Box, Category, Party, Product, Region, Topic
from tearline.terms import Role as PortionRole

area = Area("products", title=N_("Products"), path="/products", order=20, key="p")
PAGE = 20


class ProductsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for: all of it must fit. Words in quotation marks stand together; `word*` begins so."""

    words: Annotated[str, msgspec.Meta(max_length=400)] = ""
    topic: Topic | None = None
    region: Region | None = None
    level: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    tlp: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    rel: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    originator: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    category: Category | None = None
    since: date | None = None
    until: date | None = None
    offset: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class ProductHit(msgspec.Struct, frozen=True, kw_only=True):
    """A product that was found; in title and snippet the words asked for are told apart."""

    product: str
    version: str
    originator: Party
    category: Category
    created: datetime
    topics: tuple[Topic, ...]
    regions: tuple[Region, ...]
    mark: str
    in_quarantine: bool
    title: tuple[Piece, ...]
    snippet: tuple[Piece, ...]


class FacetValue(msgspec.Struct, frozen=True):
    value: str
    count: int


class ProductsFound(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what was found. `facets`: by kind, how many of all that was found bear each value."""

    hits: tuple[ProductHit, ...]
    total: int
    facets: dict[str, tuple[FacetValue, ...]]
    offset: int
    page: int = PAGE


class ProductAsked(msgspec.Struct, frozen=True):
    originator: Party
    product: str


class ProductPortion(msgspec.Struct, frozen=True):
    """A part of a product, with its own mark."""

    role: str
    mark: str
    text: str


class ProductAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it for one partner. `forms`: in which it went; empty where it did not."""

    partner: Party
    kind: str
    code: str
    clause: str
    forms: str
    delivered_at: str | None


class ProductVersion(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    created: datetime
    mark: str
    portions: tuple[ProductPortion, ...]
    answers: tuple[ProductAnswer, ...] | None
    """For officers and none else."""


class ProductShown(msgspec.Struct, frozen=True, kw_only=True):
    """A product with every version that is held, the newest first."""

    product: str
    originator: Party
    title: str
    category: Category
    topics: tuple[Topic, ...]
    regions: tuple[Region, ...]
    versions: tuple[ProductVersion, ...]


class ProductPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A picture or recording on the map: degrees, WGS 84."""

    originator: Party
    product: str
    title: str
    category: Category
    created: str
    box: Box


class ProductPlaces(msgspec.Struct, frozen=True):
    places: tuple[ProductPlace, ...]


@area.shows("/products", "products/search.html", roles=READERS)
def find(at: At, asked: ProductsAsked) -> ProductsFound:
    """Search the products that the node holds."""
    found = search(at.node, Asked(**_fields(asked), limit=PAGE, newest=not asked.words), at.progress)
    return ProductsFound(
        hits=tuple(
            ProductHit(**{name: getattr(hit, name) for name in hit.__struct_fields__}) for hit in found.hits
        ),
        total=found.total,
        facets={
            kind: tuple(FacetValue(value, count) for value, count in values)
            for kind, values in found.facets.items()
        },
        offset=asked.offset,
    )


@area.shows("/products/map", "products/map.html", roles=READERS)
def on_the_map(at: At, asked: Nothing) -> ProductPlaces:
    """Where the newest pictures and recordings are from."""
    return ProductPlaces(tuple(ProductPlace(**_fields(each)) for each in product_book.places(at.node)))


@area.shows("/products/{originator}/{product}", "products/one.html", roles=READERS)
def one(at: At, asked: ProductAsked) -> ProductShown:
    """A product in every version that is held; for officers also what became of it."""
    held = product_book.versions(at.node, asked.originator, asked.product)
    newest = held[0].product
    tells = at.person.may(frozenset({Role.OFFICER}))
    return ProductShown(
        product=newest.id,
        originator=newest.originator,
        title=newest.title,
        category=newest.category,
        topics=tuple(sorted(newest.topics)),
        regions=tuple(sorted(newest.regions)),
        versions=tuple(
            ProductVersion(
                version=each.product.version,
                created=each.product.created,
                mark=each.product.marking.text.strip() if each.product.marking else "",
                portions=_portions(each.product),
                answers=tuple(ProductAnswer(**_fields(answer)) for answer in each.answers) if tells else None,
            )
            for each in held
        ),
    )


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def _portions(product: Product) -> tuple[ProductPortion, ...]:
    """Source lines are not shown: they are the source handlers', and never go out."""
    if not product.portions:
        return tuple(ProductPortion("body", "", text) for text in list(readable(product))[:200])
    return tuple(
        ProductPortion(each.role.value, each.marking.text.strip() if each.marking else "", each.text)
        for each in product.portions
        if each.role is not PortionRole.SOURCE
    )
