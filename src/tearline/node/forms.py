"""Which file goes with a picture or recording: the file itself, or a sanitized form of it.

A form is a function of source, form, marking and sanitizer; it is made once, outside the worker.
"""

from __future__ import annotations

import msgspec

from tearline.deliver import Content
from tearline.node.opened import Node
from tearline.terms import Media, Product, Refused, Tearline, Whole


def content_for(node: Node, product: Product, outcome: Whole | Tearline) -> Content:
    """The file that goes. Raises `Refused` where none can."""
    media = msgspec.json.decode(product.content, type=Media)
    if isinstance(outcome, Tearline):
        raise Refused("sanitized forms are not built yet")
    return Content(media.sha256, media.size, media.media_type)
