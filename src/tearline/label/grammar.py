"""Reading banner lines and portion marks, strictly: what is not read whole is not read at all.

The grammar is the CAPCO Register and Manual's. Categories stand in a fixed order, divided by `//`::

    classification // NATO controls // SCI // SAR // atomic energy // FGI // dissemination // other

Within a category marks are divided by `/`, the lists of REL TO and DISPLAY ONLY by `, `, those of EYES ONLY
by `/`, other lists by a space; an SCI or SAR compartment follows `-`, a sub-compartment a space. A mark
that is not the United States' own begins with `//`. Nothing is folded, trimmed or corrected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from tearline.label.marks import (
    FGI,
    LISTS,
    NOFORN,
    VOCABULARY,
    Mark,
    atomic_order,
    country_order,
    dissem_order,
    other_order,
    owner_order,
    path_order,
)
from tearline.label.tables import COALITIONS, COUNTRIES
from tearline.terms import Level


class Unreadable(Exception):
    """`mark`, as it stands in the text, is what could not be read."""

    def __init__(self, mark: str, reason: str) -> None:
        self.mark, self.reason = mark, reason
        super().__init__(f"{mark}: {reason}")


_Rows = Mapping[str, tuple[str, str, str, str]]
_Read = dict[str, Any]

_RANKS = [{row[form]: Level(rank) for rank, row in enumerate(VOCABULARY.classification)} for form in (1, 0)]
_NATO = [{row[form]: (_RANKS[1][row[2]], row[3]) for row in VOCABULARY.nato} for form in (1, 0)]
_EYES = re.compile(r"USA(?:/[A-Z]{2,4})+ EYES ONLY")
_SIGMA = re.compile(r"(RD|FRD)(-CNWDI|-N)?(?:-(SIGMA|SG)((?: [1-9][0-9]?)+))?")
_PROGRAMME, _COMPARTMENT = "[A-Z0-9]{2,16}", "[A-Z0-9]{1,16}"
_ACCM = re.compile(r"ACCM-[A-Z0-9_-]{1,61}")
_SAR_HEAD = re.compile(r"SAR-|SPECIAL ACCESS REQUIRED-")
_FGI_HEAD = re.compile(r"(?:FGI|FOREIGN GOVERNMENT INFORMATION)(?: |$)")
_SCI_HEAD = re.compile(rf"(?:{'|'.join(VOCABULARY.sci)})(?:-|$)")
_AEA_HEAD = re.compile(r"F?RD(?:-|$)|(?:FORMERLY )?RESTRICTED DATA(?:-|$)")


def read(text: str, *, portion: bool, at: date) -> Mark:
    """The mark that `text` is, in banner or in portion form; a portion mark without its parentheses.

    `at` is the product's date: a code that was withdrawn by then is not read. Raises `Unreadable`.
    """
    own, *blocks = text.split("//")
    fields: _Read = {}
    if own:
        fields["rank"] = _RANKS[portion].get(own, Level.RESTRICTED)
        if fields["rank"] is Level.RESTRICTED:
            raise Unreadable(own, "is not a US classification")
    else:
        fields |= _foreign(blocks.pop(0) if blocks else "", portion, at)
    last = -1
    for block in blocks:
        items = _EYES.sub(lambda eyes: eyes[0].replace("/", " "), block).split("/")
        kind = _kind(items[0], portion)
        if kind <= last:
            raise Unreadable(block, "is out of order: its category comes earlier, or stands twice")
        for item in items[1:]:
            if _kind(item, portion, within=kind) != kind:
                raise Unreadable(item, "is of another category: // divides categories, / the marks in one")
        fields |= _READERS[kind](items, portion, at)
        last = kind
    mark = Mark(**fields)
    for conflict in _conflicts(mark):
        raise Unreadable(text, conflict)
    return mark


def _foreign(block: str, portion: bool, at: date) -> _Read:
    """The classification of a mark that is not the United States' own."""
    if block in _NATO[portion]:
        nato_rank, control = _NATO[portion][block]
        return {"owners": ("NATO",), "rank": nato_rank, "nato": (control,) if control else ()}
    joint = block.startswith("JOINT ")
    words = block.removeprefix("JOINT ").split(" ")
    # JOINT names its owners behind the classification, everyone else before it.
    cut = (2 if words[0] == "TOP" else 1) if joint else -2 if words[-2:] == ["TOP", "SECRET"] else -1
    form, codes = (words[:cut], words[cut:]) if joint else (words[cut:], words[:cut])
    rank = _RANKS[portion].get(" ".join(form))
    if rank is None or not codes:
        raise Unreadable(block, "is not a classification")
    if joint == (len(codes) == 1):
        raise Unreadable(block, "names one owner only" if joint else "names several owners without JOINT")
    if codes[0] in ("USA", "NATO") and not joint:
        raise Unreadable(block, f"is not the form of a {codes[0]} classification")
    owners = (FGI,) if codes == [FGI] else _codes(codes, owner_order, "among the owners", at)
    return {"owners": owners, "rank": rank}


def _kind(item: str, portion: bool, within: int = -1) -> int:
    """Of which category `item` is, as an index of `_READERS`; `within`: that of the marks before it."""
    found = (
        item in VOCABULARY.nato_controls,
        _SCI_HEAD.match(item),
        _SAR_HEAD.match(item),
        _AEA_HEAD.match(item) or _named(item, VOCABULARY.atomic, portion),
        _FGI_HEAD.match(item),
        _named(item, VOCABULARY.dissemination, portion) or _listed(item),
        _named(item, VOCABULARY.other, portion) or _ACCM.fullmatch(item),
        # SAR- stands once, before the first of its programmes.
        within == _SAR,
    )
    kind = next((kind for kind, hit in enumerate(found) if hit), None)
    if kind is None:
        raise Unreadable(item, "is not a known mark")
    return within if kind == len(_READERS) else kind


def _named(item: str, rows: _Rows, portion: bool) -> str | None:
    """The name of `item` in a vocabulary, if it stands there in this form and carries no list."""
    for name, (short, banner, title, _) in rows.items():
        if item in ((short,) if portion else (banner, title)) and name not in LISTS:
            return name
    return None


def _listed(item: str) -> tuple[str, list[str]] | None:
    """The name and the countries of REL TO, EYES ONLY or DISPLAY ONLY."""
    for name in LISTS:
        for head in VOCABULARY.dissemination[name][:3]:
            if name == "EYES" and item.endswith(f" {head}"):
                return name, item.removesuffix(f" {head}").split(" ")
            if name != "EYES" and item.startswith(f"{head} "):
                return name, item.removeprefix(f"{head} ").split(", ")
    return None


def _known(code: str, at: date) -> str:
    if code in COUNTRIES:
        return code
    if code not in COALITIONS:
        raise Unreadable(code, "is not a country or coalition code")
    if at >= COALITIONS[code].until:
        raise Unreadable(code, f"was withdrawn on {COALITIONS[code].until}")
    return code


def _ordered(found: Iterable[tuple[str, str]], key: Callable[[str], Any], place: str) -> tuple[str, ...]:
    """The names of (name, as written) pairs, once it is seen that none is double or out of order."""
    pairs = list(found)
    names = tuple(name for name, _ in pairs)
    for (name, written), due in zip(pairs, sorted(names, key=key), strict=True):
        if names.count(name) > 1:
            raise Unreadable(written, f"stands more than once {place}")
        if name != due:
            raise Unreadable(written, f"is out of order {place}")
    return names


def _codes(codes: Iterable[str], key: Callable[[str], Any], place: str, at: date) -> tuple[str, ...]:
    """A list of countries and coalitions."""
    return _ordered([(_known(code, at), code) for code in codes], key, place)


def _nato(items: list[str], portion: bool, at: date) -> _Read:
    return {"nato": _ordered(zip(items, items, strict=True), str, "among the NATO controls")}


def _sci(items: list[str], portion: bool, at: date) -> _Read:
    pairs = [pair for item in items for pair in _paths(item, *VOCABULARY.sci[item.split("-")[0]])]
    return {"sci": _ordered(pairs, path_order, "among the SCI controls")}


def _sar(items: list[str], portion: bool, at: date) -> _Read:
    programmes = [_SAR_HEAD.sub("", item, count=1) for item in items]
    for programme in programmes:
        if not re.fullmatch(_PROGRAMME, programme.split("-")[0]):
            raise Unreadable(programme, "is not the code of a special access programme")
    pairs = [pair for item in programmes for pair in _paths(item, _COMPARTMENT, _COMPARTMENT)]
    return {"sar": _ordered(pairs, path_order, "among the special access programmes")}


def _paths(item: str, compartment: str, sub: str) -> list[tuple[str, str]]:
    """`SI-ABC-G ABCD EFGH` as `SI`, `SI-ABC`, `SI-G`, `SI-G-ABCD`, `SI-G-EFGH`, each with `item`."""
    system, *parts = item.split("-")
    paths = [system]
    for part in parts:
        name, *subs = part.split(" ")
        if not re.fullmatch(compartment, name) or not all(re.fullmatch(sub, each) for each in subs):
            raise Unreadable(item, "is not the form of its compartments")
        paths += [f"{system}-{name}", *(f"{system}-{name}-{each}" for each in subs)]
    return [(path, item) for path in paths]


def _aea(items: list[str], portion: bool, at: date) -> _Read:
    pairs: list[tuple[str, str]] = []
    for item in items:
        if plain := _named(item, VOCABULARY.atomic, portion):
            pairs.append((plain, item))
            continue
        short = item.replace("RESTRICTED DATA", "RD", 1).replace("FORMERLY RD", "FRD", 1)
        found = _SIGMA.fullmatch(short)
        if not found or (found[1] == "FRD" and found[2]) or found[3] == ("SIGMA" if portion else "SG"):
            raise Unreadable(item, "is not a known atomic energy mark")
        names = [found[1], *(["RD-CNWDI"] if found[2] else [])]
        names += [f"{found[1]}-SG-{number}" for number in (found[4] or "").split()]
        pairs += [(name, item) for name in names]
    return {"aea": _ordered(pairs, atomic_order, "among the atomic energy marks")}


def _fgi(items: list[str], portion: bool, at: date) -> _Read:
    if len(items) > 1:
        raise Unreadable(items[1], "is out of place: FGI lists its countries with spaces")
    _, *codes = items[0].removeprefix("FOREIGN GOVERNMENT INFORMATION").removeprefix(FGI).split(" ")
    if "USA" in codes:
        raise Unreadable("USA", "is not a foreign government")
    return {"fgi": _codes(codes, owner_order, "in the FGI list", at) or (FGI,)}


def _dissem(items: list[str], portion: bool, at: date) -> _Read:
    fields: _Read = {}
    pairs = []
    for item in items:
        if found := _listed(item):
            name, codes = found
            fields[LISTS[name]] = _codes(codes, country_order, "in the list of countries", at)
        else:
            name = _named(item, VOCABULARY.dissemination, portion) or ""
        pairs.append((name, item))
    return fields | {"dissem": _ordered(pairs, dissem_order, "among the dissemination controls")}


def _other(items: list[str], portion: bool, at: date) -> _Read:
    pairs = [(_named(item, VOCABULARY.other, portion) or item, item) for item in items]
    return {"other": _ordered(pairs, other_order, "among other departments' marks")}


_READERS = (_nato, _sci, _sar, _aea, _fgi, _dissem, _other)
_SAR = _READERS.index(_sar)

_EXCLUSIVE = (
    # ISM-ID-00169; and the Manual's entries for NOFORN, REL TO and EYES ONLY.
    ("NF", "RELIDO", "DISPLAYONLY"),
    ("NF", "REL", "EYES"),
)
_USA_ALONE = frozenset({"NF", "RELIDO", "EYES"})


def _conflicts(mark: Mark) -> Iterator[str]:
    """What contradicts itself in `mark`, though each part is well written."""
    meant = {*mark.dissem, *(["NF"] if NOFORN.keys() & {*mark.other} else [])}
    for group in _EXCLUSIVE:
        if len(both := [name for name in group if name in meant]) > 1:
            yield f"{both[0]} and {both[1]} contradict each other"
    if mark.owners != ("USA",):
        yield from (f"{name} is only for what the United States alone own" for name in _USA_ALONE & meant)
        if mark.fgi:
            yield "FGI is only for foreign parts of what the United States classify"
    if mark.nato and mark.owners != ("NATO",):
        yield f"{mark.nato[0]} is only for information of NATO"
    if "USA" in mark.owners and mark.release and (mark.release[0] != "USA" or len(mark.release) == 1):
        yield "a list of the United States names them first, and others after them"
    # DCNI and UCNI alone may be unclassified: ISM-ID-00174, ISM-ID-00181.
    controls = [*mark.sci, *mark.sar, *(name for name in mark.aea if name not in ("DCNI", "UCNI"))]
    if mark.rank is Level.UNCLASSIFIED and controls:
        yield f"{controls[0]} is never unclassified"
