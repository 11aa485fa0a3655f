"""Ukrainian and Russian: dates, numbers, units, euphony, dashes, the order of two things without one.

A unit is written out only where its form is sure: the genitive plural behind a number that asks for it, in
the nominative, accusative or genitive, and the genitive singular behind a fraction. Euphony: Ukrainian
orthography of 2019, sections 23-25; a slot is only where both forms are usual.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tearline.trace.slots.candidate import Candidate, words
from tearline.trace.terms import SlotKind

_L = "а-яіїєґё"
_DIGIT = re.compile(r"\d")
_DASH = re.compile(r"(?<=[^\s\d] )[–—](?= [^\s])")


class _Units(NamedTuple):
    """A unit's short form, its genitive plural, and its genitive singular."""

    short: str
    many: str
    part: str


class _Tongue(NamedTuple):
    code: str
    months: str
    month_stems: str
    year: tuple[str, str, str]
    """Genitive, locative, short."""
    year_genitive: frozenset[str]
    year_locative: frozenset[str]
    numbers: tuple[str, ...]
    """From two to ten, masculine; `two` feminine."""
    two: str
    spans: dict[str, str]
    """Nouns of time as they stand behind a number, and the gender."""
    before_span: frozenset[str]
    units: tuple[_Units, ...]
    scales: tuple[_Units, ...]
    money: _Units
    oblique: frozenset[str]
    """Prepositions whose case would show in a unit that is written out."""
    hedges: frozenset[str]
    matters: str
    conjunction: str
    counted: dict[str, str]
    """Things as they stand behind two to four in the nominative and accusative only, and the gender."""
    percent: tuple[tuple[str, str], ...]
    """The sign and the genitive plural; with a space and without one they have words of their own."""
    endings: str
    """Endings that only nouns and adjectives of one case have."""


_UK = _Tongue(
    "uk",
    "січня|лютого|березня|квітня|травня|червня|липня|серпня|вересня|жовтня|листопада|грудня",
    "січ|лют|берез|квіт|трав|черв|лип|серп|верес|жовт|листопад|груд",
    ("року", "році", "р."),
    words("до від після з із зі початку кінця середини протягом упродовж влітку навесні восени взимку"),
    frozenset(("у", "в")),
    ("два", "три", "чотири", "п’ять", "шість", "сім", "вісім", "дев’ять", "десять"),
    "дві",
    dict.fromkeys(words("дні днів тижні тижнів місяці місяців роки років рази разів"), "m")
    | dict.fromkeys(
        words("години годин хвилини хвилин доби діб ночі ночей сторінки сторінок частини частин"), "f"
    ),
    words("за через на кожні ще останні перші наступні ці"),
    (
        _Units("км", "кілометрів", "кілометра"),
        _Units("м", "метрів", "метра"),
        _Units("т", "тонн", "тонни"),
        _Units("кг", "кілограмів", "кілограма"),
        _Units("л", "літрів", "літра"),
        _Units("га", "гектарів", "гектара"),
        _Units("ГБ", "гігабайтів", "гігабайта"),
    ),
    (
        _Units("тис.", "тисяч", "тисячі"),
        _Units("млн", "мільйонів", "мільйона"),
        _Units("млрд", "мільярдів", "мільярда"),
        _Units("грн", "гривень", "гривні"),
    ),
    _Units("дол.", "доларів", "доларів"),
    words("у в при о об з із зі між над під перед к по"),
    words("близько приблизно орієнтовно майже понад ніж"),
    "ракет|снаряд|мін|танк|гармат|гвинтівок|дронів|бомб|боєприпас|військов|солдат|бойовик"
    "|полонен|біженц|осіб|людей"
    "|загибл|поранен|жертв|дол|євро|грив|рок|р\\.",
    "і",
    dict.fromkeys(
        words(
            "дні тижні місяці роки ящики контейнери вагони потяги поїзди насоси листи домени сервери файли"
            " знімки поверхи канали мости склади ангари намети кілометри метри мішки платежі перекази рейси"
            " випадки напрями рахунки комплекти маршрути зразки пункти об’єкти під’їзди"
        ),
        "m",
    )
    | dict.fromkeys(
        words(
            "години хвилини доби сторінки частини коробки бочки антени камери будівлі споруди машини"
            " вантажівки зустрічі поїздки фірми компанії адреси групи колії зміни партії світлини цистерни"
        ),
        "f",
    ),
    ((" %", " відсотків"), ("%", " процентів")),
    "ами|ями|ах|ях|ою|ею|єю",
)
_RU = _Tongue(
    "ru",
    "января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря",
    "янв|февр|март|апр|ма[йяе]|июн|июл|август|сент|октя|нояб|декаб",
    ("года", "году", "г."),
    words("до от после с начала конца середины течение летом весной осенью зимой"),
    frozenset(("в", "к")),
    ("два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять"),
    "две",
    dict.fromkeys(words("дня дней месяца месяцев года лет раза раз часа часов"), "m")
    | dict.fromkeys(words("недели недель минуты минут ночи ночей страницы страниц части частей"), "f"),
    words("за через на спустя каждые ещё последние первые следующие эти"),
    (
        _Units("км", "километров", "километра"),
        _Units("м", "метров", "метра"),
        _Units("т", "тонн", "тонны"),
        _Units("кг", "килограммов", "килограмма"),
        _Units("л", "литров", "литра"),
        _Units("га", "гектаров", "гектара"),
        _Units("ГБ", "гигабайтов", "гигабайта"),
    ),
    (
        _Units("тыс.", "тысяч", "тысячи"),
        _Units("млн", "миллионов", "миллиона"),
        _Units("млрд", "миллиардов", "миллиарда"),
        _Units("руб.", "рублей", "рубля"),
    ),
    _Units("долл.", "долларов", "долларов"),
    words("в во о об при с со между над под перед к ко по"),
    words("около примерно почти более менее чем свыше"),
    "ракет|снаряд|мин|танк|пуш|винтовок|дронов|бомб|боеприпас|военн|солдат|боевик|пленн|беженц|человек|людей"
    "|погибш|ранен|жертв|долл|евро|руб|год|лет|г\\.",
    "и",
    dict.fromkeys(
        words(
            "дня месяца года часа ящика контейнера вагона поезда насоса письма домена сервера файла снимка"
            " этажа канала моста склада ангара километра метра мешка платежа перевода рейса случая счёта"
            " комплекта маршрута образца пункта объекта здания сообщения"
        ),
        "m",
    )
    | dict.fromkeys(
        words(
            "недели минуты страницы части коробки бочки антенны камеры машины встречи поездки фирмы компании"
            " группы смены партии фотографии цистерны палатки записи"
        ),
        "f",
    ),
    (("%", " процентов"),),
    "ами|ями|ах|ях|ою|ею",
)


_NUMERAL = re.compile(
    r"(?:двадц|тридц|сорок|п.?ят.?десят|шіст|шест|сімдесят|семьдесят|вісімдесят|восемьдесят|дев.?яност|сто\Z"
    r"|двіст|двест|трист|чотирист|четырест|тисяч|тысяч|мільйон|миллион|один|одна|два|дві|две|три|чотири|четыре"
    r"|(?:або|чи|или|до|по|до|номер|пункт[иі]?|частин[аи]?|част[ьи]|стр|розділ|глав[аы])\Z)"
)
_CLOCK = re.compile(
    rf"(?<=\d:\d\d )(?:(?:за|по) (?P<a>[{_L}]{{3,}})(?:им часом|ому времени)"
    rf"|(?P<b>[{_L}]{{3,}})(?:ого часу|ого времени))(?![\w’-])"
)


class _Rules:
    """The rules of one of the two languages."""

    def __init__(self, tongue: _Tongue, own: Callable[[str], Iterator[Candidate]]) -> None:
        self._t, self._own = tongue, own
        linked = r"(?:і|й|та|и|або|чи|или|до|по|–|—|-|,)"
        self._day = re.compile(rf"(?<![\w.,:/–—-])(?P<d>0?[1-9]) (?={'(?:' + tongue.months + ')'}\b)")
        self._linked = re.compile(rf"\d\s*{linked}\s*$|№\s*$")
        year = "|".join(map(re.escape, tongue.year))
        self._year = re.compile(
            rf"(?P<p>[{_L}]+)[ \u00a0](?:19|20)\d\d[ \u00a0](?P<y>{year})(?=[,;:)]| [(\d{_L}])"
        )
        self._month = re.compile(rf"(?:{tongue.month_stems})\w*\Z")
        numbers = "|".join([*tongue.numbers, tongue.two, r"[2-9]|10"])
        self._small = re.compile(rf"(?<!\w)(?P<p>[{_L}]+) (?P<n>{numbers}) (?P<w>{'|'.join(tongue.spans)})\b")
        self._few = re.compile(
            rf"(?P<p>[{_L}]+) (?P<n>{tongue.two}|{'|'.join(tongue.numbers[:3])}|[2-4])"
            rf" (?P<w>{'|'.join(tongue.counted)})(?![\w’-])"
        )
        self._thousands = re.compile(
            rf"(?<![\w.,:/#№-])(?<!№ )(?P<n>[1-9]\d{{0,2}}(?:[\u00a0\u202f]\d{{3}})+"
            rf"|[1-9]\d{{3,8}})(?= (?!{tongue.matters})[{_L}])"
        )
        self._counted = {
            name: re.compile(
                r"(?<![\w.,:/-])(?P<n>\d+(?:,\d+)?)[ \u00a0](?P<u>"
                + "|".join(
                    re.escape(form) for unit in units for form in sorted({*unit}, key=len, reverse=True)
                )
                + r")(?![\w/²³’'-])(?! ?\d)"
                + (rf"(?=[,;)]| [({_L}])" if name == "scale" else "")
            )
            for name, units in (("unit", tongue.units), ("scale", tongue.scales))
        }
        scales = "|".join(re.escape(form) for unit in tongue.scales for form in {*unit})
        self._money = re.compile(
            rf"(?:\d*(?:[05-9]|1[1-4])|{scales}) (?P<u>{re.escape(tongue.money.short)}"
            rf"|{tongue.money.many})(?= США)"
        )
        self._percent = re.compile(
            r"(?<=\d)(?P<p> ?%| відсотків| процентів| процентов)(?=[\s,;:)]|\.\s|\.?\Z)"
        )
        self._pair = re.compile(
            rf"(?<![{_L}])(?P<a>[{_L}]{{4,}}(?:{tongue.endings})) {tongue.conjunction} "
            rf"(?P<b>[{_L}]{{4,}}(?:{tongue.endings}))(?=[.,;:)]|\Z)"
        )

    def propose(self, sentence: str) -> Iterator[Candidate]:
        """All that the rules find, in any order; they may overlap."""
        if _DIGIT.search(sentence):
            yield from self._dates(sentence)
            yield from self._clocks(sentence)
            yield from self._thousands_of(sentence)
            yield from self._units(sentence)
        yield from self._small_numbers(sentence)
        yield from self._marks(sentence)
        yield from self._own(sentence)

    def _made(self, span: tuple[int, int], kind: SlotKind, name: str, options: tuple[str, str]) -> Candidate:
        return Candidate(*span, kind, f"{self._t.code}.{name}", options)

    def _dates(self, s: str) -> Iterator[Candidate]:
        for m in self._day.finditer(s):
            if not self._linked.search(s, max(0, m.start() - 8), m.start()):
                day = m["d"].lstrip("0")
                yield self._made(m.span("d"), SlotKind.DATE, "day-zero", (day, f"0{day}"))
        genitive, locative, short = self._t.year
        for m in self._year.finditer(s):
            word = m["p"]
            long = genitive if word in self._t.year_genitive or self._month.match(word) else ""
            long = locative if word in self._t.year_locative else long
            if long and m["y"] in {long, short}:
                yield self._made(m.span("y"), SlotKind.ABBREVIATION, "year", (long, short))

    def _small_numbers(self, s: str) -> Iterator[Candidate]:
        for m in self._small.finditer(s):
            number = int(m["n"]) if m["n"].isdigit() else 0
            word = self._t.numbers[number - 2] if number else m["n"]
            if number == 2 or word in {self._t.numbers[0], self._t.two}:
                word, number = (self._t.two if self._t.spans[m["w"]] == "f" else self._t.numbers[0]), 2
            if m["p"] in self._t.before_span:
                number = number or self._t.numbers.index(word) + 2
                yield self._made(m.span("n"), SlotKind.NUMBER, "small-number", (word, str(number)))

        for m in self._few.finditer(s):
            if m["p"] in self._t.before_span or _NUMERAL.match(m["p"]):
                continue
            feminine = self._t.counted[m["w"]] == "f"
            known = (self._t.two if feminine else self._t.numbers[0], *self._t.numbers[1:3])
            number = int(m["n"]) if m["n"].isdigit() else known.index(m["n"]) + 2 if m["n"] in known else 0
            if number:
                options = (known[number - 2], str(number))
                yield self._made(m.span("n"), SlotKind.NUMBER, "few", options)

    def _clocks(self, s: str) -> Iterator[Candidate]:
        for m in _CLOCK.finditer(s):
            stem = m["a"] or m["b"]
            options = (f"за {stem}им часом", f"{stem}ого часу")
            if self._t.code == "ru":
                options = (f"по {stem}ому времени", f"{stem}ого времени")
            if m[0] in options:
                yield self._made(m.span(), SlotKind.SYNONYM, "local-time", options)

    def _thousands_of(self, s: str) -> Iterator[Candidate]:
        for m in self._thousands.finditer(s):
            number = int(re.sub(r"\D", "", m["n"]))
            before = s[: m.start()].rstrip()
            if 1900 <= number < 2100 or not before or not (before[-1].islower() or before[-1] in ",(;"):
                continue
            spaced = f"{number:,}".replace(",", "\u00a0")
            yield self._made(m.span(), SlotKind.NUMBER, "thousands", (str(number), spaced))

    def _units(self, s: str) -> Iterator[Candidate]:
        for name, units in (("unit", self._t.units), ("scale", self._t.scales)):
            for m in self._counted[name].finditer(s):
                unit = next(unit for unit in units if m["u"] in unit)
                form = self._form(s, m, unit)
                if form and m["u"] in {unit.short, form}:
                    entry = f"{name}.{unit.short.rstrip('.')}"
                    yield self._made(m.span("u"), SlotKind.ABBREVIATION, entry, (unit.short, form))
        for m in self._money.finditer(s):
            yield self._made(m.span("u"), SlotKind.ABBREVIATION, "dollar", self._t.money[:2])
        for m in self._percent.finditer(s):
            number = re.search(r"(?<![\d,])\d*(?:[05-9]|1[1-4])\Z", s[: m.start()])
            options = next((pair for pair in self._t.percent if m["p"] in pair), None)
            if number and options:
                yield self._made(m.span("p"), SlotKind.ABBREVIATION, "percent", options)

    def _form(self, s: str, m: re.Match[str], unit: _Units) -> str:
        """The form in full, or nothing where it is not sure."""
        before = re.findall(r"\w+", s[max(0, m.start("n") - 40) : m.start("n")].lower())[::-1]
        near = next((word for word in before if word not in self._t.hedges), "")
        if len(before) > 1 and before[1] in unit:
            return ""  # "from 8 m to 14 m": both alike
        if "," in m["n"]:
            return unit.part
        if not re.fullmatch(r"\d*(?:[05-9]|1[1-4])", m["n"]):
            return ""
        return "" if near in self._t.oblique else unit.many

    def _marks(self, s: str) -> Iterator[Candidate]:
        found = list(_DASH.finditer(s))
        # Two of them enclose something: they must stay alike.
        for m in found if len(found) == 1 else ():
            yield self._made(m.span(), SlotKind.PUNCTUATION, "dash", ("–", "—"))
        for m in self._pair.finditer(s):
            one, other = sorted((m["a"], m["b"]))
            if one != other and one[-2:] == other[-2:] and _is_bare(s, m.start()):
                link = self._t.conjunction
                options = (f"{one} {link} {other}", f"{other} {link} {one}")
                yield self._made(m.span(), SlotKind.LIST, "two-things", options)


_SERIES = re.compile(
    r"(?<=\w, )(?P<a>[А-ЯЁ]?[а-яё-]{3,})(?P<s>(?:,? а также| и))(?= (?P<b>[А-ЯЁ]?[а-яё-]{3,})(?:[.,;:)]|\Z))"
)


def _series(s: str) -> Iterator[Candidate]:
    """Russian: the last of single words in a row of at least three, all names or all of one ending."""
    for m in _SERIES.finditer(s):
        first = s[: m.start()].rstrip(", ").rpartition(" ")[2]
        row = (first, m["a"], m["b"])
        alike = all(word[:1].isupper() for word in row) or len({word[-2:] for word in row}) == 1
        if alike and m["s"] in {" и", ", а также"} and "а также" not in s[: m.start()] + s[m.end() :]:
            yield Candidate(*m.span("s"), SlotKind.SYNONYM, "ru.series", (" и", ", а также"))


_BEFORE_PAIR = re.compile(r"(?:\b(?:переважно|здебільшого|преимущественно|между|між|над|по)|[.,;:(])\s*$")


def _is_bare(s: str, at: int) -> bool:
    """Whether no word that belongs to the first alone stands before the pair."""
    return bool(_BEFORE_PAIR.search(s, max(0, at - 20), at))


_VOWEL = "аеєиіїоуюя"
_CONSONANT = "бвгґджзклмнпрстфхцчшщ"
_AND = re.compile(rf"(?<=[{_VOWEL}]) (?P<u>[ій]) (?=[{_CONSONANT}][{_L}])")
_AND_TA = re.compile(rf"(?<![\w’-])(?P<a>[{_L}’]*[{_CONSONANT}ь]) (?P<u>і|та) (?P<b>[{_L}’]+)")
_NO_AND_LEFT = words(
    "так як він вам нам їм тим ним цим отож однак саме тож аж ось от чим раз ніж мов хоч теж зараз"
    " тепер там тут також усіх всіх лиш щоб який яких яким мов наче власне проте втім навіть ось між цих"
    " тих із під над об в у з без від"
)
_NO_AND_RIGHT = words(
    "не сам сама самі само досі далі надалі раніше сьогодні тепер зараз потім того тому так та той ті"
    " цього вже уже ще тим там тут що щоб яка який які як ж же й бо чи ніхто нічого сама самого самої"
    " далі"
)
_IN = re.compile(
    rf"(?:\A|(?<=[,(] )|(?<=[{_VOWEL}] ))(?P<u>[УуВв]) (?=[бгґджзклмнпрстхцчшщ][{_VOWEL}])", re.IGNORECASE
)
_FUTURE = re.compile(
    r"(?<![а-яіїєґё’'-])(?:(?P<be>буде|будуть) (?P<i>[а-яіїєґ’]{2,}[аиіїуюя]ти)(?P<r>ся)?"
    r"|(?P<i2>[а-яіїєґ’]{2,}[аиіїуюя]ти)(?P<e>ме(?:ться)?|муть(?:ся)?))(?![а-яіїєґё’'-])"
)
_IMPERSONAL = re.compile(r"(?:о|е|\bслід|\bшкода|\bякщо|\bчас|\bніде|\bнічого|\bнікому)\s$")
_REFLEXIVE = re.compile(rf"(?<![\w’'-])(?P<w>[{_L}’']{{2,}}(?:[аоиіуяїв]л[аои]|ти)с)[яь](?![\w’'-])")
_NO_REFLEXIVE = words("колись колися гулись")
_WITH = re.compile(rf"(?<=[бвгґдклмнпртфх]) (?P<u>з|із) (?=[бвгґдклмнпртфх][{_VOWEL}])")


def _euphony(s: str) -> Iterator[Candidate]:
    synonym = SlotKind.SYNONYM
    for m in _AND.finditer(s):
        yield Candidate(*m.span("u"), synonym, "uk.i-y", ("і", "й"))
    for m in _AND_TA.finditer(s):
        if m["a"] not in _NO_AND_LEFT and m["b"] not in _NO_AND_RIGHT and len(m["a"]) > 3 and len(m["b"]) > 2:
            yield Candidate(*m.span("u"), synonym, "uk.i-ta", ("і", "та"))
    for m in _IN.finditer(s):
        options = ("У", "В") if m["u"].isupper() else ("у", "в")
        yield Candidate(*m.span("u"), synonym, "uk.u-v", options)
    for m in _FUTURE.finditer(s):
        stem, many = m["i"] or m["i2"], m["be"] == "будуть" or (m["e"] or "").startswith("муть")
        own = bool(m["r"]) or bool(m["e"] and m["e"].endswith("ся"))
        if m.start() and (many or not _IMPERSONAL.search(s, max(0, m.start() - 12), m.start())):
            one = f"{'будуть' if many else 'буде'} {stem}{'ся' if own else ''}"
            other = stem + (("муться" if own else "муть") if many else "меться" if own else "ме")
            yield Candidate(*m.span(), synonym, "uk.future", (one, other))
    for m in _REFLEXIVE.finditer(s):
        if m[0].lower() not in _NO_REFLEXIVE:
            yield Candidate(*m.span(), synonym, "uk.sia", (f"{m['w']}я", f"{m['w']}ь"))
    for m in _WITH.finditer(s):
        yield Candidate(*m.span("u"), synonym, "uk.z-iz", ("з", "із"))


ukrainian, russian = _Rules(_UK, _euphony).propose, _Rules(_RU, _series).propose
