"""Quoted phrases and direct speech."""

from __future__ import annotations

import re

from tearline.scan.pattern import compiled

_PAIRS = compiled(
    r"“[^“”\n]{1,2000}[”“]|„[^„“”\"\n]{1,2000}[“”\"]|«(?:[^«»\n]|«[^«»\n]*»){1,2000}»"
    r"|‹[^‹›\n]{1,2000}›|\"[^\"\n]{1,2000}\""
    r"|‘[^‘’\n]{1,2000}(?:’\w[^‘’\n]{0,2000}){0,20}’(?!\w)"
    r"|(?<!\w)'[^'\n]{1,2000}(?:'\w[^'\n]{0,2000}){0,20}'(?!\w)|(?<!\w)‚[^‚‘’\n]{1,2000}[‘’]"
)
_OPEN = compiled(r"[“„«‹\"”»›]")
_SAY = (
    r"(?:sa(?:id|ys|ying)|told|tells|ask(?:ed|s)|repl(?:ied|ies)|answer(?:ed|s)|add(?:ed|s)"
    r"|order(?:ed|s)|shout(?:ed|s)|wrote|writes|warn(?:ed|s)"
    r"|quot\w+|words|сказа[а-яіїє]+|каже|казав|казала|говори[а-яіїє]+|запита[а-яіїє]+"
    r"|відпові[а-яіїє]+|додав|додала|наказа[а-яіїє]+|писа[а-яіїє]+|написа[а-яіїє]+"
    r"|слова[а-яіїє]*"
    r"|говор[а-яё]+|спроси[а-яё]+|ответи[а-яё]+|добави[а-яё]+|приказа[а-яё]+|заяви[а-яіїєё]+"
    r"|повідоми[а-яіїє]+|сообщи[а-яё]+|крикну[а-яіїєё]+|цитат[а-яіїєё]*)"
)
_SPEECH = compiled(
    r"^[ \t]*[–—-][ \t]+(?=[A-ZА-ЯЁІЇЄҐ]).*$|:[ \t]*[–—-][ \t]*\S.*$"
    rf"|(?<!\w){_SAY}(?!\w)[^.:!?\n]{{0,60}}:[ \t]*(?![\s\0\"“„«‘]).*$|^[ \t]*>[ \t]?\S.*$",
    re.IGNORECASE | re.MULTILINE,
)


def quotes(text: str) -> list[tuple[int, int]]:
    """The spans of what somebody seems to have said in these words; a mark without its pair too."""
    spans = [found.span() for found in _PAIRS.finditer(text)]
    rest = _PAIRS.sub(_blank, text)
    spans += [found.span() for found in _SPEECH.finditer(rest)]
    single = _OPEN.finditer(_SPEECH.sub(_blank, rest))
    spans += [found.span() for found in single if not _is_inch(text, found.start())]
    return sorted(spans)


def _blank(found: re.Match[str]) -> str:
    return "\0" * len(found[0])


def _is_inch(text: str, at: int) -> bool:
    """Whether the mark is one of seconds or inches behind a figure."""
    return text[max(0, at - 1) : at].isdigit()
