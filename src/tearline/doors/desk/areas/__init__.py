"""The areas of the desk, one module each."""

from tearline.doors.desk.areas import home, ledger, partners, releases, sources, suspensions

AREAS = (
    home.area,
    partners.area,
    releases.area,
    suspensions.area,
    sources.area,
    ledger.area,
)
