"""Numbers written in words, in English, Ukrainian and Russian."""

from __future__ import annotations

from collections.abc import Mapping

_TEXT = """
2 two два дві двох двом двома две двух двум двумя двоє двое
3 three три трьох трьом трьома трёх трех трём трем тремя троє трое
4 four чотири чотирьох чотирьом чотирма четыре четырёх четырех четырём четырем четырьмя четверо
5 five п'ять п'яти п'ятьох п'ятьма пять пяти пятью п'ятеро пятеро
6 six шість шести шістьох шістьма шесть шестью
7 seven сім семи сімох сьома семь семью
8 eight вісім восьми вісьмох восемь восьмью восемью
9 nine дев'ять дев'яти дев'ятьох девять девяти девятью
10 ten десять десяти десятьох десятью
11 eleven одинадцять одинадцяти одиннадцать одиннадцати
12 twelve dozen дванадцять дванадцяти двенадцать двенадцати дюжина дюжину
13 thirteen тринадцять тринадцяти тринадцать тринадцати
14 fourteen чотирнадцять чотирнадцяти четырнадцать четырнадцати
15 fifteen п'ятнадцять п'ятнадцяти пятнадцать пятнадцати
16 sixteen шістнадцять шістнадцяти шестнадцать шестнадцати
17 seventeen сімнадцять сімнадцяти семнадцать семнадцати
18 eighteen вісімнадцять вісімнадцяти восемнадцать восемнадцати
19 nineteen дев'ятнадцять дев'ятнадцяти девятнадцать девятнадцати
20 twenty двадцять двадцяти двадцать двадцати
30 thirty тридцять тридцяти тридцать тридцати
40 forty сорок сорока
50 fifty п'ятдесят п'ятдесяти пятьдесят пятидесяти
60 sixty шістдесят шістдесяти шестьдесят шестидесяти
70 seventy сімдесят сімдесяти семьдесят семидесяти
80 eighty вісімдесят вісімдесяти восемьдесят восьмидесяти
90 ninety дев'яносто девяносто
100 сто
200 двісті двохсот двести двухсот
300 триста трьохсот трёхсот трехсот
400 чотириста чотирьохсот четыреста четырёхсот четырехсот
500 п'ятсот п'ятисот пятьсот пятисот
600 шістсот шестисот шестьсот
700 сімсот семисот семьсот
800 вісімсот восьмисот восемьсот
900 дев'ятсот дев'ятисот девятьсот девятисот
"""
_SCALES_TEXT = """
100 hundred
1000 thousand thousands тис тыс тисяча тисячі тисяч тисячу тисячами тысяча тысячи тысяч тысячу тысячами
1000000 million millions mln млн мільйон мільйона мільйони мільйонів миллион миллиона миллионы миллионов
1000000000 billion billions bn млрд мільярд мільярда мільярдів миллиард миллиарда миллиардов
"""


def _table(text: str) -> Mapping[str, int]:
    rows = (line.split() for line in text.split("\n") if line)
    return {word: int(value) for value, *words in rows for word in words}


ONE = ("one", "один", "одна", "одне", "одно", "одну")
_WORDS = _table(_TEXT)
SCALES = _table(_SCALES_TEXT)
"""What a number before it is multiplied by."""
NUMERALS = frozenset(_WORDS) | frozenset(SCALES)
"""Words that are numbers by themselves, in small letters, with one kind of apostrophe. One is too common."""


def value(words: list[str]) -> int:
    """The number that neighbouring numerals make: `two hundred five` is 205, `двадцять один` is 21."""
    total = part = 0
    for word in words:
        scale = SCALES.get(word)
        if scale is None:
            part += 1 if word in ONE else _WORDS[word]
        elif scale == 100:
            part = (part or 1) * 100
        else:
            total, part = total + (part or 1) * scale, 0
    return total + part


def follows(word: str) -> bool:
    """Whether a word can go on a number that has begun."""
    return word in NUMERALS or word in ONE
