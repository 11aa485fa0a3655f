"""What an officer thought before the marks were read, as a file of weights."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection
from typing import Final

from tearline.terms import BadInput, Party

SOMEBODY_ELSE: Final = "somebody-else"


def read_prior(name: str, text: str, partners: Collection[Party]) -> dict[Party, float]:
    """How likely each partner was thought to have leaked it: the chances of a TOML file of weights.

    A line is `PARTY = WEIGHT`, or `somebody-else = WEIGHT` for all who are no partners; who is not named
    weighs 1. Raises `BadInput` for what is no such file.
    """
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(
            name, "", f"it is not TOML: {error}", "write a line `PARTY = WEIGHT` for each"
        ) from None
    weights = dict.fromkeys((*partners, SOMEBODY_ELSE), 1.0)
    for party, weight in said.items():
        if party not in weights:
            raise BadInput(name, party, "this is not a partner of this node")
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise BadInput(name, party, "its weight is not a number")
        if not 0 <= weight < math.inf:
            raise BadInput(name, party, "its weight is below 0, or beyond all bounds")
        weights[party] = float(weight)
    if not weights[SOMEBODY_ELSE]:
        raise BadInput(name, SOMEBODY_ELSE, "that it was nobody else cannot be known before")
    total = math.fsum(weights.values())
    return {party: weights[party] / total for party in partners}
