"""The rules of TAXII 2.1 (OASIS Standard, 10 June 2021) that need no store and no socket.

`query` reads filters and pages, `media` negotiates content, `envelope` takes apart what a client adds.
"""

from tearline.deliver.taxii.envelope import (
    Accepted,
    Limits,
    NotAnEnvelope,
    Rejected,
    Span,
    read_envelope,
    read_span,
    write_envelope,
)
from tearline.deliver.taxii.media import MEDIA_TYPE, accepts, is_taxii
from tearline.deliver.taxii.query import (
    Query,
    date_added,
    next_position,
    next_token,
    read_date_added,
    read_query,
    version_stamp,
)

__all__ = [
    "MEDIA_TYPE",
    "Accepted",
    "Limits",
    "NotAnEnvelope",
    "Query",
    "Rejected",
    "Span",
    "accepts",
    "date_added",
    "is_taxii",
    "next_position",
    "next_token",
    "read_date_added",
    "read_envelope",
    "read_query",
    "read_span",
    "version_stamp",
    "write_envelope",
]
