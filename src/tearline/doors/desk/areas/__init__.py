"""The areas of the desk, one module each."""

from tearline.doors.desk.areas import home, ledger, review

AREAS = (
    home.area,
    ledger.area,
    review.area,
)
