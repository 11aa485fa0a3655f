"""Invented people by the hundred thousand: typical name parts of a language put together by chance. Pure.

Given names are common ones; surnames are made: a root (half of them common words that became surnames, half
built from syllables) and an ending that surnames of the language have. So a decoy looks like a neighbour of
the real ones, and no decoy is anybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from random import Random
from typing import NamedTuple


class _Parts(NamedTuple):
    men: list[str]
    women: list[str]
    roots: list[str]
    onsets: list[str]
    vowels: list[str]
    codas: list[str]
    ends: list[tuple[str, str]]
    """Of a man's surname, of a woman's."""


def _parts(men: str, women: str, roots: str, onsets: str, vowels: str, codas: str, ends: str) -> _Parts:
    pairs = [each.partition("/") for each in ends.split()]
    return _Parts(
        men.split(),
        women.split(),
        roots.split(),
        onsets.split(),
        vowels.split(),
        codas.split(),
        [(man.strip("-"), (woman or man).strip("-")) for man, _, woman in pairs],
    )


PARTS = {
    "uk": _parts(
        "Андрій Богдан Василь Віктор Віталій Володимир Григорій Данило Денис Дмитро Євген Захар Іван Ігор "
        "Кирило Леонід Максим Марко Микита Микола Михайло Назар Олег Олександр Олексій Остап Павло Петро "
        "Роман Руслан Сергій Степан Тарас Тимофій Федір Юрій Ярослав Артем Борис Валентин",
        "Алла Анна Богдана Валентина Віра Вікторія Галина Дарина Зоряна Інна Ірина Катерина Лариса Леся "
        "Людмила Марина Марія Мирослава Надія Наталія Оксана Олена Ольга Поліна Раїса Світлана Соломія "
        "Софія Тетяна Уляна Юлія Ярина",
        "Бондар Гонч Дяч Ковал Крав Кухар Лис Мельн Мороз Паламар Пасіч Пономар Рибал Скляр Столяр Ткач "
        "Чабан Чумак Швец Шинкар Горобц Журавл Заєць Кобз Козач Осад Полян Сич Тесл Яблун",
        "б бр в г гл гр д др ж з к кл кр л м н п пр р с ст т тр х ч ш",
        "а е и і о у",
        "б в г д ж з к л м н п р рк рт с ст т х ч ш лк нд",
        "-енко -ук -юк -чук -ський/-ська -цький/-цька -ич -ець -ко -ів -ченко -ан -ай -ишин",
    ),
    "ru": _parts(
        "Алексей Анатолий Андрей Антон Аркадий Артём Борис Вадим Валерий Василий Виктор Виталий Владислав "
        "Вячеслав Геннадий Георгий Глеб Григорий Даниил Денис Егор Захар Игорь Илья Кирилл Константин Лев "
        "Леонид Максим Матвей Никита Олег Павел Роман Руслан Семён Степан Тимофей Фёдор Юрий Ярослав",
        "Алина Алла Анастасия Валентина Вера Вероника Виктория Галина Дарья Екатерина Елена Жанна Зоя Инна "
        "Ирина Кира Лариса Лидия Людмила Маргарита Марина Надежда Нина Оксана Ольга Полина Раиса Светлана "
        "София Тамара Ульяна Юлия",
        "Бобр Вороб Голуб Гончар Дрозд Жук Зайц Карас Ключник Козл Корол Кузнец Лебед Лисиц Мельник Мороз "
        "Овчин Пастух Плотник Рыбак Сазон Скворц Соболь Сорок Столяр Тарас Фил Черн Шуб Ягод",
        "б бр в г гл гр д др ж з к кл кр л м н п пр р с ст т тр х ч ш",
        "а е и о у ы",
        "б в г д ж з к л м н п р рк рт с ст т х ч ш лк нд",
        "-ов/-ова -ев/-ева -ин/-ина -ский/-ская -ников/-никова -цев/-цева -ышев/-ышева -енков/-енкова "
        "-ихин/-ихина",
    ),
    "bg": _parts(
        "Ангел Антон Атанас Асен Божидар Борислав Васил Веселин Виктор Владимир Георги Даниел Деян Димитър "
        "Емил Живко Ивайло Иван Калин Кирил Красимир Любомир Людмил Мартин Милен Николай Огнян Петко Пламен "
        "Радослав Румен Светослав Симеон Стоян Тодор Христо Цветан Явор Янко",
        "Анелия Ася Боряна Ваня Василка Венета Весела Виолета Гергана Даниела Десислава Диана Елена Ива "
        "Ивелина Йорданка Калина Лилия Маргарита Милена Мариана Надежда Невена Павлина Пенка Радка Ралица "
        "Росица Силвия Стефка Цветелина",
        "Бояджи Ватах Вълк Гайдар Грънчар Дюлгер Златар Казанджи Калайджи Караман Ковач Колар Лозан Мелнич "
        "Овчар Орл Пчелар Рибар Самоковл Сарафан Слав Терзи Тютюндж Хлебар Чобан Шивач Ябълк",
        "б бр в г гл гр д др ж з к кл кр л м н п пр р с ст т тр х ч ш",
        "а е и о у ъ",
        "б в г д ж з к л м н п р рк рт с ст т х ч ш лк нд",
        "-ов/-ова -ев/-ева -иев/-иева -ски/-ска -чев/-чева -ков/-кова -джиев/-джиева -шки/-шка",
    ),
    "pl": _parts(
        "Adam Adrian Artur Bartosz Bogdan Cezary Damian Daniel Dariusz Dominik Edward Emil Filip Grzegorz "
        "Henryk Hubert Ireneusz Jacek Jakub Janusz Jerzy Kamil Karol Konrad Leszek Łukasz Maciej Marcin "
        "Marek Mariusz Patryk Przemysław Rafał Roman Sebastian Sławomir Szymon Tadeusz Waldemar Wojciech",
        "Agata Agnieszka Aleksandra Alicja Aneta Beata Bożena Danuta Dorota Edyta Elżbieta Ewa Grażyna "
        "Halina Hanna Irena Iwona Jadwiga Jolanta Justyna Karolina Kinga Lidia Magdalena Maria Monika "
        "Natalia Paulina Renata Sylwia Zofia",
        "Bedn Bor Cieśl Dąb Głow Goł Grab Jabłoń Jastrzęb Kal Karcz Klon Kot Kowal Krupn Lewan Lip Łuk Mal "
        "Młyn Ogrod Pawl Piekar Ryb Sad Sok Stol Szew Tkacz Wierzb Wilcz Wron",
        "b br c ch cz d dr g gl gr j k kl kr l ł m n p pr r rz s sk sz t tr w wł z",
        "a ą e i o u y",
        "b c cz d g j k l ł m n p r rz s sk st sz t w z ż",
        "-owski/-owska -ewski/-ewska -iński/-ińska -icki/-icka -ak -ek -czyk -cki/-cka -owicz -iec -uk -arz",
    ),
    "cs": _parts(
        "Adam Aleš Antonín Bohumil Bořivoj Břetislav Čeněk Dalibor Dominik Eduard Filip Hynek Ivo Jakub "
        "Jaromír Jindřich Karel Kryštof Ladislav Leoš Libor Lubomír Luděk Lukáš Marek Matěj Michal Milan "
        "Oldřich Ondřej Otakar Patrik Radek Robert Roman Rostislav Stanislav Svatopluk Vít Zdeněk",
        "Adéla Alena Alžběta Anežka Barbora Blanka Božena Dana Denisa Drahomíra Eliška Hana Helena Irena "
        "Ivana Jarmila Jitka Kamila Karolína Klára Lenka Lucie Ludmila Marie Markéta Martina Milada Monika "
        "Petra Šárka Veronika Zuzana",
        "Bednář Beran Čáp Dolež Dvoř Hájek Havel Holub Horák Chalup Jeřáb Kolář Kop Koval Kouk Krejč Lisk "
        "Mach Mal Mlýn Nováč Ples Pokor Rych Sed Sklen Slav Soukup Svob Tesař Vrab Zahrad",
        "b br c č d dr h hl hr j k kl kr l m n p pr r ř s sk š t tr v z ž",
        "a á e ě i í o u ů y",
        "b c č d h j k l m n p r ř s st š t v z ž",
        "-ák/-áková -ek/-ková -ík/-íková -ský/-ská -ný/-ná -ka/-ková -al/-alová -ec/-cová -ář/-ářová "
        "-ička/-ičková",
    ),
    "sl": _parts(
        "Aleš Aljaž Andrej Anže Blaž Bojan Borut Boštjan Branko Ciril Damjan Dejan Drago Dušan Gašper "
        "Gorazd Gregor Igor Ivan Jaka Janko Jernej Jurij Klemen Luka Marjan Marko Matej Matjaž Mitja Nejc "
        "Peter Primož Rok Samo Simon Stane Tilen Tomaž Uroš Vid Žiga",
        "Alenka Ana Andreja Anja Barbara Bojana Breda Darja Eva Helena Irena Jana Jasna Jožica Karmen Lara "
        "Lidija Ljudmila Maja Marjeta Marta Mateja Metka Milena Mojca Nataša Neža Nina Petra Polona Sabina "
        "Tina Urška Vesna Zala",
        "Bezj Breg Cank Čern Dolin Gaber Golob Gorj Hrib Jazbe Javor Kastel Klan Kol Kopit Kov Kran Lap Log "
        "Mlak Mrav Oblak Pečn Pirn Potoč Rupn Skal Smrek Vodn Volk Zajc Žag",
        "b br c č d dr g gl gr h j k kl kr l m n p pr r s sk š t tr v z ž",
        "a e i o u",
        "b c č d g h j k l m n p r s st š t v z ž lj nj",
        "-ar -nik -ič -ovič -šek -ec -ak -an -č -šnik -ovec -ej -un",
    ),
    "id": _parts(
        "Adam Alan Albert Andrew Arthur Bruce Carl Charles Clifford Colin Dennis Douglas Edmund Edwin Eric "
        "Ernest Felix Francis Frank Gerald Gilbert Gordon Graham Harold Henry Herbert Howard Hugo Julian "
        "Keith Kenneth Lionel Marcus Martin Maurice Nigel Norman Oscar Philip Ralph Stuart Victor Walter "
        "Wilfred Grigory Bogdan Stefan Yaroslav",
        "Agnes Alice Amelia Audrey Beatrice Brenda Caroline Cecilia Charlotte Clara Deborah Dorothy Edith "
        "Eleanor Emily Esther Florence Frances Gloria Grace Hazel Helen Irene Isabel Janet Joyce Judith "
        "Laura Lillian Lucy Marjorie Martha Mildred Norma Olive Pamela Rosemary Sheila Sylvia Vera Violet "
        "Ludmila Oksana Svetlana",
        "Ash Barn Beck Birch Black Brad Brook Burn Clay Cliff Col Crow Dale Drake Elm Fair Fen Fox Glen "
        "Green Hart Hay Heath Hol Lang Ling Mar Mill Nor Oak Pen Red Rock Shel Stan Stock Thorn Wal West "
        "Wick Win Wood Kowal Bondar",
        "b bl br c cl cr d dr f fl g gr h j k l m n p pr r s sh st t th tr v w",
        "a e i o u ea oo",
        "b ck d g l ll m n nd ng p r rd rt s st t th v x",
        "-ton -ley -field -man -son -well -ford -worth -ham -by -er -wood -ing -enko -ovsky -sen -berg -ard "
        "-ell -ov",
    ),
}


def decoys(lang: str, count: int, real: Collection[str], seed: int = 1) -> Iterator[str]:
    """`count` different full names in the language and script of a vault, none equal to a name in `real`."""
    chance, parts = Random(f"{seed} {lang}"), PARTS[lang]
    met = {name.casefold() for name in real}
    while count:
        woman = chance.random() < 0.45
        given = chance.choice(parts.women if woman else parts.men)
        name = f"{given} {_surname(parts, woman, chance)}"
        if name.casefold() not in met:
            met.add(name.casefold())
            count -= 1
            yield name


def _surname(parts: _Parts, woman: bool, chance: Random) -> str:
    if chance.random() < 0.5:
        root = chance.choice(parts.roots)
    else:
        root = "".join(
            chance.choice(parts.onsets) + chance.choice(parts.vowels) for _ in range(chance.choice((1, 1, 2)))
        )
        root = (root + chance.choice(parts.codas)).capitalize()
    return root + chance.choice(parts.ends)[woman]
