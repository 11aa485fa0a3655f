"""Whose copy is a leaked picture or recording? Every marked copy that this node gave, tried against it.

The copies of one form of one product are tried together: the leak is laid over the form without a mark, in
the sandbox, and each recipient's mark is looked for in what is left. The marks are made anew from the node's
secret. How often an innocent would score as high is bounded for each; `Tried.tests` is by how much that is to
be multiplied, since all of them were tried.

A leak that tells its place is tried against what shows that place first; where it is like something there,
what lies elsewhere is left out. It may lie about its place: so, where it is not, all else is tried too. The
tests are counted as if all had been.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from tearline.adapters import sandbox, store
from tearline.media import Detect, Drawing, Inspect, Made, Preview
from tearline.node.forms import Done, Holder, Variant, seed_of
from tearline.node.opened import Node
from tearline.terms import BadInput, Box, Imagery, Party, SignalForm

FALSE_ALARM = 1e-6
"""Of a whole case: how often it may happen that an innocent is named."""

PIXELS = 448
"""At the longer side, of what is drawn: four of them, of noise in colours, are less than an answer may be."""
DRAWN = 2
"""So many forms that a leak is like are drawn beside it, and copies of as many recipients."""

Tell = Callable[[int, int], None]
"""Told how much is done, of how much."""


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A recipient of a marked copy."""

    partner: Party
    sha256: str
    """Of the copy: what the release's statement, and its receipt, commit the partner to."""
    releases: tuple[str, ...]
    """The ids of the releases that brought it; empty where it was made and never went."""
    score: float
    chance: float
    """At most so often an innocent's score is that high, in one test."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """The copies of one form of one product."""

    product: str
    form: str
    original: str
    """SHA-256 of the form without a mark."""
    how: str
    """How the leak was laid over it, or that it could not be."""
    likeness: float
    suspects: tuple[Suspect, ...]
    """The highest score first; empty where the leak shows something else."""
    held: dict[Party, float]
    """Who was given the product: 1 where with all that this form shows, less where in another form."""
    tests: int
    """How many recipients were tried in the whole case."""
    drawing: Drawing | None = None
    """The leak beside the form, where it was asked for."""
    copies: dict[Party, bytes] = {}
    """The part that leaked, as it is in the copies of those that are named, or of the likeliest: PNG."""

    @property
    def named(self) -> tuple[Suspect, ...]:
        """Those whose score an innocent has at most once in a million cases. Often nobody."""
        return tuple(each for each in self.suspects if each.chance * self.tests <= FALSE_ALARM)


class _Copies(NamedTuple):
    variant: Variant
    """Without a holder."""
    product: str
    copies: dict[Party, Made]


def trace_media(
    node: Node,
    path: Path,
    products: Collection[str] | None = None,
    tell: Tell = lambda *_: None,
    *,
    draw: bool = False,
) -> list[Tried]:
    """Try the leaked file at `path` against all marked copies, or those of `products` (ids).

    The first is the one that names somebody, or is most like it; with `draw`, the first are drawn beside it.
    A few seconds for each form of each product. Raises `BadInput` for a file that cannot be read.
    """
    signals = _is_archive(path)
    groups = [
        group
        for group in _groups(node)
        if isinstance(group.variant.form, SignalForm) is signals
        and (products is None or group.product in products)
    ]
    tests = sum(len(group.copies) for group in groups)
    releases = _releases(node)
    tried: list[Tried] = []
    there, elsewhere = _by_place(path, groups)
    for done, group in enumerate([*there, *elsewhere]):
        if done == len(there) and any(each.suspects for each in tried):
            break
        tell(done, len(groups))
        if (found := _tried(node, path, group, tests, releases, draw)) is not None:
            tried.append(found)
    tell(len(groups), len(groups))
    tried.sort(key=lambda each: (-len(each.named), -each.likeness))
    shown = [_with_copies(node, each) for each in tried[:DRAWN]]
    return [*shown, *(replace(each, drawing=None) for each in tried[DRAWN:])]


def _by_place(path: Path, groups: Sequence[_Copies]) -> tuple[Sequence[_Copies], Sequence[_Copies]]:
    """What shows the place that the leak tells, and the rest; where it tells none, all are rest."""
    box = None
    if any(_box(group) for group in groups):
        with suppress(BadInput):
            facts = sandbox.run(Inspect(source=str(path.resolve()))).facts
            box = facts.box if isinstance(facts, Imagery) else None
    if box is None:
        return (), groups
    there = [group for group in groups if (its := _box(group)) is not None and _meet(its, box)]
    return there, [group for group in groups if group not in there]


def _box(group: _Copies) -> Box | None:
    facts = next(iter(group.copies.values())).facts
    return facts.box if isinstance(facts, Imagery) else None


def _meet(one: Box, other: Box) -> bool:
    across = one.west <= other.east and other.west <= one.east
    return across and one.south <= other.north and other.south <= one.north


def _with_copies(node: Node, tried: Tried) -> Tried:
    """With the part that leaked, drawn from the copies that were given."""
    if tried.drawing is None:
        return tried
    copies = {}
    for each in (tried.named or tried.suspects[:1])[:DRAWN]:
        with node.blobs.scratch() as target:
            source = str(node.blobs.local(each.sha256).resolve())
            sandbox.run(Preview(source=source, target=str(target), pixels=PIXELS, part=tried.drawing.part))
            copies[each.partner] = target.read_bytes()
    return replace(tried, copies=copies)


def _is_archive(path: Path) -> bool:
    """Whether it is a tar (POSIX.1-2017, pax), as recordings are held; all else is taken for a picture."""
    try:
        with path.open("rb") as file:
            file.seek(257)
            return file.read(5) == b"ustar"
    except OSError as error:
        reason = f"cannot be read ({error.strerror or 'an error of the system'})"
        raise BadInput(str(path), "", reason, "name a picture or an archive") from None


def _groups(node: Node) -> list[_Copies]:
    """Marked copies by the samples that they are made of; the newest first."""
    groups: dict[tuple[str, str], _Copies] = {}
    with node.reading() as db:
        for wanted, done in store.variants_made(db):
            variant = msgspec.json.decode(wanted, type=Variant)
            made = msgspec.json.decode(done, type=Done).made
            if (holder := variant.marked_for) is None or made is None:
                continue
            plain = replace(variant, marked_for=None)
            # The marking in a file does not change its samples.
            key = holder.product, replace(plain, marking="").id
            group = groups.setdefault(key, _Copies(plain, holder.product, {}))
            group.copies[holder.partner] = made
    return list(reversed(groups.values()))


def _releases(node: Node) -> dict[tuple[Party, str], tuple[str, ...]]:
    """The releases that brought a file: by recipient and SHA-256."""
    found: dict[tuple[Party, str], tuple[str, ...]] = {}
    for partner in node.partners:
        for file in node.view(partner).released_files():
            key = partner, file.sha256
            found[key] = (*found.get(key, ()), file.release)
    return found


def _tried(
    node: Node,
    path: Path,
    group: _Copies,
    tests: int,
    releases: dict[tuple[Party, str], tuple[str, ...]],
    draw: bool,
) -> Tried | None:
    variant = group.variant
    with node.reading() as db:
        body = store.variant(db, variant.id)
        given = {
            party
            for each in store.versions_of(db, group.product)
            for party in store.parties_given(db, each.seq)
        }
    base = msgspec.json.decode(body, type=Done).made if body else None
    if base is None:
        return None
    partners = sorted(group.copies)
    all_of_it = {base.sha256, variant.source, *(made.sha256 for made in group.copies.values())}
    holders = [Holder(product=group.product, partner=partner) for partner in partners]
    said = sandbox.run(
        Detect(
            leaked=str(path.resolve()),
            original=str(node.blobs.local(base.sha256).resolve()),
            seeds=tuple(seed_of(node, holder) for holder in holders),
            pixels=PIXELS if draw else 0,
        )
    )
    suspects = [
        Suspect(
            partner=partner,
            sha256=group.copies[partner].sha256,
            releases=releases.get((partner, group.copies[partner].sha256), ()),
            score=score,
            chance=chance,
        )
        for partner, score, chance in zip(partners, said.scores, said.chances, strict=False)
    ]
    return Tried(
        product=group.product,
        form="" if variant.form is None else variant.form.name,
        original=base.sha256,
        how=said.how,
        likeness=said.likeness,
        suspects=tuple(sorted(suspects, key=lambda each: -each.score)),
        held={
            party: 1.0 if any((party, digest) in releases for digest in all_of_it) else 0.5
            for party in sorted(given)
        },
        tests=tests,
        drawing=said.drawing,
    )
