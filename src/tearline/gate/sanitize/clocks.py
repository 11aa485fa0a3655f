"""Times of day as English, Ukrainian and Russian texts write them: dropped, or brought to the hour."""

from __future__ import annotations

import re

from tearline.gate.sanitize.periods import EN_MONTHS, GENITIVE
from tearline.gate.sanitize.points import EN_MONTH, SLAVIC_MONTH
from tearline.gate.sanitize.seams import GAP, close
from tearline.scan.pattern import compiled
from tearline.vault.source import TimeGrain

_I = re.IGNORECASE
_DOT = r"(?:\.(?=\s*(?-i:[a-zа-яіїєґё\d(),;–—-])))?"
"""The dot of an abbreviation, unless it ends the sentence too."""
_H, _MM = r"(?:[01]?\d|2[0-4])", r"[0-5]\d"
_HALF = rf"(?:a\.?\s?m\b{_DOT}|p\.?\s?m\b{_DOT})"
_DAYTIME = r"(?:ранку|вечора|ночі|дня|утра|вечера|ночи|пополудні|пополудни)\b"
_UNIT = r"(?!\s?(?:km|m|kg|t|%|км|м|кг|т|тис|тыс|млн|млрд|грн|руб|°|per|percent)\b|[.,]?\d|\s?[%°])"
_ZONE = (
    r"(?:\s?(?:Z|UTC|GMT|LT|EET|EEST|CET|CEST|MSK|МСК|мск)\b)?(?:\s?[+−-]\d{1,2}(?::?\d\d)?(?![\d.]))?"
    rf"(?:\s?(?:hrs?\b{_DOT}|hours\b|h\b|год\b{_DOT}|години\b|годин\b|часов\b|часа\b|ч\b{_DOT}"
    r"|o['’]clock\b))?"
    r"(?:,?\s+(?:local(?:\s+time)?\b|[A-Z][a-z]+\s+time\b|за\s+[а-яіїє]+(?:им)\s+часом"
    r"|за\s+Києвом|по\s+[а-яё]+(?:ому)\s+времени|по\s+Москве|по\s+Киеву))?"
)
_COLON = rf"{_H}:{_MM}(?::{_MM}(?:[.,]\d{{1,6}})?)?(?![\w:])(?:\s?{_HALF})?|{_H}:{_MM}(?::{_MM})?(?=Z\b)"
_ANYWHERE = (
    rf"(?:{_COLON}|\d{{1,2}}(?:[.:]{_MM})?\s?{_HALF}"
    rf"|\d{{1,2}}\s?o['’]clock\b(?:\s+in\s+the\s+(?:morning|afternoon|evening))?"
    rf"|(?:[01]\d|2[0-4]){_MM}(?=\s?Z\b)|0\d{_MM}(?=\s?(?:hrs?|hours|h|local|UTC|GMT)\b))"
)
_SLAVIC_HOURS = (
    rf"{_H}(?:-?(?:й|ій|тій|ї|ої|тої|ми))?\s?(?:год(?:ин[іиуа]?)?|час(?:а|ов|у|ам)?|ч)(?!\w){_DOT}"
    rf"(?:\s+\d{{1,2}}\s?(?:хв(?:илин[иуа]?)?|мин(?:ут[ыуа]?)?)(?!\w){_DOT})?(?:\s+{_DAYTIME})?"
)
_AFTER_PREPOSITION = (
    rf"(?:{_ANYWHERE}|{_SLAVIC_HOURS}|{_H}\s+{_DAYTIME}|{_H}\.{_MM}{_UNIT}|(?:[01]\d"
    rf"|2[0-4]){_MM}(?=\s?(?:hrs?|hours|h|local)\b)|0\d{_MM}\b{_UNIT})"
)
_HOW = (
    r"(?:(?:shortly|just|right|immediately|exactly|approximately|about|around|as early as"
    r"|приблизно|орієнтовно|точно|рівно|майже|примерно"
    r"|ориентировочно|ровно|почти)\s+)?"
)
_UNTIL = r"(?P<until>by|before|until|till|no later than|до|к|не пізніше|не позднее)"
_PREPOSITION = (
    rf"(?:{_HOW}(?:{_UNTIL}|(?P<since>from|since|after|з|із|зі|с|со|від|от|після|после)"
    r"|(?P<at>at|о|об|в|во|у)|around|about|circa|between|to|між|между|близько|около|біля|по"
    r"|на)\s+(?:about\s+|around\s+|the\s+)?)"
)
_LINK = r"(?:\s*[-–—]\s*|\s+(?:to|and|until|till|or|до|по|і|й|та|и|або|или)\s+)"
_BRACKET = rf"(?:\s*[(\[]\s*(?:[^\W\d_]{{1,8}}\s+)?{_ANYWHERE}{_ZONE}(?:{_LINK}{_ANYWHERE}{_ZONE})?\s*[)\]])?"
_TAIL = rf"{_ZONE}(?:{_LINK}{_ANYWHERE}{_ZONE})?{_BRACKET}"
_CLOCK = compiled(
    rf"(?<![\w:.])(?:{_PREPOSITION}{_AFTER_PREPOSITION}{_ZONE}(?P<range>{_LINK}{_AFTER_PREPOSITION}{_ZONE})?{_BRACKET}"
    rf"|{_ANYWHERE}{_TAIL})",
    _I,
)
_AHEAD = compiled(
    rf"\s*,?\s*(?:on\s+)?(?=\d{{1,2}}(?:st|nd|rd|th|-го)?\s+(?:of\s+)?(?:{EN_MONTH}"
    rf"|{SLAVIC_MONTH})|{EN_MONTH}\.?\s+\d|\d{{1,4}}[./-]\d{{1,2}}[./-]\d)",
    _I,
)

_BY = {"before": "by", "Before": "By"}

# ISO 8601-1:2019, 5.4 (date and time of day), extended and basic format; ACP 121 date-time groups.
_ISO = compiled(
    r"(?<!\w)((?:19|20)\d\d-\d\d-\d\d|(?:19|20)\d{6})(T"
    r"|\s(?=\d\d:))(\d\d)(:?)(?:\d\d)?(?:\4\d\d(?:[.,]\d+)?)?(?:\s?(Z"
    r"|[+−-]\d\d(?::?\d\d)?))?(?!\w)"
)
_DTG = compiled(r"(?<!\w)(\d\d)(\d\d)(\d\d)\s?([A-Z])\s?([A-Z]{3})\s?((?:19|20)?\d\d)(?!\w)")
_DTG_SHORT = compiled(r"(?<!\w)(?:at\s+)?(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-4])[0-5]\d\s?[A-Z](?!\w)", _I)
_MONTH = {month[:3].upper(): at for at, month in enumerate(EN_MONTHS)}


def coarsen_clocks(text: str, grain: TimeGrain, language: str) -> tuple[str, int]:
    """`text` without times of day, or with full hours where `grain` is the hour; and how many changed."""
    if grain is TimeGrain.EXACT:
        return text, 0
    if grain is TimeGrain.HOUR:
        return _to_hours(text)
    changed = 0

    def group(found: re.Match[str]) -> str:
        nonlocal changed
        month = _MONTH.get(found[5])
        if month is None or not 1 <= int(found[1]) <= 31:
            return found[0]
        changed += 1
        year = found[6] if len(found[6]) == 4 else f"20{found[6]}"
        if language == "en":
            return f"{int(found[1])} {EN_MONTHS[month]} {year}"
        return f"{int(found[1])} {GENITIVE[language][month]} {year} {'року' if language == 'uk' else 'года'}"

    text = _DTG.sub(group, text)
    text, iso = _ISO.subn(r"\1", text)
    text, short = _DTG_SHORT.subn(GAP, text)
    pieces: list[str] = []
    done = 0
    for found in _CLOCK.finditer(text):
        if found.start() < done:
            continue
        changed += 1
        kept = found["until"] or found["since"]
        ahead = _AHEAD.match(text, found.end())
        if kept and ahead and not found["range"]:
            pieces += (text[done : found.start()], _BY.get(kept, kept), " ")
            done = ahead.end()
        else:
            pieces += (text[done : found.start()], GAP)
            done = found.end()
    return close("".join((*pieces, text[done:]))), changed + iso + short


_MINUTES = compiled(
    rf"(?<![\w:.])(?P<h>{_H})(?P<s>[:.])(?P<m>{_MM})(?P<sec>:{_MM}(?:[.,]\d{{1,6}})?)?(?![\d:])"
    rf"|(?<!\d)(?P<h4>[01]\d|2[0-4])(?P<m4>{_MM})(?=\s?(?:Z|hrs?|hours|h|local)\b|(?!\d))"
)
_HALF_HOURS = compiled(rf"\s+\d{{1,2}}\s?(?:хв(?:илин[иуа]?)?|мин(?:ут[ыуа]?)?)(?!\w){_DOT}", _I)
_ABOUT = {"at": "at about", "о": "близько", "об": "близько", "у": "близько", "в": "около", "во": "около"}


def _to_hours(text: str) -> tuple[str, int]:
    """Every time of day brought to a full hour: a deadline up, all else down, so that it stays true."""
    changed = 0

    def iso(found: re.Match[str]) -> str:
        nonlocal changed
        new = f"{found[1]}{found[2]}{found[3]}{found[4]}00{found[5] or ''}"
        changed += new != found[0]
        return new

    def clock(found: re.Match[str]) -> str:
        nonlocal changed
        bare = _HALF_HOURS.sub("", found[0])
        parts = [0]

        def hour(time: re.Match[str]) -> str:
            minutes = time["m"] or time["m4"]
            parts[0] += 1
            if int(minutes) == 0 and not re.search(r"[1-9]", time["sec"] or ""):
                up = 0
            else:
                up = 1 if found["until"] and parts[0] == 1 else 0
            number = (int(time["h"] or time["h4"])) + up
            if time["h4"]:
                return f"{number:02}00"
            width = len(time["h"])
            return f"{number:0{width}}:00"

        new = _MINUTES.sub(hour, bare)
        if new == found[0]:
            return new
        changed += 1
        at = found["at"]
        if at and new.lower().startswith(f"{at.lower()} "):
            about = _ABOUT[at.lower()]
            new = (about.capitalize() if at[0].isupper() else about) + new[len(at) :]
        return new

    text = _ISO.sub(iso, text)
    text, groups = re.subn(
        r"(?<!\w)(\d\d)([01]\d|2[0-4])(?!00)[0-5]\d(?=\s?[A-Z](?:\s?[A-Z]{3}\s?\d\d|(?!\w)))",
        r"\g<1>\g<2>00",
        text,
    )
    return _CLOCK.sub(clock, text), changed + groups
