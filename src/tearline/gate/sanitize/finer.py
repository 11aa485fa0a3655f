"""A second look: what in a text is still finer than allowed. Shares no pattern or word with coarsening.

It looks wider than coarsening does, for a false alarm costs an officer a minute: a number beside the stem
of a month's name is a date whatever stands between; two figures with a colon are a time of day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tearline.scan.pattern import compiled
from tearline.vault.source import PlaceGrain, TimeGrain


class Finding(NamedTuple):
    start: int
    end: int
    kind: str
    """`time`, `place`, or `place-name` for what only may be a place."""


_T, _P = list(TimeGrain), list(PlaceGrain)
_I = re.IGNORECASE
_MONTH = (
    r"(?:januar\w*|februar\w*|(?-i:M(?:arch|ARCH)|MAR|Mar\b)|april\w*|(?-i:May\b|MAY\b)|june\b"
    r"|july\b|august\w*|septemb\w*|octob\w*|novemb\w*|decemb\w*"
    r"|(?-i:Jan|Feb|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|JAN|FEB|APR|JUN|JUL|AUG|SEPT?|OCT|NOV|DEC)\b"
    r"|січ(?:ень|н[яіюе]м?)|лют(?:ий|ого|ому|им)|берез(?:ень|н[яіюе]м?)|квіт(?:ень|н[яіюе]м?)"
    r"|трав(?:ень|н[яіюе]м?)|черв(?:ень|н[яіюе]м?)"
    r"|лип(?:ень|н[яіюе]м?)|серп(?:ень|н[яіюе]м?)|верес(?:ень|н[яіюе]м?)|жовт(?:ень|н[яіюе]м?)"
    r"|листопад\w{0,2}|груд(?:ень|н[яіюе]м?)"
    r"|январ\w{1,2}|феврал\w{1,2}|март(?:а|е|ом|у)?\b|апрел\w{1,2}|ма(?:й|я|е|ем)\b|июн\w{1,2}"
    r"|июл\w{1,2}|август\w{0,2}|сентябр\w{1,2}"
    r"|октябр\w{1,2}|ноябр\w{1,2}|декабр\w{1,2})"
)
_CLOCK = compiled(r"(?<![\d:])\d{1,2}\s?[:h]\s?(\d\d)(?:\s?:\s?(\d\d))?(?!\d)")
_PATTERNS: list[tuple[TimeGrain, re.Pattern[str]]] = [
    (grain, compiled(pattern, _I))
    for grain, pattern in [
        (TimeGrain.EXACT, r"\d{1,2}\.(?!00)\d\d\s?[ap]\.?\s?m\b"),
        (TimeGrain.EXACT, r"\b\d{1,2}\s?(?:год\w*|час\w*|h|hours?)\.?\s+(?:and\s+)?\d{1,2}\s?(?:хв|мин|min)"),
        (
            TimeGrain.EXACT,
            r"\b(?:half past|quarter (?:past|to)(?= (?:\d|one|two|three|four|five|six|seven|eight"
            r"|nine|ten|eleven|twelve|noon|midnight))|\d{1,2} minutes? (?:past|to|before|after)"
            r"|за \d+ хвилин|без \d+ (?:минут|хвилин)|пів на|половин[аеу] \w+го)\b",
        ),
        (
            TimeGrain.EXACT,
            r"\b(?:at|о|об|в|во|у|до|з|с|by|until)\s(?:[01]?\d"
            r"|2[0-4])\.(?!00)[0-5]\d(?![\d.])(?!\s?(?:km|км|м\b|m\b|кг|kg|%|т\b|t\b|млн|млрд|тис"
            r"|тыс|°))",
        ),
        (
            TimeGrain.EXACT,
            r"\b(?:[01]\d|2[0-4])(?!00)[0-5]\d\s?(?:Z\b|hrs?\b|UTC\b|GMT\b|local\b)"
            r"|\b0\d(?!00)[0-5]\d\b(?=\s?(?:h\b|hours\b))",
        ),
        (TimeGrain.EXACT, r"\b\d{2}(?:[01]\d|2[0-4])(?!00)[0-5]\d\s?[A-IK-Z](?:\b|\s?[A-Z]{3}\s?\d\d)"),
        (TimeGrain.EXACT, r"\d{8}T\d\d(?!00)\d\d"),
        (TimeGrain.HOUR, r"\b\d{1,2}(?:[.:]\d\d)?\s?[ap]\.?\s?m\b"),
        (
            TimeGrain.HOUR,
            r"\bo['’]clock\b|\b(?:noon|midday|midnight|sunrise|sunset|опівдні|опівночі|полудень"
            r"|полуден\w*|полдень|полночь|полуноч\w*|північ\b(?= настала))",
        ),
        (
            TimeGrain.HOUR,
            r"\b(?:[01]\d|2[0-4])[0-5]\d\s?(?:Z\b|hrs?\b|UTC\b|GMT\b|local\b)"
            r"|\b0\d[0-5]\d\b(?=\s?(?:h\b|hours\b))|\b(?:at|by|until|from)\s0\d[0-5]\d\b",
        ),
        (
            TimeGrain.HOUR,
            r"\b\d{2}(?:[01]\d|2[0-4])[0-5]\d\s?[A-Z](?:\b|\s?[A-Z]{3}\s?\d\d)|\d(?:T"
            r"|\s)\d\d:?\d\d(?::?\d\d)?(?:Z|[+−-]\d\d)|\d{4}-\d\d-\d\d\s?(?-i:T)|\d{8}T\d\d",
        ),
        (
            TimeGrain.HOUR,
            r"\b(?:о|об|в|во|у|до|з|із|с|після|после|близько|около|на"
            r"|к)\s+(?:\d{1,2}(?:-?[а-яіїє]{1,3})?|[а-яіїєё’']{1,12}(?:ій|ої|ою|ть|мь|сім|їм|ять|ри|ва|іх"
            r"|ёх|ти|ми))\s*(?:годин\w*|год\b|час(?:а|ов|у|ам)?\b)",
        ),
        (
            TimeGrain.HOUR,
            r"\b(?:о|об)\s+(?:\d{1,2}|перш|друг|трет|четверт|п['’ʼ]ят|шост|сьом|восьм|дев['’ʼ]ят"
            r"|десят|одинадцят|дванадцят)(?:-?(?:й|ій|ої))?\b(?!\s?[.,]?\d)",
        ),
        (
            TimeGrain.HOUR,
            r"\b\d{1,2}\s+(?:ранку|вечора|ночі|дня|утра|вечера|ночи)\b"
            r"|\b\d{1,2}-?[йіая]?\s?(?:годин[іиа]|год\.)",
        ),
        (
            TimeGrain.HOUR,
            r"\bat (?:one|two|three|four|five|six|seven|eight|nine|ten|eleven"
            r"|twelve)\b(?!\s+(?:places?|points?|sites?|of|locations?|other|different))"
            r"|\b(?:in the )?(?:small|early) hours\b",
        ),
        (
            TimeGrain.HOUR,
            r"\b(?:(?:morning|afternoon|evening|night)s?|tonight|dawn|dusk|nightfall|daybreak|вранці"
            r"|зранку|уранці|ранок|ранку|ввечері|увечері|вечір|вечора|вечор(?:ів|ами|ах|и)|ранків"
            r"|ночей|вдень|удень|вночі|уночі|ніч|ночі|світанк\w+|пополудні)\b",
        ),
        (
            TimeGrain.HOUR,
            r"\b(?:утр[оаеу]м?|утрам|днём|днем|вечер(?:а|ом|у|е|ам|ов|ами|ах)?|ночей|ночами|ноч(?:ь"
            r"|ью|и)|рассвет\w*|сумер\w+|пополудни)\b",
        ),
        (
            TimeGrain.DAY,
            rf"(?<![\d:])\d{{1,2}}(?!\d)[^\W\d_]{{0,4}}[\s.,/’'-]{{0,3}}(?:[^\W\d_]{{1,5}}\s)?{_MONTH}",
        ),
        (TimeGrain.DAY, rf"\b{_MONTH}[\s.,/-]{{1,3}}(?:the\s)?(?:0?[1-9]|[12]\d|3[01])(?!\d|[.,]\d|\s?[°%])"),
        (
            TimeGrain.DAY,
            r"\b(?:[а-яіїєё]{1,20}(?:ого|его|ього|ое|є)|[a-z-]{0,16}(?:first|second|third|fourth|fifth|sixth"
            rf"|seventh|eighth|ninth|tenth|elfth|teenth|tieth))\s(?:of\s)?{_MONTH}",
        ),
        (
            TimeGrain.DAY,
            r"(?<!\d)(?:\d{1,2}\s?[./-]\s?\d{1,2}\s?[./-]\s?(?:19|20)?\d\d|(?:19"
            r"|20)\d\d\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,2})(?!\d)",
        ),
        (
            TimeGrain.DAY,
            r"(?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)|(?:19"
            r"|20)\d\d-(?:W\d\d-\d|[0-3]\d\d\b)",
        ),
        (
            TimeGrain.DAY,
            r"\b(?:з|із|с|до|по|від|от|на|on|from|until|by)\s(?:0[1-9]|[12]\d|3[01])\.(?:0[1-9]"
            r"|1[0-2])(?![\d.]\d|\d)",
        ),
        (
            TimeGrain.DAY,
            r"\b(?:on|by|until|till|before|since|from)\sthe\s\d{1,2}(?:st|nd|rd|th)\b"
            r"|\b\d{1,2}(?:-?го)?\s+числ[ао]\b",
        ),
        (
            TimeGrain.DAY,
            r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:понеділ(?:ок|к)|вівтор(?:ок|к)"
            r"|серед[аиу]\b|четвер(?=га?\b|гом\b|\b)|п['’ʼ]?ятниц|субот|неділ[яіюе]|понедельник"
            r"|вторник|сред[уы]\b|четверг|суббот|воскресень)\w*",
        ),
        (
            TimeGrain.DAY,
            r"\b(?:yesterday|today|tomorrow|tonight|the (?:day before|previous day|next day"
            r"|following day|same day)|(?:\d+|two|three|few) days (?:ago|before|earlier|later))\b",
        ),
        (
            TimeGrain.DAY,
            r"\b(?:вчора|учора|сьогодні|завтра|позавчора|післязавтра|напередодні|наступного дня"
            r"|того ж дня|вчера|сегодня|позавчера|послезавтра|накануне|на следующий день"
            r"|в тот же день|(?:\d+|два|три) дн[іія]\w* тому|(?:\d+|два|три) дн[яей]+ назад)\b",
        ),
        (
            TimeGrain.WEEK,
            r"\b(?:19|20)\d\d-?W\d\d\b|\bweek(?:s|end)?\b|\b(?:fortnight)\b|\bтиж(?:д|н)\w*"
            r"|\bнедел\w+|\bвихідн\w+|\bвыходн\w+",
        ),
        (
            TimeGrain.WEEK,
            r"(?<!until the )(?<!till the )(?<!by the )(?<!before the )(?<!through the )\b(?:early"
            rf"|mid|late|beginning of|middle of|end of|half of)[\s-]+{_MONTH}",
        ),
        (
            TimeGrain.WEEK,
            r"\b(?:на початку|в начале|[ув] середин[іе]|посеред|наприкінці|[ву] кінці"
            rf"|в конце)\s+{_MONTH}",
        ),
        (TimeGrain.MONTH, rf"\b{_MONTH}"),
        (
            TimeGrain.MONTH,
            r"\b(?:last|this|next|previous|same) month\b|\b(?:минул|цьо|наступн|тоого"
            r"|поточн)\w*\s+місяц\w+|\b(?:прошл|эт|следующ|текущ)\w+\s+месяц\w*|\b(?:0?[1-9]"
            r"|1[0-2])[./](?:19|20)\d\d\b|\b(?:19|20)\d\d-(?:0[1-9]|1[0-2])\b",
        ),
        (
            TimeGrain.QUARTER,
            r"\bquarter\b|\bQ[1-4]\b|\bквартал\w*|\b(?:spring|summer|autumn|winter|весн[аиоуы]\w*"
            r"|навесні|літ(?:о|ом|а|ку)\b|влітку|улітку|осен[иьі]\w*|осінь|восени|зим[аиоуы]\w*"
            r"|взимку|узимку|лет(?:о|ом|а)\b)\b",
        ),
    ]
]
_MONDAY = compiled(
    rf"\b(?:the week of|тиж(?:день|ня|ні|нем) від|недел(?:я|и|е|ю|ей) с) \d{{1,2}} {_MONTH}", _I
)

_SIDES = (
    r"(?:[NSEW]\b|north|south|east|west|пн|пд|сх|зх|з\.\s?д|с\.\s?ш|ю\.\s?ш|в\.\s?д|півн|півд|східн"
    r"|західн|северн|южн|восточ|западн)"
)
_PLACES: list[tuple[PlaceGrain, str, re.Pattern[str]]] = [
    (grain, kind, compiled(pattern))
    for grain, kind, pattern in [
        (PlaceGrain.EXACT, "place", r"\d{1,3}[.,]\d{2,}[^\d\n]{1,16}\d{1,3}[.,]\d{2,}"),
        (PlaceGrain.EXACT, "place", rf"\d{{1,3}}[.,]\d{{2,}}\s?[°º˚]|\d{{1,3}}[.,]\d{{2,}}\s?{_SIDES}"),
        (
            PlaceGrain.EXACT,
            "place",
            r"\d\s?[°º˚]\s?\d{1,2}\s?(?:[.,]\d+\s?)?['′’ʹ]|\d{4,6}[NS]\s?\d{5,7}[EW]",
        ),
        (
            PlaceGrain.EXACT,
            "place",
            r"\b\d{1,2}[C-X]\s?[A-Z]{2}\s?(?:\d{3,10}|\d{1,5}\s\d{2,5})\b"
            r"|[2-9CFGHJMPQRVWX]{4,8}\+[2-9CFGHJMPQRVWX]{2,3}|///\w+\.\w+\.\w+",
        ),
        (PlaceGrain.EXACT, "place", r"(?i:geo:|maps\.|goo\.gl|openstreetmap)"),
        (
            PlaceGrain.EXACT,
            "place-name",
            r"(?i:\b(?:street|avenue|boulevard|lane|вул\.|вулиц\w+|просп\w*|провулк\w+|бульвар\w*"
            r"|ул\.|улиц\w+|переул\w+)|\b(?:house|flat|apartment|building|буд\.|будинк\w+|дом[а-яё]?"
            r"|кв\.)\s+(?:no\.?\s?)?\d)",
        ),
        (
            PlaceGrain.SETTLEMENT,
            "place",
            rf"\d[.,]\d+\s?[°º˚]|\d{{1,3}}[.,]\d+\s?{_SIDES}\b"
            rf"|\b\d{{1,2}}[C-X]\s?[A-Z]{{2}}\s?\d{{2}}\b|\d{{1,3}}\.\d, -?\d{{1,3}}\.\d(?!\d)",
        ),
        (
            PlaceGrain.SETTLEMENT,
            "place-name",
            r"(?i:\b(?:town|village|hamlet|settlement|city|suburb)\b|\bсмт\b|\b(?:міст|сел)[оаіуі]\b"
            r"|\bселищ\w+|\bгород(?:а|е|у|ом)?\b|\bпос[её]л\w+|\bдеревн\w+|\bхутор\w*"
            r"|\b[мс]\.\s(?=[А-ЯІЇЄ]))",
        ),
        (
            PlaceGrain.SETTLEMENT,
            "place-name",
            r"(?i:\b\d+(?:[.,]\d+)?\s?(?:km|kilomet\w+|miles?|км|кілометр\w*"
            r"|километр\w*)\b[^.\n]{0,24}(?:north|south|east|west|from|of\b|off\b|inland|від|от\b"
            r"|північ|півден|схід|захід|север|юг|восток|запад))",
        ),
        (
            PlaceGrain.SETTLEMENT,
            "place-name",
            r"\b(?i:in|at|near|from|to|towards|outside|around|through|via|between|of|off|and|left"
            r"|reached|в|у|на|біля|під|до|з|із|зі|через|поблизу|коло|між|возле|под|близ|из|с|около"
            r"|от|між|между|по|і|та|и)\s(?:the\s)?[A-ZА-ЯІЇЄҐЁ][\w’'ʼ–-]*[a-zа-яіїєґё][\w’'ʼ-]*",
        ),
        (PlaceGrain.DISTRICT, "place", r"\d\s?[°º˚](?!\s?[CFСcfс]\b)|\b\d{1,2}[C-X]\s?[A-HJ-NP-Z]{2}\b"),
        (
            PlaceGrain.DISTRICT,
            "place-name",
            r"(?i:\b(?:district|raion|rayon|county|municipality)\b|\bрайон\w*|\bгромад[аиіу]\b"
            r"|\bповіт\w*|\bуезд\w*)",
        ),
        (
            PlaceGrain.REGION,
            "place-name",
            r"(?i:\b(?:oblast|province|region|governorate)\b|\bоблас[тн]\w*|\bкра[йяюе]м?\b"
            r"|\bгуберн\w+)",
        ),
    ]
]
_NO_PLACE = compiled(rf"\b\w+\s(?:the\s)?(?:{_MONTH}|Monday|Q[1-4]|I)\b", _I)


def finer(text: str, time: TimeGrain, place: PlaceGrain) -> list[Finding]:
    """What tells a time finer than `time`, or a place finer than `place`; in order."""
    return sorted({*_times(text, time), *_places(text, place)})


def _times(text: str, allowed: TimeGrain) -> Iterator[Finding]:
    rank = _T.index(allowed)
    if rank > _T.index(TimeGrain.EXACT):
        for found in _CLOCK.finditer(text):
            is_full = int(found[1]) == 0 and int(found[2] or 0) == 0
            if rank > _T.index(TimeGrain.HOUR) or not is_full:
                yield Finding(*found.span(), "time")
    weeks = [found.span() for found in _MONDAY.finditer(text)] if allowed is TimeGrain.WEEK else []
    for grain, pattern in _PATTERNS:
        if _T.index(grain) < rank:
            for found in pattern.finditer(text):
                if not any(start <= found.start() and found.end() <= end + 6 for start, end in weeks):
                    yield Finding(*found.span(), "time")


def _places(text: str, allowed: PlaceGrain) -> Iterator[Finding]:
    rank = _P.index(allowed)
    for grain, kind, pattern in _PLACES:
        if _P.index(grain) < rank:
            for found in pattern.finditer(text):
                if kind == "place" or not _NO_PLACE.fullmatch(found[0]):
                    yield Finding(*found.span(), kind)
