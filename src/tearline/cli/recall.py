"""`tearline recall` and `tearline revise`: what was given does not hold any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
import orjson

from tearline.cli.show import plain, table
from tearline.deliver import RecallAction, RecallKind, RecallReason
from tearline.deliver.recall import ACTIONS, ADMINISTRATIVE, REASONS, SUBSTANTIVE
from tearline.node import Node
from tearline.node.recall import Order
from tearline.node.recall import recall as recall_product
from tearline.node.recall import revise as revise_product
from tearline.node.recall_record import Line, Shown, recalls
from tearline.node.recall_record import show as show_recall


class _Recall(click.Group):
    """`tearline recall PRODUCT` is short for `tearline recall product PRODUCT`."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        known = args and (args[0] in self.commands or args[0].startswith("-"))
        return super().resolve_command(ctx, args if known else ["product", *args])


@click.group(cls=_Recall)
def recall() -> None:
    """Call back what was given: `tearline recall PRODUCT[@VERSION] ...`, or see what became of it."""


def _said(command: Callable[..., None]) -> Callable[..., None]:
    """The options that tell what a recall or a revision says."""
    for option in (
        click.option("--officer", required=True, help="Who orders it."),
        click.option("--text", default="", help="A sentence to the recipients' officers, as it stands."),
        click.option(
            "--action",
            "actions",
            multiple=True,
            required=True,
            type=click.Choice([each.value for each in ACTIONS]),
            help="What the recipients have to do; may be given several times.",
        ),
        click.option(
            "--reason",
            required=True,
            type=click.Choice([each.value for each in REASONS]),
            help="Why, as a code; docs/recall.md explains them.",
        ),
        click.option(
            "--kind",
            required=True,
            type=click.Choice([ADMINISTRATIVE, SUBSTANTIVE]),
            help="How it was marked, addressed or written; or what it says.",
        ),
    ):
        command = option(command)
    return command


@recall.command("product")
@click.argument("product", metavar="PRODUCT[@VERSION]")
@_said
@click.option("--to", multiple=True, metavar="PARTY", help="From this partner alone; the others see nothing.")
@click.option("--giver", metavar="PARTY", help="Whose product it is, where several gave one of this id.")
@click.pass_obj
def product_(
    home: Path,
    product: str,
    kind: str,
    reason: str,
    actions: tuple[str, ...],
    text: str,
    officer: str,
    to: tuple[str, ...],
    giver: str | None,
) -> None:
    """Recall PRODUCT from all who were given any version or form of it. One officer is enough.

    With @VERSION: that version and those before it. What never left is cancelled, and nobody hears of it.
    From now on it goes to nobody, and there is no way back: a corrected product is a new version.
    """
    name, _, version = product.partition("@")
    with Node.open(home) as node:
        order = recall_product(
            node,
            name,
            kind=RecallKind(f"{kind}-recall"),
            reason=RecallReason(reason),
            actions=[RecallAction(each) for each in actions],
            officer=officer,
            version=version or None,
            to=to or None,
            instruction=text,
            giver=giver,
        )
        _report(node, order)


@click.command()
@click.argument("product")
@click.option(
    "--with", "file", required=True, type=click.Path(path_type=Path), help="The file with the new version."
)
@click.option("--marking", help="The marking of the new version, if it carries none, such as TLP:GREEN.")
@_said
@click.pass_obj
def revise(
    home: Path,
    product: str,
    file: Path,
    marking: str | None,
    kind: str,
    reason: str,
    actions: tuple[str, ...],
    text: str,
    officer: str,
) -> None:
    """Put a new version in the place of PRODUCT, one of this node's own.

    The gate decides on the new version as on every product. Who had the old one and may have the new one gets
    it; from the others the old one is recalled, and they hear of nothing new.
    """
    with Node.open(home) as node, file.open("rb") as stream:
        order = revise_product(
            node,
            product,
            stream,
            str(file),
            kind=RecallKind(f"{kind}-revision"),
            reason=RecallReason(reason),
            actions=[RecallAction(each) for each in actions],
            officer=officer,
            instruction=text,
            marking=marking,
        )
        _report(node, order)


def _report(node: Node, order: Order) -> None:
    shown, _ = show_recall(node, order.id)
    states = Counter(line.state for line in shown.lines)
    counted = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "nobody had it"
    click.echo(f"{order.id}: {len(shown.held)} versions of {order.product} go to nobody any more; {counted}.")
    click.echo(f"See what becomes of it: tearline recall show {order.id}")


@recall.command("list")
@click.option("--open", "open_only", is_flag=True, help="Only those of which something is not confirmed.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every line.")
@click.pass_obj
def list_(home: Path, open_only: bool, as_json: bool) -> None:
    """Show the recalls, ours and those of partners: what is confirmed, what is not and for how long."""
    with Node.open(home) as node:
        found, now = recalls(node, open_only=open_only), node.clock()
    if as_json:
        click.echo(orjson.dumps([_as_json(each, now) for each in found], option=orjson.OPT_INDENT_2).decode())
        return
    rows = [
        (
            each.id,
            each.order.product,
            each.title,
            each.order.giver,
            each.order.notice.kind,
            each.order.notice.reason,
            " ".join(each.order.notice.actions),
            " ".join(each.order.to) if each.order.to else "all",
            each.order.notice.date,
            _sum(each.lines),
            _age(each.age(now)) if each.is_open else "",
        )
        for each in found
    ]
    heads = ("recall", "product", "title", "of", "kind", "reason", "actions", "to", "ordered")
    table((*heads, "so far", "open for"), rows)


@recall.command()
@click.argument("recall_id", metavar="RECALL")
@click.pass_obj
def show(home: Path, recall_id: str) -> None:
    """Show one recall: who was told what, who confirmed it, and which products here name what it means."""
    with Node.open(home) as node:
        shown, derived = show_recall(node, recall_id)
        now = node.clock()
    order, notice = shown.order, shown.order.notice
    whose = (
        f"recalled by {order.giver}" if order.release_id else f"ordered by {order.officer or 'its marking'}"
    )
    click.echo(plain(f"{order.product} {shown.title}".strip()))
    click.echo(f"{notice.kind}, {notice.date}, {whose}: {REASONS[notice.reason][0]} ({notice.reason})")
    click.echo(f"Required: {'; '.join(ACTIONS[each] for each in notice.actions)}.")
    if notice.instruction:
        click.echo(plain(f"Text: {notice.instruction}"))
    if order.replacement:
        click.echo(f"In its place: {' '.join(order.replacement)}")
    elif notice.replaced_by:
        click.echo(plain(f"In its place: {notice.replaced_by.id}"))
    click.echo(f"Versions here before {order.before}: {', '.join(shown.held) or 'none'}")
    if shown.lines:
        rows = [
            (
                line.partner,
                line.object_id or "",
                line.state,
                "the new version" if line.replaced else "a recall" if line.release_id else "",
                line.given_at or "",
                line.confirmed_at or (_age(shown.age(now)) + " open" if line.is_open else ""),
            )
            for line in shown.lines
        ]
        table(("partner", "object", "state", "told by", "given", "confirmed"), rows)
    for name in derived:
        click.echo(plain(f"Names it: {name}"))


def _sum(lines: Sequence[Line]) -> str:
    states = Counter(line.state for line in lines)
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items()))


def _age(age: timedelta) -> str:
    """In the largest unit that fits: `3 d`, `4 h`, `5 min`."""
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes >= 2 * 24 * 60:
        return f"{minutes // (24 * 60)} d"
    return f"{minutes // 60} h" if minutes >= 2 * 60 else f"{minutes} min"


def _as_json(shown: Shown, now: datetime) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(shown)
    seconds = int(shown.age(now).total_seconds())
    return body | {"open": shown.is_open, "seconds_since_ordered": max(0, seconds)}
