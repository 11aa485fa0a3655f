"""The areas of the desk, one module each."""

from tearline.doors.desk.areas import (
    agreements,
    home,
    ledger,
    partners,
    people,
    products,
    referrals,
    releases,
    review,
    sources,
    suspensions,
    trace,
)

AREAS = (
    home.area,
    referrals.area,
    products.area,
    partners.area,
    releases.area,
    suspensions.area,
    sources.area,
    agreements.area,
    review.area,
    ledger.area,
    trace.area,
    people.area,
)
