"""The areas of the desk, one module each."""

from tearline.doors.desk.areas import agreements, home

AREAS = (home.area, agreements.area)
