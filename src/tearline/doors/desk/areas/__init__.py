"""The areas of the desk, one module each."""

from tearline.doors.desk.areas import home, referrals

AREAS = (
    home.area,
    referrals.area,
)
