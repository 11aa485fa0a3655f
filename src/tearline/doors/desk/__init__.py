"""The officers' desk: pages, forms and a REST API over the functions that the commands call too."""

from tearline.doors.desk.endpoint import N_, Area, At, Download, Endpoint, Nothing, Upload
from tearline.doors.desk.person import EVERYBODY, OFFICERS, OVERSIGHT, READERS, Person, Role

__all__ = [
    "EVERYBODY",
    "N_",
    "OFFICERS",
    "OVERSIGHT",
    "READERS",
    "Area",
    "At",
    "Download",
    "Endpoint",
    "Nothing",
    "Person",
    "Role",
    "Upload",
]
