"""One product as it is held, and what became of it; and where the pictures and recordings are from."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tearline.adapters import store
from tearline.deliver.scene import footprint
from tearline.node.opened import Node
from tearline.node.search import Asked, search
from tearline.terms import Box, Category, Media, Party, Product, Refused

MOST_PLACES = 500


class Held(msgspec.Struct, frozen=True):
    """A version of a product, and what was answered about it."""

    product: Product
    answers: tuple[store.Answer, ...]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A picture or recording, and the area that it shows or the point where it was taken."""

    originator: Party
    product: str
    title: str
    category: Category
    created: str
    box: Box


def versions(node: Node, originator: Party, product_id: str) -> list[Held]:
    """Every version that is held, the newest first. Raises `Refused` where there is none."""
    with node.reading() as db:
        held = store.products_named(db, originator, product_id)
        found = [Held(each.product, tuple(store.answers_of(db, each.seq))) for each in reversed(held)]
    if not found:
        raise Refused(f"there is no product {product_id} of {originator} here")
    return found


def places(node: Node, most: int = MOST_PLACES) -> list[Place]:
    """The newest pictures and recordings that have a place, at most `most` of each kind."""
    found: list[Place] = []
    for category in (Category.IMAGERY, Category.INTERCEPT):
        for offset in range(0, most, 100):
            asked = Asked(category=category, newest=True, offset=offset, limit=min(100, most - offset))
            hits = search(node, asked).hits
            with node.reading() as db:
                versions = [store.products_named(db, hit.originator, hit.product) for hit in hits]
            held = [each[-1].product for each in versions if each]
            found += _placed(held)
            if len(hits) < asked.limit:
                break
    return found


def _placed(products: Sequence[Product]) -> list[Place]:
    found = []
    for each in products:
        try:
            media = msgspec.json.decode(each.content, type=Media)
        except msgspec.MsgspecError:  # a report about a picture: it has no file here
            continue
        if (box := footprint(media.facts)) is not None:
            known = {"originator": each.originator, "product": each.id, "title": each.title}
            created = store.stamp(each.created)
            found.append(Place(**known, category=each.category, created=created, box=box))
    return found
