"""`tearline referral`: what the gate leaves to an officer."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec

from tearline.cli.show import plain, table
from tearline.gate import CODES, Choice
from tearline.node import Node, consent
from tearline.node import referral as acts
from tearline.terms import BadInput, Party, Refer

MASK = "█"

_officer = click.option("--officer", required=True, help="Who decides.")
_why = click.option("--why", required=True, help="Why, in one sentence.")
_product = click.argument("product")
_partner = click.argument("partner")
_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group()
def referral() -> None:
    """See what the gate leaves to an officer, and decide it.

    A decision counts once the time to undo it is over (`undo_seconds` in node.toml).
    """


@referral.command("list")
@_json
@click.pass_obj
def list_(home: Path, as_json: bool) -> None:
    """List what waits for an officer, the oldest first."""
    with Node.open(home) as node:
        waiting = acts.queue(node)
    if as_json:
        for each in waiting:
            click.echo(json.dumps(_line(each), ensure_ascii=False))
        return
    if not waiting:
        click.echo("Nothing waits for an officer.")
        return
    table(
        ("product", "title", "for", "why", "decided"),
        [
            (
                each.product,
                each.title,
                each.partner,
                ", ".join(_codes(each)),
                "" if each.decided is None else f"{each.decided.id}, undone until {each.decided.due}",
            )
            for each in waiting
        ],
    )


def _codes(each: acts.Waiting) -> list[str]:
    return sorted({reason.code for reason in each.reasons if not reason.clause})


def _line(each: acts.Waiting) -> dict[str, object]:
    return {
        "product": each.product,
        "version": each.version,
        "originator": each.originator,
        "category": each.category.value,
        "title": each.title,
        "partner": each.partner,
        "reasons": msgspec.to_builtins(each.reasons),
        "decision": None if each.decided is None else each.decided.id,
    }


@referral.command()
@_product
@_partner
@_json
@click.pass_obj
def show(home: Path, product: str, partner: Party, as_json: bool) -> None:
    """Show why PRODUCT is referred for PARTNER, what was found (masked), and the tearline that would go.

    The vault must be open.
    """
    with Node.open(home) as node:
        found = acts.show(node, product, partner)
        four_eyes = acts.wants_four_eyes(node, partner)
    if as_json:
        click.echo(json.dumps(_whole(found, four_eyes), ensure_ascii=False))
        return
    click.echo(f"{plain(found.product.title)}: referred for {partner}, seal {found.seal}\n")
    for reason in found.outcome.reasons:
        clause = f" ({reason.clause})" if reason.clause else ""
        click.echo(f"  {reason.code}{clause}: {CODES[reason.code]}")
    for hit in found.hits:
        click.echo(
            f"\n  hit {hit.id[:12]}: {hit.source}, {hit.disposition.value}, {hit.score:.2f}, {hit.why}"
        )
        click.echo(f"    {plain(_around(hit))}" + ("  (cleared)" if hit.cleared else ""))
    if not isinstance(found.outcome, Refer):
        click.echo("\nThe gate answers otherwise now: there is nothing to decide.")
    elif found.portions:
        click.echo("\nThe tearline that would go:\n")
        for number, portion in enumerate(found.portions, start=1):
            click.echo(f"  {number}. {plain(portion.text)}")
        if four_eyes:
            click.echo("\nAn agreement wants four eyes: the quorum has to approve it.")
    else:
        click.echo("\nNo tearline can be let go: clear the hits if they are wrong, or withhold it.")


def _around(hit: acts.Found, more: int = 60) -> str:
    """The words around a hit, and in its place as many blocks."""
    before, after = hit.text[max(hit.start - more, 0) : hit.start], hit.text[hit.end : hit.end + more]
    return " ".join(f"…{before}{MASK * 8}{after}…".split())


def _whole(found: acts.Referral, four_eyes: bool) -> dict[str, object]:
    return {
        "product": found.product.id,
        "version": found.product.version,
        "partner": found.partner,
        "seal": found.seal,
        "open": isinstance(found.outcome, Refer),
        "reasons": msgspec.to_builtins(found.outcome.reasons),
        "hits": [
            {
                "id": hit.id,
                "source": hit.source,
                "disposition": hit.disposition.value,
                "score": hit.score,
                "why": hit.why,
                "around": _around(hit),
                "cleared": hit.cleared,
            }
            for hit in found.hits
        ],
        "portions": [portion.text for portion in found.portions],
        "four_eyes": four_eyes,
    }


@referral.command()
@_product
@_partner
@_officer
@_why
@click.option("--seal", help="Of the referral as it was shown: where it has changed, nothing is decided.")
@click.option(
    "--text",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The tearline in your words: a JSON list with a text for each portion shown.",
)
@click.pass_obj
def release(
    home: Path, product: str, partner: Party, officer: str, why: str, seal: str | None, file: Path | None
) -> None:
    """Let the tearline of PRODUCT go to PARTNER, as it is shown or in your words."""
    texts = None if file is None else _texts(file)
    with Node.open(home) as node:
        made = acts.decide(
            node, product, partner, Choice.TEARLINE, officer=officer, why=why, seal=seal, texts=texts
        )
    click.echo(f"Decision {made.id}: it goes after {made.due}, if the gate still lets it. {_undo(made.id)}")


def _texts(file: Path) -> list[str]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadInput(
            str(file), "", "it is not a JSON list of texts", "write one for each portion shown"
        ) from None


@referral.command()
@_product
@_partner
@_officer
@_why
@click.pass_obj
def withhold(home: Path, product: str, partner: Party, officer: str, why: str) -> None:
    """Withhold from PARTNER what is referred of PRODUCT."""
    with Node.open(home) as node:
        made = acts.decide(node, product, partner, Choice.WITHHOLD, officer=officer, why=why)
    click.echo(f"Decision {made.id}: it is withheld from {partner}. {_undo(made.id)}")


def _undo(number: int) -> str:
    return f"Until then: tearline referral undo {number} --officer ..."


@referral.command()
@_product
@_partner
@click.argument("hits", nargs=-1, required=True)
@_officer
@_why
@click.pass_obj
def clear(home: Path, product: str, partner: Party, hits: tuple[str, ...], officer: str, why: str) -> None:
    """Say of HITS (as `show` names them, 12 characters are enough) that somebody or something else is meant.

    It holds for this version of the product, for all partners, and the gate judges it anew. Of a hit that
    would be held the quorum decides: each officer approves first.
    """
    with Node.open(home) as node:
        known = {hit.id for hit in acts.show(node, product, partner).hits}
        whole = [next((name for name in known if name.startswith(each)), each) for each in hits]
        count = acts.clear(node, product, partner, whole, officer=officer, why=why)
    click.echo(f"{count} cleared: the gate judges {product} anew.")


@referral.command()
@click.argument("decision", type=int)
@_officer
@click.pass_obj
def undo(home: Path, decision: int, officer: str) -> None:
    """Take a decision back that does not count yet."""
    with Node.open(home) as node:
        acts.undo(node, decision, officer=officer)
    click.echo(f"Decision {decision} is undone: it waits for an officer again.")


@referral.command()
@_product
@_partner
@click.option("--why", default="", help="Why, in one line; the originator reads it.")
@click.pass_obj
def ask(home: Path, product: str, partner: Party, why: str) -> None:
    """Ask the originator of PRODUCT, who gave it to us, whether PARTNER may have it."""
    with Node.open(home) as node:
        made = consent.request(node, product, partner, why=why)
    click.echo(f"{made.id}: {made.party} is asked whether {partner} may have {product}.")
