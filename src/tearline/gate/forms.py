"""The forms of imagery and signals that agreements declare: what each would tell, and its label.

An agreement may say how its forms are marked. The marking takes the place of what its scheme speaks of:
CAPCO of level and releasability, TLP of reach, PAP of use. All else is the product's own: compartments,
owners, consents, duties. It counts only where the product and all that is in it is this node's own, because
nobody marks anew what another made; and where it names its owner, only as this node's own mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from msgspec.structs import replace

from tearline.agreement import Agreement, Detail, media
from tearline.label import join, parse
from tearline.terms import BadInput, Label, Media, MediaForm, Party, Product, Quarantine, Reach, Refused, Use


class Offer(NamedTuple):
    """A form of one product."""

    form: MediaForm
    label: Label
    detail: Detail


def offers(
    forms: Iterable[MediaForm], product: Product, label: Label, of: Media, own: Party, now: datetime
) -> dict[MediaForm, Offer]:
    """What there can be of these forms, each once: of the right kind, leaving something, with a label that
    can be read. `label` is that of the whole product."""
    found = {}
    for form in dict.fromkeys(forms):
        detail, marked = media.detail_in(form, of, now), label_in(form, product, label, own)
        if detail is not None and marked is not None:
            found[form] = Offer(form, marked, detail)
    return found


def label_in(form: MediaForm, product: Product, label: Label, own: Party) -> Label | None:
    """The label of the product in this form; `None` where the form's marking cannot be read."""
    if not form.marking:
        return label
    marking, said = parse(form.marking, at=product.created.date())
    if isinstance(said, Quarantine):
        return None
    if product.originator != own or (label.owners | label.consent) - {own}:
        return label
    kept = label
    if marking.scheme == "tlp2":
        kept = replace(label, reach=Reach.CLEAR, use=Use.CLEAR if "PAP:" in form.marking else label.use)
    elif own in said.owners:
        others = tuple((policy, rank) for policy, rank in label.level if policy != own)
        kept = replace(label, level=others, release=None, display=None)
    return join(kept, said)


def due(product: Product, form: MediaForm) -> datetime | None:
    """From when on the product may go in this form: at once is long ago, and `None` is never.

    Never, because it has to wait and nobody knows since when. Raises `BadInput` where it is no media.
    """
    found = media.media_of(product)
    if found is None:
        raise BadInput(
            "product", "category", f"{product.category} has no such forms", "ask about its portions"
        )
    return media.due(found, form)


def must_be_readable(agreement: Agreement) -> None:
    """Raise `Refused`, naming the first form whose marking cannot be read."""
    for form in agreement.forms:
        if reason := unreadable(form.marking, agreement.valid_from):
            raise Refused(f"{agreement.id}: agreement.toml, forms.{form.name}.marking: {reason}")


def unreadable(marking: str, day: date) -> str:
    """Why a form cannot be marked so; empty where it can."""
    said = parse(marking, at=day)[1] if marking else None
    return f"{said.mark[:60]!r} {said.reason}" if isinstance(said, Quarantine) else ""
