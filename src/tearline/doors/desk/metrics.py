"""Prometheus metrics: how the desk and the node do. They name no partner, no product and no reason.

They are served at the desk alone, to a token of an administrator or auditor; no door of partners has them.
"""

from __future__ import annotations

from typing import NamedTuple

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from tearline.node import Node, progress, referral


class State(NamedTuple):
    """What the node is asked for when somebody looks."""

    products: int
    waiting: int
    referred: int
    queued: int
    delivered: int
    partners: int


class Metrics:
    """The figures of one desk."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        to = self._registry = CollectorRegistry()
        self._requests = Counter(
            "tearline_desk_requests", "Requests by endpoint and status.", ["endpoint", "status"], registry=to
        )
        self._seconds = Histogram("tearline_desk_seconds", "How long they took.", ["endpoint"], registry=to)
        told = {
            "products": "Products held.",
            "waiting": "Products that the gate has not considered.",
            "referred": "Referrals that wait for an officer.",
            "queued": "Releases that are not yet in a view.",
            "delivered": "Releases in a view.",
            "partners": "Partners of the node.",
        }
        self._gauges = {name: Gauge(f"tearline_{name}", says, registry=to) for name, says in told.items()}

    def served(self, endpoint: str, status: int, seconds: float) -> None:
        self._requests.labels(endpoint, str(status)).inc()
        self._seconds.labels(endpoint).observe(seconds)

    @staticmethod
    def look(node: Node) -> State:
        so_far = progress(node)
        return State(
            products=so_far.products,
            waiting=so_far.products - so_far.considered,
            referred=referral.count(node),
            queued=so_far.released - so_far.delivered,
            delivered=so_far.delivered,
            partners=len(node.partners),
        )

    def text(self, state: State) -> bytes:
        for name, value in state._asdict().items():
            self._gauges[name].set(value)
        return generate_latest(self._registry)
