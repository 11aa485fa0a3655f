"""Hypothesis strategies for the words of the house: labels, recipients, marks."""

from __future__ import annotations

from hypothesis import strategies as st

from tearline.label.marks import (
    Mark,
    atomic_order,
    country_order,
    dissem_order,
    other_order,
    owner_order,
    path_order,
)
from tearline.terms import Label, Level, Reach, Recipient, Use

PARTIES = ("AUS", "CAN", "GBR", "ISR", "NZL", "SAU", "UKR", "USA")
CODES = (*PARTIES, "FVEY", "NATO", "TEYE", "APFS")
NEEDS = ("HCS", "HCS-P", "SI", "SI-G", "SI-G-ABCD", "TK", "SAR-BP", "SAR-BP-J12", "RD", "RD-SG-14", "ATOMAL")
DUTIES = ("DSEN", "FISA", "FOUO", "IMCON", "LES", "LIMDIS", "PROPIN", "RSEN", "SBU", "SSI", "STATEMENT")
INFOS = ("ORCON-USGOV", "RELIDO")


def _sets(values, **limits):
    return st.frozensets(st.sampled_from(values), **limits)


parties = st.sampled_from(PARTIES)
levels = st.dictionaries(
    st.sampled_from(("GBR", "NATO", "UKR", "USA")), st.sampled_from(list(Level)), max_size=3
).map(lambda rows: tuple(sorted(rows.items())))


@st.composite
def labels(draw, owners=(*PARTIES, "NATO", "FGI", "CERT-UA")):
    """Any label whose `release` is within its `display`."""
    display = draw(st.none() | _sets((*PARTIES, "NATO", "APFS", "CERT-UA")))
    release = None if display is None and draw(st.booleans()) else draw(_sets(PARTIES))
    return Label(
        level=draw(levels),
        need=draw(_sets(NEEDS, max_size=3)),
        release=release if display is None or release is None else release & display,
        display=display,
        reach=draw(st.sampled_from(list(Reach))),
        use=draw(st.sampled_from(list(Use))),
        owners=draw(_sets(owners, max_size=3)),
        consent=draw(_sets(owners, max_size=1)),
        duties=draw(_sets(DUTIES, max_size=3)),
        info=draw(_sets(INFOS, max_size=1)),
    )


@st.composite
def recipients(draw, party=parties):
    """Any recipient; about half of them hold what a label may ask."""
    generous = draw(st.booleans())
    return Recipient(
        party=draw(party),
        clearance=tuple((policy, Level.TOP_SECRET) for policy in ("GBR", "NATO", "UKR", "USA"))
        if generous
        else draw(levels),
        needs=frozenset(NEEDS) if generous else draw(_sets(NEEDS)),
        reach=draw(st.sampled_from(list(Reach))),
        use=draw(st.sampled_from(list(Use))),
        duties=frozenset(DUTIES) if generous else draw(_sets(DUTIES)),
        consents=draw(_sets((*PARTIES, "NATO", "FGI", "CERT-UA"))),
    )


def _tuples(values, order, max_size=3):
    return _sets(values, max_size=max_size).map(lambda names: tuple(sorted(names, key=order)))


def _with_parents(paths):
    return {"-".join(path.split("-")[:end]) for path in paths for end in range(1, path.count("-") + 2)}


@st.composite
def marks(draw, owners=None):
    """Any mark that can be written and read."""
    if owners is None:
        owners = st.sampled_from([("USA",)] * 4 + [("GBR",), ("NATO",), ("FGI",), ("GBR", "USA")])
    own = draw(owners)
    usa = own == ("USA",)
    rank = draw(st.sampled_from([rank for rank in Level if rank is not Level.RESTRICTED or not usa]))
    secret = rank > Level.UNCLASSIFIED
    dissem = set(draw(_sets(("RS", "FOUO", "OC", "OC-USGOV", "IMC", "PR", "DSEN", "FISA"), max_size=3)))
    sharing = draw(
        st.sampled_from(
            [(), ("REL",), ("DISPLAYONLY",), ("REL", "DISPLAYONLY")]
            + ([("NF",), ("NF",), ("EYES",), ("RELIDO",), ("REL", "RELIDO")] if usa else [])
        )
    )
    other = _tuples(("DS", "XD", "SBU", "LES", "SSI", "ACCM-QUIET"), other_order, max_size=2)
    noforn = sharing in ((), ("NF",)) and usa and draw(st.booleans())
    listed = _tuples(CODES, country_order)
    release = ("USA", *draw(_tuples(CODES[:-1], owner_order).filter(lambda codes: set(codes) - {"USA"})))
    return Mark(
        owners=own,
        rank=rank,
        nato=draw(_tuples(("ATOMAL", "BOHEMIA"), str)) if own == ("NATO",) else (),
        sci=tuple(
            sorted(
                _with_parents(draw(_sets(("HCS-P", "SI-G-ABCD", "SI-G-ABCE", "SI-XYZ", "TK")))),
                key=path_order,
            )
        )
        if secret
        else (),
        sar=tuple(
            sorted(_with_parents(draw(_sets(("BP-J12-J54", "BP-K15", "CD"), max_size=2))), key=path_order)
        )
        if secret
        else (),
        aea=draw(_atomic(secret)),
        fgi=draw(st.just(("FGI",)) | _tuples(("CAN", "GBR", "NATO"), owner_order)) if usa else (),
        dissem=tuple(sorted(dissem | set(sharing), key=dissem_order)),
        release=tuple(dict.fromkeys(sorted(release, key=country_order)))
        if {"REL", "EYES"} & set(sharing)
        else (),
        display=draw(listed.filter(bool)) if "DISPLAYONLY" in sharing else (),
        other=tuple(sorted({*draw(other), *(["LES-NF"] if noforn else [])}, key=other_order)),
    )


def _atomic(secret):
    heads = ("RD", "FRD", "DCNI", "UCNI", "TFNI") if secret else ("DCNI", "UCNI")
    tails = ("RD-CNWDI", "RD-SG-2", "RD-SG-14", "FRD-SG-14")

    def whole(names):
        return tuple(sorted({*names} | {name.split("-")[0] for name in names}, key=atomic_order))

    return _sets(heads + tails if secret else heads, max_size=2).map(whole)
