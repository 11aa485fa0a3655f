"""Officers' estimates of who passes on what to whom, from a TOML file. `docs/review.md` tells its words."""

from __future__ import annotations

import tomllib

import msgspec

from tearline.review.exposure import Edge
from tearline.terms import BadInput, Party


class _Edge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    giver: Party = msgspec.field(name="from")
    taker: Party = msgspec.field(name="to")
    low: float
    high: float
    why: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    adversaries: tuple[Party, ...]
    edge: tuple[_Edge, ...]


def read(text: str, where: str) -> tuple[tuple[Edge, ...], tuple[Party, ...]]:
    """The edges, and the adversaries. Raises `BadInput`."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(where, "", f"this is not TOML ({error})") from None
    except msgspec.ValidationError as error:
        raise BadInput(where, "", str(error).rstrip("."), "see docs/review.md") from None
    return tuple(Edge(**msgspec.structs.asdict(each)) for each in file.edge), file.adversaries
