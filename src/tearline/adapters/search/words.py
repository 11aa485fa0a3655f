"""What somebody types, as an expression of SQLite's FTS5: always a valid one."""

from __future__ import annotations

import re

MOST = 32
"""Words and phrases of a question; what comes after is not asked."""
_PART = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')


def expression(words: str) -> tuple[str, str]:
    """What must be in a text, and what must not; each empty where nothing is asked.

    Words stand alone, phrases in quotation marks; a star ends a word of which only the beginning is known; a
    minus stands before what must not be in it. Everything else is a letter like others: FTS5 sees quoted
    strings alone (https://www.sqlite.org/fts5.html, section 3).
    """
    wanted, unwanted = list[str](), list[str]()
    for minus, phrase, word in _PART.findall(words)[:MOST]:
        said = (phrase or word).replace("\0", " ").replace('"', " ")
        if not any(char.isalnum() for char in said):
            continue  # FTS5 finds no word in it, and would find nothing at all
        prefix = "*" if word.endswith("*") else ""
        quoted = '"' + said.rstrip("*") + '"' + prefix
        (unwanted if minus else wanted).append(quoted)
    return " AND ".join(wanted), " OR ".join(unwanted)
