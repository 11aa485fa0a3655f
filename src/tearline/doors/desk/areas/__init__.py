"""The areas of the desk, one module each."""

from tearline.doors.desk.areas import (
    agreements,
    home,
    ledger,
    partners,
    people,
    releases,
    sources,
    suspensions,
)

AREAS = (
    home.area,
    partners.area,
    releases.area,
    suspensions.area,
    sources.area,
    agreements.area,
    ledger.area,
    people.area,
)
