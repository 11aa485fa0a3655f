"""Marks in what is released: of an own report each recipient gets wordings of its own, that tell its copy.

What a partner gets is a function of the product, the node's secret and this partner alone (law 5): so it is
the same each time that the gate is asked. What others made, or own a part of, is never changed; nor is a
STIX object, which machines read.

The ids of a release are made of the text without marks, before. After marking the text is looked at once
more (law 2): where the marks, and not the text, made a protected identity, it goes without them.

A *form* is the text without portion marks, which are cut to each recipient; with the places in it where the
copies may differ. Form and place of the portion marks are kept, in the transaction that queues the release.
The marks themselves are made again from that: the ledger and what the partner receipted tell whether rightly.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec
from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import store
from tearline.gate import Exposure
from tearline.gate.sanitize import described, language_of
from tearline.ledger import Act, Entry
from tearline.node.opened import Node
from tearline.node.protect import Guard
from tearline.node.references import Drafted
from tearline.terms import Label, Party, Product
from tearline.trace import codes, slots
from tearline.trace.terms import Bit, Mode, Slot
from tearline.vault import Canary

encode = msgspec.json.Encoder(order="deterministic").encode
slots_of = msgspec.json.Decoder(tuple[Slot, ...]).decode
"""The places of a form."""
_Spans = tuple[tuple[int, int], ...]


def key_of(node: Node) -> bytes:
    """The secret that all letters are drawn with."""
    return node.identity.opaque("marks")


def letters(key: bytes, places: Iterable[Slot], partner: Party, mode: Mode) -> dict[str, Bit]:
    """The letter of a partner's copy at each place, by its key."""
    return {slot.key: codes.bit(key, slot.key, partner, codes.bias(key, slot.key, mode)) for slot in places}


def text_of(key: bytes, form: store.Form, copy: store.Copy) -> str:
    """The text that a release gave: made again."""
    worn = tuple((start, end, _said(key, said, copy.partner)) for start, end, said in copy.dress)
    if not copy.mode:
        return deliver.dressed(form.text, worn)
    places = slots_of(form.slots)
    its = letters(key, places, copy.partner, Mode(copy.mode))
    grown = [(slot.end, len(slot.options[its[slot.key]]) - (slot.end - slot.start)) for slot in places]

    def moved(at: int) -> int:
        return at + sum(size for end, size in grown if end <= at)

    dress = tuple((moved(start), moved(end), said) for start, end, said in worn)
    return deliver.dressed(slots.write(form.text, places, its), dress)


def kept_in(product: Product, body: str, dress: deliver.Dress, shows: Exposure) -> list[tuple[int, int]]:
    """What no mark may touch: what stands for a source, and what is a recipient's already."""
    keep = [*described(body, shows.touched(product), shows.owed)]
    return keep + [(max(start - 1, 0), end + 1) for start, end, _ in dress]  # these stay where they are


def places_in(
    product: Product, body: str, keep: Iterable[tuple[int, int]], off: Collection[str]
) -> tuple[Slot, ...]:
    """Where copies of a text may differ: not in what is to be kept, nor where an officer said no."""
    found = slots.find(body, language_of(body, product.language), product=product.id, keep=keep)
    return tuple(slot for slot in found if not is_off(slot, off))


ZERO_WIDTH = "zero-width"
"""By this an officer switches off the marks that cannot be seen."""
_UNSEEN = "\u200c"


def with_spots(
    product: Product, body: str, dress: deliver.Dress, keep: Collection[tuple[int, int]]
) -> deliver.Dress:
    """The dress of a copy, with the places of marks that cannot be seen. The marks are made by `text_of`."""
    spots = ((at, at, f"{_UNSEEN}{product.id}") for at in slots.spots(body, keep))
    return tuple(sorted([*dress, *spots]))


def marked_unseen(dress: deliver.Dress) -> str | None:
    """The product that a copy has marks for that cannot be seen; `None` where it has none."""
    return next((said.removeprefix(_UNSEEN) for *_, said in dress if said.startswith(_UNSEEN)), None)


def unseen(key: bytes, product: str, partner: Party) -> int:
    """The mark that cannot be seen in a partner's copies of a product."""
    return codes.choice(key, f"{product} {ZERO_WIDTH}", partner, slots.MARKS)


def _said(key: bytes, said: str, partner: Party) -> str:
    """What stands in a copy where its dress says so."""
    if said.startswith(_UNSEEN):
        return slots.signs(unseen(key, said.removeprefix(_UNSEEN), partner))
    return said


def with_canaries(
    key: bytes, body: str, dress: deliver.Dress, canaries: Iterable[Canary], partner: Party
) -> deliver.Dress:
    """The dress of a partner's copy, with what it gets in the place of each canary's phrase."""
    found = list(dress)
    for canary in canaries:
        said = canary.options[option_of(key, canary, partner)]
        for place in re.finditer(rf"(?<!\w){re.escape(canary.phrase)}(?!\w)", body):
            if not any(start < place.end() and place.start() < end for start, end, _ in found):
                found.append((*place.span(), said))
    return tuple(sorted(found))


def option_of(key: bytes, canary: Canary, partner: Party) -> int:
    """Which of a canary's options a partner gets."""
    if partner in canary.by_hand:
        return canary.by_hand[partner]
    return codes.choice(key, canary.id, partner, len(canary.options))


def is_off(slot: Slot, off: Collection[str]) -> bool:
    """Whether an officer switched off this place, or the entry of the lexicon that gave it."""
    return short(slot) in off or slot.entry in off


def short(slot: Slot) -> str:
    """The key of a place as officers see and name it."""
    return slot.key[:16]


def may_mark(node: Node, product: Product) -> bool:
    """Whether its words are this node's own, and read by people."""
    own = product.label
    return (
        product.originator == node.party
        and isinstance(own, Label)
        and own.owners | own.consent <= {node.party}
        and not product.content.startswith(b"{")
    )


class Marker:
    """The marks of one round of considering. Raises `VaultShut` where canaries cannot be asked for."""

    def __init__(
        self, node: Node, guard: Guard, products: Iterable[store.Held], exposures: Iterable[Exposure]
    ) -> None:
        """`exposures`: what each of the products shows of sources; what stands for one is not varied."""
        self._node, self._guard, self._key = node, guard, key_of(node)
        config = node.home.config.marks
        self._mode = Mode(config.mode) if config.text else None
        with node.reading() as db:
            self._off = store.switched_off(db) if config.text else frozenset[str]()
        self._unseen = config.zero_width and config.text and ZERO_WIDTH not in self._off
        self._exposures = {held.seq: one for held, one in zip(products, exposures, strict=True)}
        self._canaries: dict[str, list[Canary]] = {}
        self._forms: dict[tuple[int, str, _Spans], tuple[store.Form, str]] = {}
        self._plain: dict[str, deliver.Draft] = {}
        self._kept: dict[str, tuple[store.Form, store.Copy]] = {}

    def put(self, drafts: Sequence[Drafted]) -> list[Drafted]:
        """The drafts, those of own reports with the marks of their recipients."""
        marked = {held.product.id for held, _, _ in drafts if self._may(held)}
        for canary in self._guard.canaries(sorted(marked - self._canaries.keys())):
            self._canaries.setdefault(canary.product, []).append(canary)
        return [(held, outcomes, self._marked(held, draft)) for held, outcomes, draft in drafts]

    def without(self, drafts: Iterable[Drafted], which: Collection[str]) -> list[Drafted]:
        """The drafts; those whose release ids are `which` as they were before they were marked."""
        return [
            (held, outcomes, self._unmarked(draft) if draft.release_id in which else draft)
            for held, outcomes, draft in drafts
        ]

    def keep(self, db: Connection, drafts: Iterable[Drafted]) -> None:
        """Write down which texts go, in the transaction that queues them."""
        store.add_copies(
            db, [self._kept[name] for _, _, draft in drafts if (name := draft.release_id) in self._kept]
        )

    def told(self, draft: deliver.Draft) -> dict[str, dict[str, str]]:
        """What the ledger tells of them: the form and against whom it is marked, never the letters."""
        found = self._kept.get(draft.release_id)
        if found is None:
            return {}
        told = {"form": found[1].form, "mode": found[1].mode}
        return {"marks": told | ({"unseen": "yes"} if marked_unseen(found[1].dress) else {})}

    def plain(self, draft: deliver.Draft) -> deliver.Draft:
        """The draft as it was before it was marked."""
        return self._plain.get(draft.release_id, draft)

    def _may(self, held: store.Held) -> bool:
        return self._mode is not None and may_mark(self._node, held.product)

    def _marked(self, held: store.Held, draft: deliver.Draft) -> deliver.Draft:
        text = draft.object.get("description")
        if draft.object["type"] != "report" or not isinstance(text, str) or not text:
            return draft
        body, dress = deliver.undressed(text)
        if self._may(held):
            canaries = self._canaries.get(held.product.id, ())
            dress = with_canaries(self._key, body, dress, canaries, draft.recipient)
        form, name = self._form(held, body, dress)
        if self._unseen and self._may(held):
            keep = kept_in(held.product, body, dress, self._exposures[held.seq])
            dress = with_spots(held.product, body, dress, keep)
        mode = self._mode if self._mode and form.slots != b"[]" else ""
        copy = store.Copy(
            release_id=draft.release_id, partner=draft.recipient, form=name, mode=mode, dress=dress
        )
        self._kept[draft.release_id], self._plain[draft.release_id] = (form, copy), draft
        return deliver.with_object(draft, {**draft.object, "description": text_of(self._key, form, copy)})

    def _unmarked(self, draft: deliver.Draft) -> deliver.Draft:
        if draft.release_id not in self._kept:
            return draft
        (form, copy), plain = self._kept[draft.release_id], self._plain[draft.release_id]
        _, dress = deliver.undressed(plain.object["description"])
        self._kept[draft.release_id] = form, msgspec.structs.replace(copy, mode="", dress=dress)
        return plain

    def _form(self, held: store.Held, body: str, dress: deliver.Dress) -> tuple[store.Form, str]:
        which = held.seq, body, tuple((start, end) for start, end, _ in dress)
        if which not in self._forms:
            places: tuple[Slot, ...] = ()
            if self._may(held):
                keep = kept_in(held.product, body, dress, self._exposures[held.seq])
                places = places_in(held.product, body, keep, self._off)
            language = language_of(body, held.product.language)
            form = store.Form(product=held.seq, language=language, text=body, slots=encode(places))
            self._forms[which] = form, form.id
        return self._forms[which]


def mismatches(db: Connection, entries: Iterable[Entry]) -> Iterator[str]:
    """Where the texts that are kept are not those that the ledger tells of."""
    told: set[tuple[str, str, str]] = set()
    off: set[str] = set()
    for entry in entries:
        if entry.act is Act.PRODUCT_RELEASED and "marks" in entry.body:
            told.add((entry.body["release"], entry.body["marks"]["form"], entry.body["marks"]["mode"]))
        elif entry.act is Act.MARKING_STOPPED:
            off.add(entry.body["what"])
        elif entry.act is Act.MARKING_RESUMED:
            off.discard(entry.body["what"])
    if off != store.switched_off(db):
        yield "what is not to be marked is not what was recorded"
    kept = set(store.every_copy(db))
    for release, *_ in sorted(told ^ kept):
        yield f"the text of the release {release} is not kept as it was recorded"
    names = {form for _, form, _ in kept}
    for name, form in store.every_form(db):
        if form.id != name or name not in names:
            yield f"the released text {name} was changed"
