"""Which file goes with a picture or recording: the file itself, or a form of it that is made once and kept.

A *variant* is a function of its source, the form, the marking that is written into it and the version of the
sanitizers. It is made in the sandbox, beside the worker (`media`), read again by a second parser, and kept
with what was found. Who it may go to is for the gate; it is asked again when a variant was made, and when one
that has to wait is old enough. A finding of the second parser is for an officer.

Where the node marks what it gives (`[marks] media`), each recipient's copy of a variant is a variant too: the
same form, with a mark that only this node can make or find (`media_trace`). The variant without it is kept.

The marking is cut to owners and recipient (law 5), so where a format has a place for it each partner gets a
file of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from itertools import chain
from typing import NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from tearline import deliver, gate, label
from tearline.adapters import sandbox, store
from tearline.adapters.blobs import Blobs
from tearline.deliver import Content
from tearline.ledger import Act
from tearline.media import SANITIZER, Made, Make, Mark, Verify
from tearline.node.opened import Node
from tearline.node.references import Circle, Drafted, Order
from tearline.terms import (
    BadInput,
    Grain,
    Imagery,
    ImageryForm,
    Label,
    Media,
    MediaForm,
    Outcome,
    Party,
    Product,
    Reason,
    Refer,
    Refused,
    Signal,
    SignalForm,
    Tearline,
    Whole,
)

NITF = "image/nitf"


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Whose copy it is, of which product."""

    product: str
    partner: Party


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made of the file `source` (SHA-256, hexadecimal). `form` `None`: marked anew, no more."""

    source: str
    form: MediaForm | None
    marking: str
    taken: datetime | None
    sanitizer: str = SANITIZER
    """Who makes it: the node itself, or the plug-in that the form names."""
    of: Imagery | Signal | None = None
    """What `source` is: the form is measured against that."""
    marked_for: Holder | None = None
    """Whose mark is in it; what it is made of is then the same variant without one."""

    @property
    def id(self) -> str:
        """The same for the same bytes: what a form is called, and when it goes, is not in them."""
        form = self.form and replace(self.form, name="", delay_h=0, marking="", sanitizer="")
        return sha256(store.encode(replace(self, form=form, of=None))).hexdigest()


class Wanted(NamedTuple):
    """A variant that is to be made. With a mark: of what, and from which seed."""

    variant: Variant
    base: Made | None = None
    seed: bytes = b""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a variant: `made`, or `None` where it cannot be; `found`: why it may not go."""

    made: Made | None
    found: tuple[str, ...]


class Waits(Refused):
    """It goes later: at `due`, or, where that is `None`, once its variant is made."""

    def __init__(self, due: datetime | None, variant: Variant | None) -> None:
        super().__init__("it may go, and goes later")
        self.due, self.variant = due, variant


class Found(Refused):
    """The second parser found something in what was made, or nothing could be made: what, for an officer."""


def content_for(node: Node, product: Product, outcome: Whole | Tearline, now: datetime) -> Content:
    """The file that goes. Raises `Waits`, and `Found` where an officer has to look."""
    media = msgspec.json.decode(product.content, type=Media)
    form = outcome.form if isinstance(outcome, Tearline) else None
    if form is not None and ((due := gate.due(product, form)) is None or due > now):
        raise Waits(due, None)
    # What a partner gave goes on with the bytes that its originator signed.
    as_it_is = media.media_type != NITF or product.originator != node.party
    if form is None and (as_it_is or isinstance(outcome, Tearline)):
        if isinstance(outcome, Tearline):
            raise Refused("a picture or recording has no portions")
        return Content(media.sha256, media.size, media.media_type, media.facts)
    own = outcome.label if isinstance(outcome, Tearline) else product.label
    if not isinstance(own, Label):
        raise Refused("a product in quarantine goes to nobody")
    variant = Variant(
        source=media.sha256,
        form=form,
        marking=_line(own, outcome.partner),
        taken=media.facts.taken,
        sanitizer=(form and form.sanitizer) or SANITIZER,
        of=media.facts,
    )
    made = _made(node, variant)
    if node.home.config.marks.media and bears_a_mark(form):
        holder = Holder(product=product.id, partner=outcome.partner)
        made = _made(node, replace(variant, marked_for=holder))
    grain = Grain.EXACT if form is None else form.time
    return Content(made.sha256, made.size, made.media_type, made.facts, grain)


def bears_a_mark(form: MediaForm | None) -> bool:
    """What goes whole is the file of its originator; metadata alone have no samples."""
    return isinstance(form, ImageryForm) or (isinstance(form, SignalForm) and form.samples)


def _made(node: Node, variant: Variant) -> Made:
    with node.reading() as db:
        body = store.variant(db, variant.id)
    if body is None:
        raise Waits(None, variant)
    done = msgspec.json.decode(body, type=Done)
    if done.made is None or done.found:
        raise Found(" ".join(done.found))
    return done.made


def _line(own: Label, recipient: Party) -> str:
    """The marking as a line: CAPCO where the label has what CAPCO speaks of, else TLP."""
    cut = label.narrow(own, recipient)
    speaks = cut.level or cut.need or cut.duties or cut.release is not None or cut.display is not None
    return label.render_banner(cut) if speaks else label.render_tlp(cut)


# --- Waiting --------------------------------------------------------------------------------------


class Waiting(NamedTuple):
    """An answer of the gate that waits for its file. `wanted`: what is to be made."""

    parked: store.Parked
    wanted: Variant | None


def waiting(
    node: Node,
    answers: Iterable[tuple[store.Held, Mapping[Party, Outcome]]],
    again: Iterable[tuple[store.Held, Mapping[Party, Outcome]]],
    around: Circle,
    drafts: Iterable[Drafted],
    now: datetime,
) -> list[Waiting]:
    """Those of the answers without a draft that wait for their file; of what is asked about `again`, for whom
    it is parked."""
    going = {(draft.recipient, held.seq) for held, _, draft in drafts}
    parked = (
        (held, {party: its for party, its in outcomes.items() if (party, held.seq) in around.parked})
        for held, outcomes in again
    )
    found = []
    for held, outcomes in chain(answers, parked):
        if not deliver.is_media(held.product):
            continue
        for party, outcome in outcomes.items():
            if isinstance(outcome, Whole | Tearline) and (party, held.seq) not in going:
                try:
                    content_for(node, held.product, outcome, now)
                except Waits as waits:
                    due = None if waits.due is None else store.stamp(waits.due)
                    found.append(Waiting(store.Parked(party, held.seq, due), waits.variant))
                except Refused:
                    continue
    return found


def park(found: list[Waiting], order: Order, outcomes: Mapping[int, dict[Party, Outcome]]) -> list[Waiting]:
    """Let these wait, and say of those whose form is being made that it is. Returns them."""
    for (party, seq, due), wanted in found:
        order.park_again(store.Parked(party, seq, due))
        if wanted is not None:
            outcome = outcomes[seq][party]
            reasons = (*outcome.reasons, Reason(check=7, code="form.making"))
            outcomes[seq][party] = replace(outcome, reasons=reasons)
    return found


def refer(outcomes: dict[Party, Outcome], party: Party, found: Found) -> None:
    """An officer looks at what was found in a form."""
    reasons = (*outcomes[party].reasons, Reason(check=7, code="form.found", detail=str(found)))
    outcomes[party] = Refer(partner=party, reasons=reasons)


def keep_waiting(db: Connection, found: Iterable[Waiting]) -> None:
    """Have made what is wanted, in the transaction that lets the answers wait."""
    for each in found:
        if each.wanted is not None:
            store.want_variant(db, each.wanted.id, each.wanted.source, msgspec.json.encode(each.wanted))


# --- Making ---------------------------------------------------------------------------------------


def wanted(node: Node) -> list[Wanted]:
    """The variants that are to be made."""
    found = []
    with node.reading() as db:
        for body in store.wanted_variants(db):
            variant = msgspec.json.decode(body, type=Variant)
            if (holder := variant.marked_for) is None:
                found.append(Wanted(variant))
            elif base := store.variant(db, replace(variant, marked_for=None).id):
                made = msgspec.json.decode(base, type=Done).made
                found.append(Wanted(variant, made, seed_of(node, holder)))
    return found


def seed_of(node: Node, holder: Holder) -> bytes:
    """What the mark of a copy is drawn from; this node's secret is in it."""
    return node.identity.opaque("media-mark", holder.product, holder.partner)


def make(blobs: Blobs, job: Wanted) -> Done:
    """Make a variant and read it again. Slow, and needs no node: not for the worker's thread."""
    variant = job.variant
    with blobs.scratch() as target:
        form, marking, taken = variant.form, variant.marking, variant.taken
        source = str(blobs.local(job.base.sha256 if job.base else variant.source).resolve())
        request: Make | Mark = Make(
            source=source, target=str(target), form=form, marking=marking, taken=taken
        )
        if job.base:
            request = Mark(source=source, target=str(target), made=job.base, seed=job.seed)
        try:
            made = sandbox.run(request)
            findings = sandbox.run(
                Verify(
                    made=str(target), expected=made, form=form, marking=marking, taken=taken, of=variant.of
                )
            )
            if findings.found:
                return Done(made=made, found=findings.found)
            blob = blobs.adopt(target, variant.id)
        except BadInput as error:
            where = "its form" if variant.sanitizer == SANITIZER else f"its form by {variant.sanitizer}"
            return Done(made=None, found=(str(BadInput(where, error.place, error.reason, error.remedy)),))
        same = (blob.sha256, blob.size) == (made.sha256, made.size)
        return Done(made=made, found=() if same else ("what was made is not what its maker said",))


def keep(node: Node, job: Wanted, done: Done) -> None:
    """Write down what was made, and let the gate answer anew for what waited for it."""
    variant, made = job.variant, done.made
    entry = {
        "variant": variant.id,
        "source": variant.source,
        "form": "" if variant.form is None else variant.form.name,
        "sanitizer": variant.sanitizer,
        "made": None if made is None else made.sha256,
        "did": [] if made is None else list(made.did),
        "found": list(done.found),
    }
    if variant.marked_for is not None:
        entry["marked_for"] = variant.marked_for.partner
    with node.writing() as db:
        node.record(Act.FORM_MADE, entry)
        sha = None if made is None or done.found else made.sha256
        store.keep_variant(db, variant.id, msgspec.json.encode(done), sha)
        store.wake_products_of(db, variant.source, store.stamp(node.clock()))
