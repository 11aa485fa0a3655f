"""The first page: how far the node is, and what waits for somebody."""

from __future__ import annotations

import msgspec

from tearline.doors.desk.endpoint import N_, Area, At, Nothing
from tearline.doors.desk.person import EVERYBODY
from tearline.node import progress, referral

area = Area("home", title=N_("Overview"), path="/", order=0, key="h")


class Overview(msgspec.Struct, frozen=True):
    """How far the node is. Counts."""

    party: str
    products: int
    considered: int
    released: int
    delivered: int
    received: int
    referred: int
    partners: int


@area.shows("/", "home/overview.html", roles=EVERYBODY)
def overview(at: At, asked: Nothing) -> Overview:
    """How far the node is, and what waits for somebody."""
    so_far = progress(at.node)
    return Overview(
        party=at.node.party,
        products=so_far.products,
        considered=so_far.considered,
        released=so_far.released,
        delivered=so_far.delivered,
        received=so_far.received,
        referred=referral.count(at.node),
        partners=len(at.node.partners),
    )
