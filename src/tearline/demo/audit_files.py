"""After the run: did each partner get the file it should, in the form it should, and nobody any other?

Read anew from what lies in the folders that the doors serve: files are hashed, inspected in the sandbox, and
searched for the words of the file they were made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import NamedTuple

import msgspec
import orjson

from tearline import deliver, label
from tearline.adapters import sandbox, store
from tearline.adapters.view import ReleasedFile
from tearline.deliver.file import file_in, is_file_report
from tearline.gate import forms
from tearline.media import Inspect, Inspected
from tearline.node import Node
from tearline.terms import (
    BadInput,
    Box,
    Grain,
    Imagery,
    Label,
    Media,
    MediaForm,
    Partner,
    Party,
    Product,
    Recipient,
    Signal,
    SignalForm,
)

SHORT = 8
"""Texts with fewer letters can stand in a file by chance."""
_SIGMF = frozenset(
    "core:" + name
    for name in (
        *("datatype", "version", "num_channels", "sample_rate", "description", "sha512", "metadata_only"),
        *("sample_start", "sample_count", "frequency", "freq_lower_edge", "freq_upper_edge"),
        *("datetime", "geolocation"),
    )
)
"""The fields that a form of a recording may have: docs/signals.md."""
_TIME = "tag 306"
"""What a form of a GeoTIFF may carry besides pixels and place."""
_ORDINARY = _SIGMF | {
    "annotations",
    "captures",
    "coordinates",
    "AREA_OR_POINT",
    "NITF02.10",
    "TIFFTAG_DATETIME",
}
"""Words of formats, not of anybody."""


class Given(NamedTuple):
    """One released file, where it lies, what was decided about it, and what it was made of."""

    giver: Node
    partner: Partner
    row: ReleasedFile
    path: Path
    sealed: str
    """The digest in the report that was signed."""
    product: Product
    media: Media
    form: MediaForm | None

    @property
    def name(self) -> str:
        return f"the file of {self.row.release} from {self.giver.party} to {self.partner.party}"


def check_files(nodes: dict[Party, Node]) -> Iterator[str]:
    """One sentence for every breach of a law in which a file has a part."""
    looked: dict[str, Inspected | None] = {}
    for giver in nodes.values():
        for partner in giver.partners.values():
            found = list(_given(giver, partner))
            yield from _nothing_else(giver, partner, found)
            yield from _previews(giver, partner)
            for each in found:
                if (breach := _not_as_sealed(each, nodes[partner.party])) is not None:
                    yield breach
                elif each.form is None:
                    yield from _not_whole(each)
                else:
                    yield from _against_label(each, each.form)
                    yield from _not_the_form(each, each.form, looked)


def _given(giver: Node, partner: Partner) -> Iterator[Given]:
    with giver.reading() as db:
        products = {held.seq: held.product for held in store.held(db) if deliver.is_media(held.product)}
        named = {
            each.product: each.form for each in store.answers_about_files(db) if each.partner == partner.party
        }
        releases = {
            release: (seq, how) for to, release, seq, how, _ in store.releases(db) if to == partner.party
        }
    view = giver.view(partner.party)
    sealed = {each.release: orjson.loads(each.body) for each in view.released()}
    declared = {form.name: form for form in giver.rules.forms(partner.party, giver.clock())}
    for row in view.released_files():
        seq, how = releases[row.release]
        product, item = products[seq], sealed[row.release]
        yield Given(
            giver=giver,
            partner=partner,
            row=row,
            path=view.link(row.name),
            sealed=file_in(item).sha256 if is_file_report(item) else "",
            product=product,
            media=msgspec.json.decode(product.content, type=Media),
            form=declared[named[seq]] if how == "tearline" else None,
        )


def _not_as_sealed(each: Given, taker: Node) -> str | None:
    """Laws 8 and 9: it is what was signed, and the partner holds it."""
    with each.path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    if not digest == each.row.sha256 == each.sealed:
        return f"law 9: {each.name} is not what was sealed"
    if not taker.blobs.has(digest):
        return f"law 8: {each.partner.party} never fetched {each.name}"
    return None


def _nothing_else(giver: Node, partner: Partner, found: list[Given]) -> Iterator[str]:
    """Law 5: in the partner's folder there are the files that were released to it, and no others."""
    folder = giver.home.released_to(partner.party)
    there = {link.name for link in folder.iterdir()} if folder.is_dir() else set()
    previews = giver.view(partner.party).previews()
    given = {each.row.release: each.row.name for each in found if each.row.open}
    if there != {*given.values(), *(each.name for each in previews if each.release in given)}:
        yield f"law 5: {partner.party} can reach other files at {giver.party} than were released to it"
    names = {each.row.name for each in found}
    for other in giver.partners.values():
        if other != partner and names & {row.name for row in giver.view(other.party).released_files()}:
            yield f"law 5: {giver.party} calls files for {partner.party} and {other.party} by the same names"


def _previews(giver: Node, partner: Partner) -> Iterator[str]:
    """A preview is the picture that the catalogue names, and nothing but pixels."""
    view = giver.view(partner.party)
    for each in view.previews():
        content = view.link(each.name).read_bytes()
        if sha256(content).hexdigest() != each.sha256:
            yield f"law 9: a preview of {each.release} at {giver.party} is not the one that was drawn"
        if not set(_chunks(content)) <= {b"IHDR", b"IDAT", b"IEND"}:
            yield f"law 2: a preview of {each.release} at {giver.party} holds more than pixels"


def _chunks(png: bytes) -> Iterator[bytes]:
    """The types of the chunks of a PNG (third edition, 5.3); what is behind the last counts as one."""
    at = 8
    while at + 8 <= len(png):
        yield png[at + 4 : at + 8]
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    if at != len(png):
        yield b""


def _not_whole(each: Given) -> Iterator[str]:
    """The whole file is the file, but for the security fields of a NITF that is marked anew."""
    same = each.row.sha256 == each.media.sha256 or each.media.media_type == "image/nitf"
    if not same or each.row.size != each.media.size:
        yield f"law 1: {each.name} is neither the whole nor a form"


def _against_label(each: Given, form: MediaForm) -> Iterator[str]:
    own, partner = each.product.label, each.partner
    recipient = Recipient(
        party=partner.party,
        clearance=partner.clearance,
        needs=partner.needs,
        reach=partner.reach,
        use=partner.use,
        duties=partner.duties,
        consents=frozenset({each.giver.party}),
    )
    marked = forms.label_in(form, each.product, own, each.giver.party) if isinstance(own, Label) else None
    if marked is None or not label.may(marked, recipient):
        yield f"law 1: {each.name} went in the form {form.name} against its label"


def _not_the_form(each: Given, form: MediaForm, looked: dict[str, Inspected | None]) -> Iterator[str]:
    """It tells what the form tells, and holds no word and no field of the file that it was made of."""
    if each.row.sha256 not in looked:
        try:
            looked[each.row.sha256] = sandbox.run(Inspect(source=str(each.path.resolve())))
        except BadInput:
            looked[each.row.sha256] = None
    inspected = looked[each.row.sha256]
    if inspected is None:
        yield f"law 1: {each.name} cannot be read"
        return
    content = each.path.read_bytes()
    for text in each.media.texts:
        if len(text) >= SHORT and text not in _ORDINARY and text.encode() in content:
            yield f"law 2: {each.name} holds words of the original"
            break
    original, told = each.media.facts, inspected.facts
    if isinstance(original, Imagery) and isinstance(told, Imagery):
        sound = set(inspected.carries) <= {_TIME} and _coarse(original, told, form)
    elif isinstance(original, Signal) and isinstance(told, Signal):
        sound = set(inspected.carries) <= _SIGMF and _narrow(original, told, form)
    else:
        sound = False
    if not sound or told.taken not in (None, _cut(original.taken, form.time)):
        yield f"law 1: {each.name} tells more than the form {form.name}"


def _coarse(original: Imagery, told: Imagery, form: MediaForm) -> bool:
    if isinstance(form, SignalForm) or original.gsd_m is None or told.gsd_m is None:
        return False
    inside = form.area is None or (told.box is not None and _within(told.box, form.area))
    return told.gsd_m >= 0.999 * max(form.gsd_m, original.gsd_m) and inside


def _within(box: Box, area: Box) -> bool:
    edge = 1e-6
    return (
        area.west - edge <= box.west <= box.east <= area.east + edge
        and area.south - edge <= box.south <= box.north <= area.north + edge
    )


def _narrow(original: Signal, told: Signal, form: MediaForm) -> bool:
    if not isinstance(form, SignalForm):
        return False
    if told.position is not None and (form.position_deg is None or told.position == original.position):
        return False
    if not form.samples:
        return told.samples == 0
    return form.bandwidth_hz is None or (told.sample_rate_hz or 0) <= form.bandwidth_hz


def _cut(taken: datetime | None, grain: Grain) -> datetime | None:
    """A time as exactly as a form may tell it."""
    if taken is None or grain is Grain.NONE:
        return None
    parts = {"minute": 0, "second": 0, "microsecond": 0}
    parts |= {"hour": 0} if grain in (Grain.DAY, Grain.MONTH) else {}
    parts |= {"day": 1} if grain is Grain.MONTH else {}
    return taken if grain is Grain.EXACT else taken.replace(**parts)  # type: ignore[arg-type]
