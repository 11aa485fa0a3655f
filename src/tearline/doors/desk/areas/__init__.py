"""The areas of the desk, one module each."""

from tearline.doors.desk.areas import home, ledger, referrals

AREAS = (
    home.area,
    referrals.area,
    ledger.area,
)
