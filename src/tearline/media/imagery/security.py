"""The security fields of NITF and CAPCO banner lines: one into the other, exactly, or not at all.

The fields are those of MIL-STD-2500C, tables A-1 to A-8 (now JBP-2025.1, 5.10), the same sixteen in the file
header and in every subheader, of fixed width. What their codes mean here:

- system: `US`, `XN` for NATO, else a country by two letters. The standard meant FIPS 10-4 first and ISO 3166
  later; letters that name one country in each are not read and not written (`AU`: Austria, Australia);
- codewords, control and handling: the two letters of a portion mark (`SI`, `TK`, `OC`, `NF`, `PR`, ...), and
  `FO`, `IM`, `RL` for FOUO, IMCON, REL TO;
- releasing instructions: the three and four letters of REL TO, divided by spaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from tearline.label.grammar import Unreadable, read
from tearline.label.marks import Mark, country_order, dissem_order, other_order, path_order, write
from tearline.label.tables import COALITIONS, COUNTRIES
from tearline.terms import Level

WIDTHS = {
    "CLAS": 1,
    "CLSY": 2,
    "CODE": 11,
    "CTLH": 2,
    "REL": 20,
    "DCTP": 2,
    "DCDT": 8,
    "DCXM": 4,
    "DG": 1,
    "DGDT": 8,
    "CLTX": 43,
    "CATP": 1,
    "CAUT": 40,
    "CRSN": 1,
    "SRDT": 8,
    "CTLN": 15,
}
"""The fields without their prefix (`FS`, `IS`, ...), in order, with their widths in bytes."""

_RANKS = {"U": Level.UNCLASSIFIED, "R": Level.RESTRICTED, "C": Level.CONFIDENTIAL, "S": Level.SECRET}
_RANKS["T"] = Level.TOP_SECRET
_LETTERS = {rank: letter for letter, rank in _RANKS.items()}

_SCI = {"SI": "SI", "TK": "TK"}
_DISSEM = {"FO": "FOUO", "OC": "OC", "IM": "IMC", "NF": "NF", "PR": "PR", "RS": "RS"}
_OTHER = {"DS": "DS", "XD": "XD", "ND": "ND"}
_CODES = {name: code for names in (_SCI, _DISSEM, _OTHER) for code, name in names.items()}

_NATO, _REL = "XN", "RL"
_TWO_MEANINGS = (
    "AG AN AS AU BA BD BF BG BH BL BM BN BO BY CD CF CG CH CI CK CN CR CW DO ES GA GB GG GM GQ IS KN KR "
    "LI LS LT MA MC MF MG MH MN MO MP MU NE NG NI NU PA PM PS RS SB SC SE SG SN ST SV SZ TC TD TK TL TN "
    "TO TT VI ZA"
)
_FIPS_ALONE = {
    "UK": "GBR", "DA": "DNK", "EI": "IRL", "EN": "EST", "EZ": "CZE", "JA": "JPN", "KS": "KOR", "LG": "LVA",
    "LH": "LTU", "LO": "SVK", "PO": "PRT", "SP": "ESP", "SW": "SWE", "TU": "TUR", "UP": "UKR", "BU": "BGR",
    "IC": "ISL", "VM": "VNM",
}  # fmt: skip
_SYSTEMS = {
    c.alpha2: code for code, c in COUNTRIES.items() if c.alpha2 not in _TWO_MEANINGS.split()
} | _FIPS_ALONE
_LETTERS_OF = {code: two for two, code in (*_FIPS_ALONE.items(), *_SYSTEMS.items())}
_AT = date.min
"""Codes of coalitions that were withdrawn later are read too: intake judges by the product's date."""


class Unwritable(Exception):
    """A marking for which the fields have no place. Its text is the reason."""


def banner(fields: Mapping[str, str]) -> str:
    """The banner line that `fields` (as in `WIDTHS`, without trailing spaces) are.

    Raises `Unreadable` with the field and the reason where one is not read, or contradicts another.
    """
    mark = _mark(fields)
    try:
        return _faithful(mark)
    except Unreadable as found:
        raise Unreadable("CODE", f"its fields together are no marking: {found.reason}") from None


def fields_of(text: str) -> dict[str, str]:
    """The fields for the banner line `text`, padded to their widths. Read back they give `text` again.

    Raises `Unwritable`.
    """
    try:
        mark = read(text, portion=False, at=_AT)
    except Unreadable as found:
        raise Unwritable(f"the marking cannot be read: {found.reason}") from None
    if len(mark.owners) > 1:
        raise Unwritable("its fields have room for one classifying nation, the marking has several")
    system = "US" if mark.owners == ("USA",) else _NATO if mark.owners == ("NATO",) else None
    system = system or _LETTERS_OF.get(mark.owners[0])
    names = [*mark.sci, *(name for name in mark.dissem if name not in ("REL", "NF")), *mark.other]
    codes = [_CODES.get(name, "") for name in names]
    fields = dict.fromkeys(WIDTHS, "") | {
        "CLAS": _LETTERS[mark.rank],
        "CLSY": system or "",
        "CODE": " ".join(codes),
        "CTLH": "NF" if "NF" in mark.dissem else _REL if mark.release else "",
        "REL": " ".join(mark.release),
    }
    if too_long := [name for name, value in fields.items() if len(value) > WIDTHS[name]]:
        raise Unwritable(f"the marking does not fit into the field {too_long[0]}")
    try:
        same = system and all(codes) and banner(fields) == write(mark, portion=False) == text
    except Unreadable:
        same = False
    if not same:
        raise Unwritable("the marking says something for which its fields have no code")
    return {name: value.ljust(WIDTHS[name]) for name, value in fields.items()}


def _mark(fields: Mapping[str, str]) -> Mark:
    if fields["CLAS"] not in _RANKS:
        raise Unreadable("CLAS", "is no classification")
    rank, system = _RANKS[fields["CLAS"]], fields["CLSY"]
    if not system and (rank or any(fields[name] for name in ("CODE", "CTLH", "REL"))):
        raise Unreadable("CLSY", "does not say whose classification it is")
    owner = "NATO" if system == _NATO else _SYSTEMS.get(system or "US")
    if owner is None:
        raise Unreadable("CLSY", "is no nation's, or two nations' letters")
    if fields["CLTX"]:
        raise Unreadable("CLTX", "holds a marking in free text")
    codes = [*fields["CODE"].split(), *fields["CTLH"].split()]
    known = _SCI | _DISSEM | _OTHER | {_REL: "REL"}
    if not known.keys() >= {*codes}:
        raise Unreadable("CODE", "holds a code that is not known")
    if len(codes) > len({*codes}):
        raise Unreadable("CODE", "says a code twice")
    release = fields["REL"].split()
    if not all(code in COUNTRIES or code in COALITIONS for code in release):
        raise Unreadable("REL", "holds what is no country or coalition code")
    if _REL in codes and not release:
        raise Unreadable("REL", "names nobody, though it may be released to somebody")
    dissem = {_DISSEM[code] for code in codes if code in _DISSEM} | ({"REL"} if release else set())
    return Mark(
        owners=(owner,),
        rank=rank,
        sci=tuple(sorted((_SCI[code] for code in codes if code in _SCI), key=path_order)),
        dissem=tuple(sorted(dissem, key=dissem_order)),
        other=tuple(sorted((_OTHER[code] for code in codes if code in _OTHER), key=other_order)),
        release=tuple(sorted(release, key=country_order)),
    )


def _faithful(mark: Mark) -> str:
    """`mark` in words, once it is seen that they are read as the same mark."""
    text = write(mark, portion=False)
    if read(text, portion=False, at=_AT) != mark:
        raise Unreadable(text, "they do not fit each other")
    return text
