"""Coordinates: rounded to a grid, or dropped."""

from __future__ import annotations

import re

from tearline.gate.sanitize.seams import GAP, capital, close, starts_sentence
from tearline.scan.pattern import compiled
from tearline.vault.source import PlaceGrain

PLACES = tuple(PlaceGrain)
"""Finest first."""

_DECIMALS = {PlaceGrain.SETTLEMENT: 1, PlaceGrain.DISTRICT: 0}
"""Of a degree: a tenth is about 11 km from north to south, one degree 111 km."""
_MGRS_DIGITS = {PlaceGrain.SETTLEMENT: 1, PlaceGrain.DISTRICT: 0}
"""A side: one digit is a square of 10 km, none one of 100 km. NGA.STND.0037 (Universal Grids), MGRS."""

_I = re.IGNORECASE
_SIDE = (
    r"(?:[NSEW](?![\w])|north\b|south\b|east\b|west\b|пн\.?\s?ш\b\.?|пд\.?\s?ш\b\.?"
    r"|сх\.?\s?д\b\.?|зх?\.?\s?д\b\.?|с\.?\s?ш\b\.?|ю\.?\s?ш\b\.?|в\.?\s?д\b\.?"
    r"|північної широти|південної широти|східної довготи|західної довготи|северной широты"
    r"|южной широты|восточной долготы|западной долготы)"
)
_MINUTES = r"(?:\s?\d{1,2}(?:[.,]\d{1,6})?\s?['′’ʹ](?:\s?\d{1,2}(?:[.,]\d{1,6})?\s?(?:[\"″”ʺ]|''|’’|′′))?)"
_FIGURE = r"[+−-]?\d{1,3}(?:[.,]\d{1,9})?"
_ANGLE = rf"(?:{_SIDE}\s?)?{_FIGURE}\s?(?:[°º˚]{_MINUTES}?\s?(?:{_SIDE})?|\s?{_SIDE})"
_LONE = (
    rf"(?:{_FIGURE}\s?[°º˚]\s?{_SIDE}|{_FIGURE}\s?[°º˚]{_MINUTES}\s?(?:{_SIDE})?"
    rf"|{_SIDE}\s?{_FIGURE}\s?[°º˚]{_MINUTES}?"
    rf"|[+−-]?\d{{1,3}}[.,]\d{{2,9}}\s?{_SIDE})"
)
_BARE = r"[+−-]?\d{1,3}\.\d{2,9}|[+−-]?\d{1,3},\d{3,9}"
_PAIR = (
    rf"(?:{_ANGLE}[\s,;/]{{1,3}}(?:and\s|і\s|та\s|и\s)?{_ANGLE}"
    rf"|(?:{_BARE})\s?[\s,;/]\s?(?:{_BARE})(?![\d.,]*\d))"
)
_COMPACT = r"\d{4}(?:\d\d)?[NS]\s?\d{5}(?:\d\d)?[EW]"
_MGRS = r"\d{1,2}[C-HJ-NP-X]\s?[A-HJ-NP-Z]{2}(?:\s?\d{1,5}\s\d{1,5}|\s?\d{2,10})?"
_PLUS = r"[23456789CFGHJMPQRVWX]{4,8}\+[23456789CFGHJMPQRVWX]{2,3}"
_LINK = r"(?:https?://|www\.|geo:)\S*?\d{1,3}\.\d{2,}[,/&?=%a-z+!]{1,8}[-−]?\d{1,3}\.\d{2,}\S*"
_SPOT = (
    rf"(?:{_LINK}|{_PAIR}|(?<!\w){_COMPACT}(?!\w)|(?<![\w])(?-i:{_MGRS})(?!\w)"
    rf"|(?<!\w)(?-i:{_PLUS})(?!\w)|{_LONE})"
)
_LABEL = (
    r"(?:(?:at\s+)?(?:grid(?:\s+(?:reference|square))?|coordinates|position|location|mgrs|utm"
    r"|lat(?:itude)?/lon(?:gitude)?|координати|координаты|точка)"
    r"\s*[:=]?\s+)"
)
_WORD = (
    r"(?P<word>(?:at|near|around|from|to|towards|in|by|за координатами|по координатам"
    r"|з координатами|с координатами|(?:у|в) точці(?:\s+з координатами)?"
    r"|(?:в|у) точке(?:\s+с координатами)?|(?:у|в) квадраті|в квадрате|біля|поблизу|возле|близ"
    r"|около|на|в|у|до|від|от|з|із|из)\s+)"
)
_FOUND = compiled(rf"(?<![\w.,])(?:{_WORD})?(?P<label>{_LABEL})?(?P<spot>{_SPOT})(?![\w°])", _I)
_NUMBER = compiled(rf"({_FIGURE})(\s?[°º˚])?({_MINUTES})?")
_HERE = {"en": "in the area", "uk": "у тій місцевості", "ru": "в той местности"}


def coarsen_places(text: str, grain: PlaceGrain, language: str) -> tuple[str, int]:
    """`text` with coordinates no finer than `grain`, dropped above the district; and how many changed."""
    if grain is PlaceGrain.EXACT:
        return text, 0
    changed = 0
    here = _HERE[language]

    def coarser(found: re.Match[str]) -> str:
        nonlocal changed
        new = _rounded(found, grain) if grain in _DECIMALS else None
        if new is None:
            new = here if found["word"] else GAP
            if found["word"] and (found[0][0].isupper() or starts_sentence(text, found.start())):
                new = capital(new)
        changed += new != found[0]
        return new

    text = close(_FOUND.sub(coarser, text))
    return re.sub(rf"({here})(?:\s+{here})+", r"\1", text, flags=_I), changed


def _rounded(found: re.Match[str], grain: PlaceGrain) -> str | None:
    """The match with rounded figures; `None` for a form that cannot be rounded."""
    spot = found["spot"]
    head = found[0][: found.start("spot") - found.start()]
    if re.fullmatch(_MGRS, spot):
        return head + _square(spot, _MGRS_DIGITS[grain])
    if re.fullmatch(rf"(?:{_PAIR}|{_LONE})", spot, _I) is None:
        return None
    decimals = _DECIMALS[grain]

    def rounded(number: re.Match[str]) -> str:
        figure, sign, minutes = number.groups()
        if sign is None and decimals == 0 and "." not in figure and "," not in figure:
            return figure
        value = abs(float(figure.replace(",", ".").replace("−", "-")))
        parts = [float(part.replace(",", ".")) for part in re.findall(r"\d+(?:[.,]\d+)?", minutes or "")]
        value += sum(part / 60**power for power, part in enumerate(parts, 1))
        if not parts and len(figure.replace(",", ".").partition(".")[2]) <= decimals:
            return number[0]
        lead = figure[0] if figure[0] in "+-−" else ""
        return f"{lead}{value:.{decimals}f}{sign or ''}"

    return head + _NUMBER.sub(rounded, spot)


def _square(spot: str, digits: int) -> str:
    zone, figures = re.match(r"(\d{1,2}[A-Z]\s?[A-Z]{2})\s?(.*)", spot, re.DOTALL).groups()  # type: ignore[union-attr]
    parts = figures.split()
    if len(parts) != 2:
        half = len(figures) // 2
        parts = [figures[:half], figures[half:]]
    kept = "".join(part[:digits] for part in parts)
    return f"{zone}{' ' if kept and spot[len(zone) : len(zone) + 1] == ' ' else ''}{kept}"
