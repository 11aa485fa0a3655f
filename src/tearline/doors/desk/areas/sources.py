"""Protected sources, by cryptonym: what each is owed, what partners have learnt of it, and who it is.

An identity needs a second unlock: a confirmation of who asks, a few minutes old at most, the vault's own
passphrase, and a reason. It is on the ledger before it is shown; it is on no address, in no API, and its page
closes itself.
"""

from __future__ import annotations

from datetime import date

import msgspec

from tearline.doors.desk.endpoint import N_, Area, At, Nothing
from tearline.doors.desk.person import Role
from tearline.node import source_book
from tearline.node.officers import must_say_why
from tearline.node.sources import oblige_source, retire_source, show_source, unlocking
from tearline.terms import Party, Refused

HANDLERS = frozenset({Role.SOURCE_HANDLER})
LOOKERS = HANDLERS | {Role.OFFICER}
MOST = 100
"""Sources on one page."""
SECONDS_SHOWN = 60
area = Area("sources", title=N_("Sources"), path="/sources", order=40, key="s")


class SourcesAsked(msgspec.Struct, frozen=True):
    """`after`: those that come after this cryptonym in the alphabet."""

    after: str = ""


class VaultStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How the vault stands: `version` of its file by the ledger; `why` it does not answer."""

    made: bool
    open: bool
    version: int | None
    sources: int | None
    why: str


class SourceOwed(msgspec.Struct, frozen=True, kw_only=True):
    """What a source is owed. For source handlers alone."""

    forbidden: tuple[Party, ...]
    time: str
    place: str
    expires: date | None
    expired: bool
    ask: tuple[str, ...]
    descriptor: str
    rows: int
    """How many identity rows the vault has of it."""


class SourceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One source. `k`: the fewest persons that must stay possible; none while the vault is shut.

    `pooled`, `least`: how many are left by all that was told to anybody, and by what the partner was told who
    knows most; none where it is linked to no population.
    """

    cryptonym: str
    state: str
    k: int | None
    population: str
    persons: int | None
    pooled: int | None
    least: int | None
    below: bool
    """Whether fewer are left than it is owed."""
    near: bool
    """Whether fewer than twice as many are left."""
    products: int
    owed: SourceOwed | None


class SourceList(msgspec.Struct, frozen=True):
    """`after`: what to ask for to see the next; empty at the end."""

    vault: VaultStanding
    sources: tuple[SourceLine, ...]
    after: str


class OfSource(msgspec.Struct, frozen=True):
    cryptonym: str


class SourceLearnt(msgspec.Struct, frozen=True, kw_only=True):
    """What one partner was told of a source: how many facts, in releases it has, and who is left."""

    partner: Party
    facts: int
    left: int | None
    released: int


class SourcePage(msgspec.Struct, frozen=True, kw_only=True):
    source: SourceLine
    vault: VaultStanding
    learnt: tuple[SourceLearnt, ...]


class IdentityForm(msgspec.Struct, frozen=True):
    """Whether who asks has confirmed who they are, so that the vault's passphrase may be typed.

    `owed`: as the vault has it now, while it is open; `times`, `places`: what can be asked, the finest first.
    """

    cryptonym: str
    confirmed: bool
    k: int | None
    owed: SourceOwed | None
    times: tuple[str, ...]
    places: tuple[str, ...]


class IdentityAsked(msgspec.Struct, frozen=True):
    """Why, and the passphrase of the vault."""

    cryptonym: str
    why: str
    passphrase: str


class IdentityRow(msgspec.Struct, frozen=True):
    kind: str
    text: str
    language: str

    def __repr__(self) -> str:
        return f"IdentityRow({self.kind})"


class Identity(msgspec.Struct, frozen=True):
    """Who a source is. Shown once."""

    cryptonym: str
    state: str
    rows: tuple[IdentityRow, ...]
    seconds: int
    """After which its page closes."""


@area.shows("/sources", "sources/list.html", roles=LOOKERS)
def sources(at: At, asked: SourcesAsked) -> SourceList:
    """The sources by cryptonym. Officers see what partners have learnt; handlers what each is owed too."""
    owed = source_book.standings(at.node)
    names = sorted(source_book.names(at.node) | (owed or {}).keys())
    rest = [name for name in names if name > asked.after]
    some = rest[:MOST]
    return SourceList(_vault(at), _lines(at, some), some[-1] if len(rest) > MOST else "")


@area.shows("/sources/{cryptonym}", "sources/source.html", roles=LOOKERS)
def source(at: At, asked: OfSource) -> SourcePage:
    """One source, and what each partner has learnt of it."""
    _must_be_known(at, asked.cryptonym)
    found = source_book.learnt(at.node, [asked.cryptonym]).get(asked.cryptonym)
    touched = source_book.touched(at.node, asked.cryptonym)
    told = found.partners if found else {}
    return SourcePage(
        source=_lines(at, [asked.cryptonym])[0],
        vault=_vault(at),
        learnt=tuple(
            SourceLearnt(
                partner=party,
                facts=told[party][0] if party in told else 0,
                left=told[party][1] if party in told else found.persons if found else None,
                released=touched.released.get(party, 0),
            )
            for party in sorted({*told, *touched.released})
        ),
    )


def _vault(at: At) -> VaultStanding:
    found = source_book.vault(at.node)
    return VaultStanding(
        made=found.made, open=found.open, version=found.version, sources=found.sources, why=found.why
    )


def _lines(at: At, names: list[str]) -> tuple[SourceLine, ...]:
    owed, learnt = source_book.standings(at.node) or {}, source_book.learnt(at.node, names)
    products = source_book.products(at.node)
    return tuple(_line(at, name, owed.get(name), learnt.get(name), products.get(name, 0)) for name in names)


def _line(
    at: At,
    name: str,
    standing: source_book.Standing | None,
    found: source_book.Learnt | None,
    products: int,
) -> SourceLine:
    k = standing.obligations.k if standing else None
    pooled = found.pooled if found else None
    return SourceLine(
        cryptonym=name,
        state=standing.state if standing else "unknown",
        k=k,
        population=found.population if found else "",
        persons=found.persons if found else None,
        pooled=pooled,
        least=min((left for _, left in found.partners.values()), default=found.persons) if found else None,
        below=k is not None and pooled is not None and pooled < k,
        near=k is not None and pooled is not None and k <= pooled < 2 * k,
        products=products,
        owed=_owed(at, standing) if standing and at.person.may(HANDLERS) else None,
    )


def _owed(at: At, standing: source_book.Standing) -> SourceOwed:
    owed = standing.obligations
    return SourceOwed(
        forbidden=tuple(sorted(owed.forbidden)),
        time=owed.time,
        place=owed.place,
        expires=owed.expires,
        expired=owed.expires is not None and owed.expires < at.node.clock().date(),
        ask=owed.ask,
        descriptor=owed.descriptor,
        rows=standing.rows,
    )


def _must_be_known(at: At, name: str) -> None:
    """It is not said back: a name may stand there."""
    if name not in source_book.names(at.node) | (source_book.standings(at.node) or {}).keys():
        raise Refused("no source has this cryptonym")


# --- Behind the second unlock -----------------------------------------------------------------------


@area.shows("/sources/{cryptonym}/identity", "sources/unlock.html", roles=HANDLERS)
def identity_form(at: At, asked: OfSource) -> IdentityForm:
    """What it takes to see who a source is."""
    _must_be_known(at, asked.cryptonym)
    standing = (source_book.standings(at.node) or {}).get(asked.cryptonym)
    return IdentityForm(
        asked.cryptonym,
        at.keeper.is_fresh(at.person),
        standing.obligations.k if standing else None,
        _owed(at, standing) if standing else None,
        source_book.TIMES,
        source_book.PLACES,
    )


@area.does("/sources/{cryptonym}/identity", roles=HANDLERS, template="sources/identity.html", api=False)
def identity(at: At, asked: IdentityAsked) -> Identity:
    """Show who a source is. That it was shown, to whom and why, is on the ledger first."""
    _must_be_fresh(at)
    must_say_why(asked.why)
    found = show_source(
        at.node, unlocking(asked.passphrase), asked.cryptonym, at.person.name, asked.why.strip()
    )
    rows = tuple(IdentityRow(row.kind, row.text, row.lang) for row in found.rows)
    return Identity(found.cryptonym, found.state, rows, SECONDS_SHOWN)


class RetireAsked(msgspec.Struct, frozen=True):
    """The passphrase of the vault."""

    cryptonym: str
    passphrase: str


@area.does(
    "/sources/{cryptonym}/retire",
    roles=HANDLERS,
    then="/sources/{cryptonym}",
    says=N_("{cryptonym} is retired; its identity stays protected."),
    api=False,
)
def retire(at: At, asked: RetireAsked) -> Nothing:
    """Mark a source as no longer reporting. Its identity stays protected, and scanned for, for ever."""
    _must_be_fresh(at)
    retire_source(at.node, unlocking(asked.passphrase), asked.cryptonym, at.person.name)
    return Nothing()


class ObligeAsked(msgspec.Struct, frozen=True, kw_only=True):
    """All that a source is to be owed from now on, and the passphrase of the vault."""

    cryptonym: str
    passphrase: str
    k: int
    time: str
    place: str
    descriptor: str
    forbidden: str = ""
    """Codes of partners, with spaces between."""
    ask: str = ""
    """Who must be asked, with commas between."""
    expires: date | None = None


@area.does(
    "/sources/{cryptonym}/oblige",
    roles=HANDLERS,
    then="/sources/{cryptonym}",
    says=N_("{cryptonym} is owed what you said."),
    api=False,
)
def oblige(at: At, asked: ObligeAsked) -> Nothing:
    """Change what a source is owed."""
    _must_be_fresh(at)
    changes = {
        "k": asked.k,
        "time": asked.time,
        "place": asked.place,
        "descriptor": asked.descriptor.strip(),
        "forbidden": asked.forbidden.split(),
        "ask": [name.strip() for name in asked.ask.split(",") if name.strip()],
        "expires": asked.expires,
    }
    oblige_source(at.node, unlocking(asked.passphrase), asked.cryptonym, changes, at.person.name)
    return Nothing()


def _must_be_fresh(at: At) -> None:
    if not at.keeper.is_fresh(at.person):
        raise Refused("confirm first who you are, at /account/confirm: that holds for five minutes")
