"""The areas of the desk, one module each."""

from tearline.doors.desk.areas import (
    agreements,
    home,
    ledger,
    partners,
    people,
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
    partners.area,
    releases.area,
    suspensions.area,
    sources.area,
    agreements.area,
    ledger.area,
    trace.area,
    review.area,
    people.area,
)
