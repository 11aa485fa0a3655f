"""The areas of the desk, one module each."""

from tearline.doors.desk.areas import agreements, home, ledger, people

AREAS = (
    home.area,
    agreements.area,
    ledger.area,
    people.area,
)
