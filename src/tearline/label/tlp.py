"""TLP 2.0 (FIRST, Traffic Light Protocol) and PAP (MISP taxonomy): from text, from MISP tags, and back.

TLP says how far a recipient may pass a thing on (`reach`), PAP what it may do with it (`use`). PAP alone
says nothing about sharing, so it is no marking. `WHITE` is TLP 1.0's word for `CLEAR`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from tearline.terms import Label, Quarantine, Reach, Use

PARSER = "tlp/2.0"

REACH = {
    "CLEAR": Reach.CLEAR,
    "GREEN": Reach.GREEN,
    "AMBER": Reach.AMBER,
    "AMBER+STRICT": Reach.AMBER_STRICT,
    "RED": Reach.RED,
}
USE = {"CLEAR": Use.CLEAR, "GREEN": Use.GREEN, "AMBER": Use.AMBER, "RED": Use.RED}
REACH_NAME = {reach: name for name, reach in REACH.items()}
USE_NAME = {use: name for name, use in USE.items()}


@lru_cache(maxsize=1024)
def parse_tlp(text: str) -> Label | Quarantine:
    """The label of `TLP:AMBER+STRICT`, or of `TLP:AMBER PAP:GREEN`. Capitals, as FIRST writes it. Total."""
    marks = text.split(" ")
    if len(marks) > 2 or [mark.partition(":")[0] for mark in marks] not in (["TLP"], ["TLP", "PAP"]):
        return _unknown(text)
    return _join(marks)


def parse_tags(tags: Iterable[str]) -> Label | Quarantine:
    """The label of the MISP tags `tlp:...` and `PAP:...` among `tags`; others are let pass.

    Several of one kind: the narrowest. Tags are compared without case, as MISP does.
    """
    marks = [tag.upper() for tag in tags if tag.casefold().startswith(("tlp:", "pap:"))]
    if not any(mark.startswith("TLP:") for mark in marks):
        return Quarantine(scheme="tlp2", mark="", reason="no marking")
    return _join(marks)


def render_tlp(label: Label) -> str:
    """The label's TLP, and its PAP where it has one, as text."""
    pap = f" PAP:{USE_NAME[label.use]}" if label.use > Use.CLEAR else ""
    return f"TLP:{REACH_NAME[label.reach]}{pap}"


def render_tags(label: Label) -> tuple[str, ...]:
    """The label's TLP, and its PAP where it has one, as MISP tags."""
    pap = (f"PAP:{USE_NAME[label.use]}",) if label.use > Use.CLEAR else ()
    return (f"tlp:{REACH_NAME[label.reach].lower()}", *pap)


def _join(marks: Iterable[str]) -> Label | Quarantine:
    reach, use = Reach.CLEAR, Use.CLEAR
    for mark in marks:
        scheme, _, name = mark.partition(":")
        name = "CLEAR" if name == "WHITE" else name
        if scheme == "TLP" and name in REACH:
            reach = max(reach, REACH[name])
        elif scheme == "PAP" and name in USE:
            use = max(use, USE[name])
        else:
            return _unknown(mark)
    return Label(reach=reach, use=use)


def _unknown(mark: str) -> Quarantine:
    return Quarantine(scheme="tlp2", mark=mark[:200], reason="is not a TLP or PAP marking")
