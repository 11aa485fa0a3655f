"""Taking in from a STAC API, or a static catalogue on the web, that an officer names.

Documents and files come from that one server alone. Each file is fetched whole, has the checksum that its
item states, and is then taken in as one that lies here; what a partner's server has for us stays the
partner's (third-party rule): it is not signed as a release, so it goes no further.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator

from tearline.adapters import store, tls
from tearline.adapters.web import Expected, Fetched, Site, Unchanged, at_one
from tearline.intake import Fault, stac
from tearline.node.opened import Node
from tearline.node.suspend import refused_givers
from tearline.node.take_in import AlreadyHeld, TakenIn
from tearline.node.take_in_file import MAX_DEPTH, About, product_id, store_and_hold
from tearline.terms import BadInput, Party, Refused

PAGE = 100
"""Items that are asked for at once."""
MOST_DOCUMENTS = 10_000

Tell = Callable[[str, int, int | None], None]
"""Told of a file: its address, how many bytes of it are here, of how many."""
_Items = Iterator[tuple[bytes, str] | Fault]


def site_of(node: Node, url: str, partner: Party | None, authority: str) -> Site:
    """The server at `url`, with which one can talk: a partner by its pinned certificate, else one for whom
    `authority` (PEM) vouches, or, if that is empty, whom this machine trusts.

    Raises `Refused` where the partner is none, or nothing is taken from it at the moment.
    """
    if partner is None:
        try:
            context = tls.authority_context(authority)
        except ssl.SSLError:
            raise BadInput("--ca", "", "is not a certificate in PEM") from None
    elif partner not in node.certificates or not node.certificates[partner]:
        raise Refused(f"{partner} is not a partner of this node whose certificate is known")
    elif partner in refused_givers(node):
        raise Refused(f"nothing is taken in from {partner} at the moment")
    else:
        context = tls.client_context(node.home.certificate, node.home.tls_key, node.certificates[partner])
    return Site(url, context, node.home.folder / "fetching")


def partner_at(node: Node, url: str) -> Party | None:
    """The partner whose node is at the same host and port, if there is one."""
    return next((party for party, partner in node.partners.items() if at_one(url, partner.url)), None)


def take_in_stac(
    node: Node, site: Site, url: str, asked: stac.Asked, limit: int, about: About, tell: Tell
) -> Iterator[TakenIn | AlreadyHeld | Fault]:
    """Take in what is at `url`: an item, a page of items, a collection or catalogue, or an API.

    `limit`: items in all. What is yielded as `TakenIn` is durable. Documents that cannot be had or read, and
    bad items, are faults; their good neighbours are taken in.
    """
    with site:
        count = 0
        for found in _Reading(site, asked, limit).at(url, 0):
            if isinstance(found, Fault):
                yield found
                continue
            if count == limit:
                yield Fault(
                    where=url,
                    place="",
                    reason=f"has more than {limit} items",
                    remedy="raise --limit",
                    severity="warning",
                )
                return
            count += 1
            yield from _item(node, site, *found, about, tell)


class _Reading:
    """Finds items from document to document; each is read once."""

    def __init__(self, site: Site, asked: stac.Asked, limit: int) -> None:
        self._site, self._asked, self._limit = site, asked, limit
        self._seen: set[str] = set()

    def at(self, url: str, depth: int) -> _Items:
        """The items at `url`, each with the address by which its links are meant."""
        try:
            body = self._document(url)
            read = stac.read(body, url)
            if isinstance(read, list):
                yield body, url
            elif isinstance(read, stac.Page):
                yield from self._pages(read, url)
            elif read.search or read.items:
                yield from self._ask(read, url)
            else:
                self._must_be_walked(url, depth)
                for href in read.below:
                    yield from self._below(url, href, depth)
        except BadInput as bad:
            yield Fault.of(bad)

    def _must_be_walked(self, url: str, depth: int) -> None:
        if self._asked:
            remedy = "leave out --collection, --bbox and --datetime"
            raise BadInput(url, "links", "is no API that can be asked for some of its items", remedy)
        if depth >= MAX_DEPTH:
            raise BadInput(url, "links", f"lies more than {MAX_DEPTH} catalogues deep")

    def _below(self, url: str, href: str, depth: int) -> _Items:
        try:
            there = self._site.here(url, href)
        except BadInput as bad:
            yield Fault.of(bad)
            return
        if there not in self._seen:
            yield from self.at(there, depth + 1)

    def _ask(self, catalogue: stac.Catalogue, url: str) -> _Items:
        # A collection has its own items; a search is over all of them.
        href = catalogue.items or catalogue.search or ""
        if catalogue.items and self._asked.collections:
            raise BadInput(url, "", "is one collection", "leave out --collection")
        there = self._site.here(url, href)
        # One more than is wanted shows whether there are more.
        there = stac.asking(there, self._asked, min(PAGE, self._limit + 1), within=bool(catalogue.items))
        page = stac.read(self._document(there), there)
        if not isinstance(page, stac.Page):
            raise BadInput(there, "", "is not a page of items")
        yield from self._pages(page, there)

    def _pages(self, page: stac.Page, url: str) -> _Items:
        while True:
            yield from ((item, url) for item in page.items)
            if page.next is None or not page.items:
                return
            url = self._site.here(url, page.next)
            following = stac.read(self._document(url), url)
            if not isinstance(following, stac.Page):
                raise BadInput(url, "", "is not a page of items")
            page = following

    def _document(self, url: str) -> bytes:
        if url in self._seen or len(self._seen) >= MOST_DOCUMENTS:
            raise BadInput(url, "", "leads on and on", "name a smaller part of it")
        self._seen.add(url)
        return self._site.document(url, stac.MAX_BYTES)


def _item(
    node: Node, site: Site, body: bytes, base: str, about: About, tell: Tell
) -> Iterator[TakenIn | AlreadyHeld | Fault]:
    try:
        files = stac.files(body, base)
    except BadInput as bad:
        yield Fault.of(bad)
        return
    for described in files:
        try:
            yield _file(node, site, described, base, about, tell)
        except BadInput as bad:
            yield Fault.of(bad)


def _file(
    node: Node, site: Site, described: stac.Described, base: str, about: About, tell: Tell
) -> TakenIn | AlreadyHeld | Fault:
    url = site.here(base, described.href)
    most = node.home.config.max_file_mb << 20
    checksums = [(each.name, each.digest) for each in described.checksums]
    if described.size is not None and described.size > most:
        raise BadInput(url, "", f"is longer than {most} bytes", "raise `max_file_mb`")
    if (before := site.known(url).sha256) and not _is_held(node, _id(node, about, before)):
        site.forget(url)
        before = ""
    if not before or ("sha256", bytes.fromhex(before)) not in checksums:
        expected = Expected(most=most, size=described.size, checksums=checksums)
        fetched = site.fetch(url, expected, lambda done, size: tell(url, done, size))
        if not isinstance(fetched, Unchanged):
            return _fetched(node, site, fetched, about, described, url)
    with node.reading() as db:
        waits = about.marking is not None and store.in_quarantine(db, _id(node, about, before))
    if waits:  # the marking may take it out
        return store_and_hold(node, node.blobs.local(before), about, described, url)
    return AlreadyHeld(_id(node, about, before))


def _fetched(
    node: Node, site: Site, fetched: Fetched, about: About, described: stac.Described, url: str
) -> TakenIn | AlreadyHeld | Fault:
    try:
        answer = store_and_hold(node, fetched.part, about, described, url)
    except BadInput:
        site.forget(url)
        raise
    site.settled(url, fetched)
    return answer


def _id(node: Node, about: About, sha256: str) -> str:
    return product_id(about.giver or node.party, sha256)


def _is_held(node: Node, name: str) -> bool:
    with node.reading() as db:
        return bool(store.versions_held(db, name))
