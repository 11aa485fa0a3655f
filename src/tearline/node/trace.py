"""Whose copy was it? Leaked texts against all that was released, and the marks in them.

1. Each leak is looked up in the index of released texts, and aligned with the forms that it comes from.
2. Of each form it is known who was given a copy; and so who held all that leaked.
3. What the leak says where copies differ is read, without any key; then the letters of the copies are made
   again (`node.places`), and judged (`trace.verdict`). Marks in pictures and recordings are tried beside it.
4. Each copy is shown with the statement and the receipt that commit its recipient to it.

Who asked, and the digests of question and answer, are on the ledger before the answer is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import file_digest, sha256
from pathlib import Path
from types import MappingProxyType

import msgspec
from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import store
from tearline.adapters.traces import Traces
from tearline.ledger import Act
from tearline.node import canaries, media_trace, officers
from tearline.node.copies import Shown, shown
from tearline.node.media_trace import Tried, trace_media
from tearline.node.opened import Node
from tearline.node.places import Place, Places, Reading, read_form
from tearline.terms import BadInput, Broken, Party, Refused
from tearline.trace import likeness, terms, verdict
from tearline.trace.leak import Leak
from tearline.trace.terms import Held, Match, Verdict
from tearline.vault import Canary

ENOUGH_OF_IT = 0.9
"""Who was given so much of what leaked held it: a word or two may be alike by chance."""
_BATCH = 500
_NOTHING: Mapping[Party, float] = MappingProxyType({})

Tell = Callable[[int, int], None]
"""Told how much is done, of how much."""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a leak that comes from a product of which copies were given."""

    leak: int
    """Which leak, from 0."""
    form: str
    product: str
    version: str
    title: str
    chance: float
    """How many unrelated texts may be expected to be as like."""
    portions: tuple[tuple[int, float], ...]
    """Of each paragraph of the form (from 0) that leaked, how much of it."""
    matches: tuple[Match, ...]
    """Empty where only facts are alike, as in a translation."""
    held: dict[Party, float]
    """How much of it each partner was given."""


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """A leaked picture or recording, and what was tried against it."""

    name: str
    digest: str
    tried: tuple[Tried, ...]

    @property
    def held(self) -> dict[Party, float]:
        """Who was given how much of what it is like."""
        like = [each for each in self.tried if each.suspects]
        return like[0].held if like else {}


def _heard(media: Iterable[Media], threshold: float) -> tuple[tuple[str, media_trace.Suspect], ...]:
    return tuple(
        (one.name, suspect)
        for one in media
        for each in one.tried
        for suspect in each.suspects
        if suspect.chance <= threshold
    )


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found. `id`: SHA-256 of the digests of the leaks."""

    id: str
    leaks: tuple[Leak, ...]
    pieces: tuple[Piece, ...]
    forms: dict[str, store.Form]
    places: dict[str, Place]
    contradicted: int
    """Places at which two leaks, or two forms, say different things: none of them counts."""
    media: tuple[Media, ...]
    verdict: Verdict
    named: tuple[Party, ...]
    """Who is accused: by the marks in texts, and by those in pictures and recordings."""
    copies: tuple[Shown, ...]
    canaries_read: bool
    """False where the vault was shut, so that no canary could be looked for."""

    def summary(self) -> dict[str, object]:
        """What can be printed and compared, without texts; the same for the same leaks and releases."""
        told = msgspec.to_builtins(msgspec.structs.replace(self, media=self.undrawn()))
        leaks = [{"name": leak.name, "digest": leak.digest} for leak in self.leaks]
        return {**told, "leaks": leaks, "forms": sorted(self.forms)}

    @property
    def heard(self) -> tuple[tuple[str, media_trace.Suspect], ...]:
        """The marks in pictures and recordings that accuse somebody, with the names of the files."""
        return _heard(self.media, self.verdict.threshold)

    @property
    def says(self) -> str:
        """The answer in a sentence or more."""
        told = [
            f"{each.partner}: its mark is in {name}; chance that an innocent's is: {terms.told(each.chance)}."
            for name, each in self.heard
        ]
        # Without texts, what they do not say is of no interest.
        return " ".join([*told, *([self.verdict.says] if self.pieces or not told else [])])

    def undrawn(self) -> tuple[Media, ...]:
        """What was tried, without pictures."""
        replace = msgspec.structs.replace
        return tuple(
            replace(one, tried=tuple(replace(each, drawing=None, copies={}) for each in one.tried))
            for one in self.media
        )


def trace(
    node: Node,
    leaks: Sequence[Leak],
    media: Sequence[Path] = (),
    *,
    officer: str,
    prior: Mapping[Party, float] = _NOTHING,
    alpha: float = verdict.ALPHA,
    draw: bool = False,
    tell: Tell = lambda *_: None,
) -> Case:
    """All that can be said about these leaks, taken together for one recipient's work.

    `draw`: pictures and recordings too, beside what they come from. It is on the ledger when this returns.
    Raises `Refused` where `officer` is none, `BadInput` for a chance that is none or a prior on a stranger.
    """
    with node.reading() as db:
        officers.must_be_officer(db, officer)
    if strangers := prior.keys() - node.partners.keys():
        raise BadInput("the prior", min(strangers), "this is not a partner of this node")
    case = _investigate(node, leaks, media, prior, alpha, draw, tell)
    found = (case.id, case.pieces, case.places, case.undrawn(), case.verdict, case.named)
    answer = msgspec.json.encode(found, order="deterministic")
    with node.writing() as db:
        told = {"case": case.id, "leaks": len(leaks) + len(media), "answer": sha256(answer).hexdigest()}
        node.record(Act.TRACED, told | {"officer": officer})
    return case


def catch_up(node: Node, tell: Tell = lambda *_: None) -> Traces:
    """The index of released texts, with all that was released since the last time."""
    index = Traces(node.home.folder / "traces.db", version=likeness.VERSION)
    missing: list[str] = []
    with node.reading() as db:
        before = 1 << 62
        while rows := store.forms_before(db, before, _BATCH):
            before = rows[-1][0]
            known = index.known([name for _, name, _ in rows])
            missing += [name for _, name, _ in rows if name not in known]
            if known:  # forms are added in their order: all older ones are there
                break
        missing.reverse()
        for start in range(0, len(missing), _BATCH):
            names = missing[start : start + _BATCH]
            forms = store.forms_named(db, names)
            index.add((name, likeness.features(forms[name].text).stored()) for name in names)
            tell(start + len(names), len(missing))
    return index


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Where the paragraphs of a form are: its portions, as far as they were released."""
    spans, at = [], 0
    for part in text.split("\n\n"):
        spans.append((at, at + len(part)))
        at += len(part) + 2
    return spans


def _investigate(
    node: Node,
    leaks: Sequence[Leak],
    media: Sequence[Path],
    prior: Mapping[Party, float],
    alpha: float,
    draw: bool,
    tell: Tell,
) -> Case:
    index = catch_up(node, tell)
    tried = tuple(_tried(node, path, draw, tell) for path in media)
    pieces: list[Piece] = []
    forms: dict[str, store.Form] = {}
    copies: dict[str, store.Delivered] = {}
    places = Places(node)
    with node.reading() as db:
        for number, leak in enumerate(leaks):
            body, _ = deliver.undressed(leak.text)
            for source in likeness.candidates(index, likeness.features(body)):
                some = _alike(db, source)
                its = store.copies_of(db, some)
                readings = {name: read_form(form, body) for name, form in some.items()}
                pieces.append(_piece(db, number, body, source, some, readings, its))
                forms |= some
                copies |= {each.copy.release_id: each for each in its}
                places.read(some, readings, its, body)
        found = _canaries(node, [piece.product for piece in pieces])
        for canary in found or ():
            places.read_canary(canary)
        places.read_unseen()
        evidence = tuple(shown(node, db, forms, copies.values()))
    held = _held(node, [*(piece.held for piece in pieces), *(one.held for one in tried if one.held)])
    judged = verdict.judge(
        places.seen(),
        places.copies(),
        held=held,
        prior=prior,
        alpha=alpha,
        other_tests=sum(each.tests for one in tried for each in one.tried[:1]),
    )
    digests = sorted([*(leak.digest for leak in leaks), *(each.digest for each in tried)])
    return Case(
        id=sha256("\n".join(digests).encode()).hexdigest(),
        leaks=tuple(leaks),
        pieces=tuple(pieces),
        forms=forms,
        places=places.agreed(),
        contradicted=len(places.contradicted),
        media=tried,
        verdict=judged,
        named=tuple(
            sorted({*judged.accused, *(each.partner for _, each in _heard(tried, judged.threshold))})
        ),
        copies=evidence,
        canaries_read=found is not None,
    )


def _alike(db: Connection, source: likeness.Source) -> dict[str, store.Form]:
    """The forms that a leak may come from: those found, and all in which the same product went."""
    found = store.forms_named(db, [source.best.form, *(each.form for each in source.alternatives)])
    product = store.numbered(db, [number := found[source.best.form].product])[number].product
    return {form.id: form for form in store.forms_of(db, product.id)} | found


def _tried(node: Node, path: Path, draw: bool, tell: Tell) -> Media:
    tried = trace_media(node, path, tell=tell, draw=draw)
    with path.open("rb") as file:
        return Media(name=path.name, digest=file_digest(file, "sha256").hexdigest(), tried=tuple(tried))


def _canaries(node: Node, products: Sequence[str]) -> list[Canary] | None:
    """The canaries of these products; `None` where the vault is shut."""
    with node.reading() as db:
        if store.vault_state(db) is None or not products:
            return []
    try:
        return canaries.canaries(node, sorted(set(products)))
    except (Refused, Broken):
        return None


def _held(node: Node, pieces: Sequence[Mapping[Party, float]]) -> dict[Party, Held]:
    """How much of what leaked each partner was given; `pieces`: who was given how much of each."""
    found = {}
    for party in sorted({*node.partners, *(party for piece in pieces for party in piece)}):
        shares = [piece.get(party, 0.0) for piece in pieces]
        if shares and min(shares) >= ENOUGH_OF_IT:
            found[party] = Held.ALL
        else:
            found[party] = Held.PART if any(party in piece for piece in pieces) else Held.NONE
    return found


def _piece(
    db: Connection,
    number: int,
    body: str,
    source: likeness.Source,
    forms: Mapping[str, store.Form],
    readings: Mapping[str, Reading],
    copies: Iterable[store.Delivered],
) -> Piece:
    best, reading = forms[source.best.form], readings[source.best.form]
    product = store.numbered(db, [best.product])[best.product].product
    spans = paragraphs(best.text)
    if reading.matches:
        shares = likeness.covered(best.text, spans, reading.matches)
    else:
        shares = likeness.echoed(best.text, spans, body)
    held: dict[Party, float] = {}
    for each in copies:
        share = _share(reading, readings[each.copy.form], best, forms[each.copy.form], body)
        held[each.copy.partner] = max(share, held.get(each.copy.partner, 0.0))
    return Piece(
        leak=number,
        form=source.best.form,
        product=product.id,
        version=product.version,
        title=product.title,
        chance=source.best.chance,
        portions=tuple((at, share) for at, share in enumerate(shares) if share > 0),
        matches=reading.matches,
        held=held,
    )


def _share(best: Reading, other: Reading, form: store.Form, others: store.Form, body: str) -> float:
    """How much of what leaked of the best form another form has too."""
    if form == others:
        return 1.0
    if best.matches:
        return min(_size(other.matches) / _size(best.matches), 1.0)
    whole, part = (sum(likeness.echoed(each.text, [(0, len(each.text))], body)) for each in (form, others))
    return min(part / whole, 1.0) if whole else 0.0


def _size(matches: Iterable[Match]) -> int:
    return sum(match.leak_size for match in matches)
