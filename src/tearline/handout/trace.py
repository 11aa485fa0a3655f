"""The evidence of a trace as one HTML page that runs nothing and fetches nothing, for officers."""

from __future__ import annotations

import shlex
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape
from importlib.resources import files as resources
from itertools import pairwise
from math import log10
from pathlib import Path

from tearline import deliver
from tearline.media import Drawing
from tearline.node.copies import Shown
from tearline.node.marks import slots_of
from tearline.node.media_trace import Tried
from tearline.node.places import Place
from tearline.node.trace import Case, Piece
from tearline.terms import Party
from tearline.trace.terms import Held, told

_Span = tuple[int, int, str]
"""Start, end, and the classes of what stands there."""
_SAYS = {True: "yes", False: "NO", None: "not at hand"}


def page(
    case: Case, *, party: Party, officer: str, at: datetime, files: Sequence[Path], prior: Path | None = None
) -> str:
    """The page. Whatever stands in a leak is shown as text, never as markup; `prior`: the file of it."""
    body = "\n".join(
        [
            f"<h1>Whose copy was it?</h1><p class=soft>Trace by {escape(party)}, asked by {escape(officer)} "
            f"on {at:%Y-%m-%d %H:%M:%S} UTC. Case <code>{case.id}</code>.</p>",
            *_answer(case),
            *_recipients(case),
            *_media(case),
            *_pieces(case),
            *_places(case),
            *_commitments(case.copies),
            *_again(case, party, officer, files, prior),
        ]
    )
    template = resources(__package__).joinpath("trace.html").read_text("utf-8")
    title = f"Trace {case.id[:12]}"
    return template.replace("{{title}}", title, 1).replace("{{body}}", body, 1)


def _answer(case: Case) -> Iterator[str]:
    found = case.verdict
    named = " named" if case.named else ""
    who = ", ".join(case.named) if case.named else "Nobody"
    yield f'<div class="answer{named}"><p><b>Accused: {escape(who)}.</b></p><p>{escape(case.says)}</p>'
    yield (
        f"<p class=soft>The chance that any innocent recipient is accused in this case is at most "
        f"{found.alpha:.0e}, over {found.tests} tests; a single test accuses at {found.threshold:.1e} or "
        f"less. It holds however the leak was made. {len(case.places)} places could be read"
        + (f"; {case.contradicted} say different things and do not count" if case.contradicted else "")
        + ("." if case.canaries_read else "; the vault was shut, so no canary was looked for.")
        + "</p></div>"
    )


def _recipients(case: Case) -> Iterator[str]:
    yield "<h2>Recipients</h2>"
    suspects = {each.partner: each for each in case.verdict.suspects}
    held = {party: how for how, parties in case.verdict.held.items() for party in parties}
    receipted = {each.partner for each in case.copies if each.receipt}
    rows = []
    for party in [*suspects, *sorted(held.keys() - suspects)]:
        found = suspects.get(party)
        cells = [party, _HELD[held.get(party, Held.NONE)], "yes" if party in receipted else "no"]
        if found is None:
            cells += [""] * 5 + ["accused" if party in case.named else ""]
        else:
            same = f" (as {', '.join(found.same)})" if found.same else ""
            cells += [f"{found.agree} of {found.slots}{same}", told(found.chance), f"{found.ratio:+.1f}"]
            cells += [f"{found.prior:.3f}", found.stands]
            cells.append("accused" if party in case.named else "")
        rows.append((cells, "named" if party in case.named else ""))
    heads = ("recipient", "held of it", "receipted", "marks agree", "chance, if innocent")
    yield _table((*heads, "likelihood ratio, log10", "before", "odds", ""), rows)
    yield (
        "<p class=soft>Held: by the ledger, who was given what leaked; nobody is accused for it. Chance, if "
        "innocent: how often at most the copy of somebody who did not leak fits as well. Before: how likely "
        "it was thought to have taken part; odds: that it did, of that and of the ratio. Nobody is accused "
        "for what was thought.</p>"
    )


_HELD = {Held.ALL: "all", Held.PART: "a part", Held.NONE: "nothing"}


def _media(case: Case) -> Iterator[str]:
    for one in case.media:
        yield f"<h2>{escape(one.name)}</h2><p>SHA-256 <code>{one.digest}</code></p>"
        like = [tried for tried in one.tried if tried.suspects]
        if not like:
            yield f"<p>It is like none of the {len(one.tried)} marked forms that it was held against.</p>"
        for tried in like:
            yield from _tried(tried, case.verdict.threshold)


def _tried(tried: Tried, threshold: float) -> Iterator[str]:
    yield "<div class=evidence>"
    yield f"<h3>{escape(tried.product)}, form {escape(tried.form or 'as it is')}</h3>"
    yield (
        f"<p class=soft>It was {escape(tried.how)}. The form without a mark: SHA-256 <code>{tried.original}"
        "</code>.</p>"
    )
    if tried.drawing is not None:
        yield from _beside(tried, tried.drawing)
    rows = []
    for each in tried.suspects:
        named = each.chance <= threshold
        cells = [each.partner, f"{each.score:.1f}", told(each.chance), _bar(each.chance, threshold)]
        rows.append(([*cells, "its mark" if named else "", each.sha256], "named" if named else ""))
    heads = ("recipient", "score", "chance, if innocent", "its powers of ten, and those needed")
    yield _table((*heads, "", "its copy, SHA-256"), rows)
    yield "</div>"


def _bar(chance: float, threshold: float) -> _Markup:
    """How many powers of ten a chance is below 1, up to three times what is needed to accuse."""
    most = 3 * -log10(threshold)
    share = min(abs(log10(chance)), most) / most if chance > 0 else 1.0
    return _Markup(f'<div class=bar><i style="width:{share:.1%}"></i><b style="left:33.3%"></b></div>')


def _beside(tried: Tried, drawn: Drawing) -> Iterator[str]:
    corners = " ".join(f"{x:.4f},{y:.4f}" for x, y in drawn.outline)
    mark = f'<svg viewBox="0 0 1 1" preserveAspectRatio="none"><polygon points="{corners}"/></svg>'
    yield "<div class=shown>"
    yield _figure("What leaked", drawn.leak)
    yield _figure("Released, before marks, and where the leak lies in it", drawn.original, mark)
    yield "</div><p class=soft>The part that both show, laid over one another:</p><div class=shown>"
    yield _figure("the leak", drawn.laid)
    yield _figure("the form", drawn.here)
    for party, png in tried.copies.items():
        yield _figure(f"the copy of {party}", png)
    yield (
        "</div><p class=soft>The marks are too weak to be seen: these show that it is the same picture or "
        "recording. Whose mark is in it is told by the scores below.</p>"
    )


def _figure(says: str, png: bytes, over: str = "") -> str:
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return (
        f'<figure><figcaption>{escape(says)}</figcaption><div class=picture><img alt="{escape(says)}" '
        f'src="{source}">{over}</div></figure>'
    )


def _pieces(case: Case) -> Iterator[str]:
    if not case.pieces:
        yield "<h2>What leaked</h2><p>No released text is like it.</p>"
        return
    yield (
        '<h2>What leaked</h2><p class="key soft"><span class=alike>alike in both</span>'
        '<span class="slot read">a place that could be read</span>'
        "<span class=slot>one that could not</span></p>"
    )
    for piece in case.pieces:
        leak = case.leaks[piece.leak]
        form = case.forms[piece.form]
        body, _ = deliver.undressed(leak.text)
        portions = ", ".join(f"{at + 1} ({share:.0%})" for at, share in piece.portions)
        like = "word for word" if piece.matches else "by figures, dates and names alone, as a translation is"
        yield f"<h3>{escape(piece.title)}</h3>"
        yield (
            f"<p class=soft>Product <code>{escape(piece.product)}</code> of {escape(piece.version)}, form "
            f"<code>{piece.form[:16]}</code>. Portions that leaked: {portions or 'none whole'}; alike "
            f"{like}. So many unrelated texts may be expected to be as like: {piece.chance:.1e}.</p>"
        )
        yield "<div class=sides><div><b>Released, before marks</b><div class=text>"
        yield _lit(form.text, [*_alike(piece, base=True), *_slots(case, piece)])
        yield f"</div></div><div><b>{escape(leak.name)}</b><div class=text>"
        yield _lit(body, _alike(piece, base=False))
        yield "</div></div></div>"


def _alike(piece: Piece, *, base: bool) -> list[_Span]:
    if base:
        return [(match.base, match.base + match.base_size, "alike") for match in piece.matches]
    return [(match.leak, match.leak + match.leak_size, "alike") for match in piece.matches]


def _slots(case: Case, piece: Piece) -> Iterator[_Span]:
    read = {name.partition(" ")[0] for name in case.places}
    for slot in slots_of(case.forms[piece.form].slots):
        yield slot.start, slot.end, "slot read" if slot.key in read else "slot"
    for place in case.places.values():
        if place.kind == "canary" and place.form == piece.form:
            yield place.start, place.end, "slot read"


def _places(case: Case) -> Iterator[str]:
    if not case.places:
        return
    yield "<h2>Where copies differ</h2><p class=soft>What the leak says there, and whose copies say so.</p>"
    parties = sorted({party for place in case.places.values() for party in place.letters})
    rows = []
    for name, place in sorted(case.places.items(), key=lambda item: (item[1].form, item[1].start)):
        cells = [
            name[:16],
            place.kind,
            " | ".join(place.options),
            place.options[place.read],
            f"{place.chance:.2f}",
        ]
        rows.append(([*cells, *(_agreement(place, party) for party in parties)], ""))
    yield _table(("place", "kind", "either", "the leak", "chance", *parties), rows)


def _agreement(place: Place, party: Party) -> str:
    if party not in place.letters:
        return ""
    return "same" if place.letters[party] == place.seen.bit else "other"


def _commitments(copies: Sequence[Shown]) -> Iterator[str]:
    if not copies:
        return
    yield (
        "<h2>What commits each recipient to its copy</h2><p>The marked text was made again from the form and "
        "the key, and compared with what was released. The digest of that object stands in a statement that "
        "this node signed and logged when it was given; the receipt, signed by the recipient, names the "
        "digest of that statement. A copy without receipt is proved by our own log alone.</p>"
    )
    rows = [
        (
            [
                each.partner,
                each.delivered or "not delivered",
                each.mode or "no marks",
                _SAYS[each.made_again],
                each.object or "",
                each.statement or "",
                f"{each.receipt[:16]}… {each.receipted}" if each.receipt else "none",
            ],
            "",
        )
        for each in copies
    ]
    heads = (
        "recipient",
        "delivered",
        "marked",
        "made again",
        "object, SHA-256",
        "statement, SHA-256",
        "receipt",
    )
    yield _table(heads, rows)


def _again(
    case: Case, party: Party, officer: str, files: Sequence[Path], prior: Path | None
) -> Iterator[str]:
    asked = [*map(str, files), "--officer", officer, "--alpha", f"{case.verdict.alpha:g}"]
    asked += ["--prior", str(prior)] if prior else []
    yield "<h2>How to check it</h2><ol>"
    for leak in case.leaks:
        yield f"<li><code>sha256sum</code> of {escape(leak.name)}: <code>{leak.digest}</code></li>"
    yield f"<li><code>tearline trace {escape(shlex.join(asked))} --json</code></li>"
    yield "<li><code>tearline ledger verify</code>: forms, modes and this trace stand on the ledger</li>"
    for partner in sorted({each.partner for each in case.copies}):
        command = f"tearline ledger verify --partner {escape(partner)}"
        yield f"<li><code>{command}</code>: both logs and receipts</li>"
    yield (
        "</ol><h2>What it does not say</h2><p>That a copy leaked, not who leaked it: it may have been "
        "stolen from the recipient, or from whoever it passed it on to, or from "
        f"{escape(party)} itself, which can make every copy. A shared text, a translation or a retelling may "
        "lose its marks; then there is no answer.</p>"
    )


def _lit(text: str, spans: Iterable[_Span]) -> str:
    """Text with classes on its spans, which may lie over one another."""
    its = [(max(start, 0), min(end, len(text)), name) for start, end, name in spans if start < end]
    edges = sorted({0, len(text), *(at for start, end, _ in its for at in (start, end))})
    parts = []
    for start, end in pairwise(edges):
        classes = " ".join(sorted({name for first, last, name in its if first <= start and end <= last}))
        shown = escape(text[start:end])
        parts.append(f'<span class="{classes}">{shown}</span>' if classes else shown)
    return "".join(parts)


class _Markup(str):
    """A cell that is markup of ours already."""

    __slots__ = ()


def _table(heads: Sequence[str], rows: Sequence[tuple[Sequence[str], str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" if each else "<td></td>" for each in heads)
    lines = [f"<div class=wide tabindex=0><table><tr>{head}</tr>"]
    for cells, name in rows:
        shown = "".join(_cell(cell) for cell in cells)
        lines.append(f'<tr class="{name}">{shown}</tr>')
    return "\n".join([*lines, "</table></div>"])


def _cell(text: str) -> str:
    if isinstance(text, _Markup):
        return f"<td>{text}</td>"
    if len(text) == 64 and " " not in text:
        return f"<td><code>{escape(text)}</code></td>"
    return f'<td class="{text}">{text}</td>' if text in {"same", "other"} else f"<td>{escape(text)}</td>"
