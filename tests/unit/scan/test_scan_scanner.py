"""What the scanner must find, in invented names (tests/vectors/scan)."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tearline.scan import Disposition, Hit, Identity, Kind, Scanner
from tearline.terms import BadInput

KEY = b"k" * 32
VECTORS = Path(__file__).parents[2] / "vectors" / "scan"
CASES = [
    (case["name"], text)
    for path in sorted(VECTORS.glob("*.toml"))
    for case in tomllib.loads(path.read_text("utf-8"))["case"]
    for text in case["texts"]
]


def scanner(*names: str, kind: Kind = Kind.PERSON) -> Scanner:
    return Scanner([Identity(f"S{k}", name, kind) for k, name in enumerate(names)], key=KEY)


def spans(text: str, hits: list[Hit]) -> list[str]:
    return [text[hit.start : hit.end] for hit in hits]


@pytest.mark.parametrize(("name", "text"), CASES, ids=[f"{k}" for k in range(len(CASES))])
def test_a_name_is_found_in_every_form(name: str, text: str) -> None:
    hits = scanner(name, "Мирон Вовкодав", "Jadwiga Trzaskalska").scan(text)
    assert [hit.id for hit in hits] == ["S0"]
    assert hits[0].disposition in {Disposition.HOLD, Disposition.REVIEW}


@pytest.mark.parametrize(
    "text",
    [
        "Тарас поїхав. Вербовий кущ росте.",
        "Петро Вербовенко прибув.",
        "верба тарасова",
        "Тарас Бульба прибув.",
        "Вербова Тараса Бондаренка",
        "Taras. Verbovenko",
        "",
        "Т. е. это не так",
    ],
)
def test_others_are_not_found(text: str) -> None:
    assert scanner("Тарас Вербовенко").scan(text) == []


def test_a_span_covers_the_whole_name_and_counts_code_points() -> None:
    text = "🙂 Зустріч: Олександр Петрович Зимоградський, інженер."
    (hit,) = scanner("Зимоградський Олександр Петрович").scan(text)
    assert text[hit.start : hit.end] == "Олександр Петрович Зимоградський"


def test_a_span_in_a_repaired_text_is_one_of_the_original() -> None:
    text = "Був <b>Тар&#1072;с</b> Вер\u00adбов<i>енко</i>!"
    (hit,) = scanner("Тарас Вербовенко").scan(text)
    assert text[hit.start : hit.end] == "Тар&#1072;с</b> Вер\u00adбов<i>енко"
    assert hit.why.endswith("markup,invisible")


def test_a_surname_alone_follows_the_full_name() -> None:
    text = "Вербний сказав. Приїхав Тарас Вербний. Потім Вербного не бачили. Галина Вербна пішла."
    hits = scanner("Тарас Вербний", "Ілля Вербний").scan(text)
    assert spans(text, [hit for hit in hits if hit.id == "S0"]) == ["Вербний", "Тарас Вербний", "Вербного"]


def test_a_given_name_with_its_patronymic_follows_the_full_name() -> None:
    text = "Мирон Лукич Степовенко пішов. Мирона Лукича чекали."
    assert spans(text, scanner("Степовенко Мирон Лукич").scan(text))[-1] == "Мирона Лукича"
    assert scanner("Степовенко Мирон Лукич").scan("Мирона Лукича чекали.") == []


def test_a_rare_surname_alone_is_noted_and_a_shared_one_is_not() -> None:
    text = "Зараз Кривошапченка немає в місті."
    (hit,) = scanner("Мирон Кривошапченко", "Тарас Вербовенко").scan(text)
    assert (text[hit.start : hit.end], hit.disposition) == ("Кривошапченка", Disposition.NOTE)
    assert scanner("Мирон Кривошапченко", "Зоя Кривошапченко").scan(text) == []


def test_an_alias_of_one_word_wants_a_capital() -> None:
    alias = scanner("Яструб", kind=Kind.ALIAS)
    assert spans("Прийшов Яструб.", alias.scan("Прийшов Яструб.")) == ["Яструб"]
    assert spans("До Яструба йшли.", alias.scan("До Яструба йшли.")) == ["Яструба"]
    assert alias.scan("Над полем яструб.") == []


def test_organisations_and_call_signs() -> None:
    rows = [
        Identity("O", "Рибальське товариство Хвиля", Kind.ORGANISATION),
        Identity("C", "Грім-27", Kind.CALLSIGN),
    ]
    text = "У Рибальському товаристві «Хвиля» чули: Грім 27, на зв'язок!"
    assert [(hit.id, text[hit.start : hit.end]) for hit in Scanner(rows, key=KEY).scan(text)] == [
        ("O", "Рибальському товаристві «Хвиля"),
        ("C", "Грім 27"),
    ]


def test_namesakes_are_both_hit() -> None:
    assert [hit.id for hit in scanner("Тарас Вербовенко", "Вербовенко Тарас").scan("Тарас Вербовенко")] == [
        "S0",
        "S1",
    ]


def test_hits_and_identities_show_no_name() -> None:
    identity = Identity("S0", "Тарас Вербовенко", Kind.PERSON)
    (hit,) = Scanner([identity], key=KEY).scan("Тарас Вербовенко")
    for shown in (repr(identity), str(identity), repr(hit), f"{[identity]}"):
        assert "Вербовенко" not in shown


def test_an_index_on_file_finds_the_same_and_holds_no_name(tmp_path: Path) -> None:
    rows = [
        Identity("S0", "Тарас Вербовенко", Kind.PERSON),
        Identity("S1", "+380 50 000 11 22", Kind.PHONE),
    ]
    asked: list[str] = []

    class Vault:
        def rows(self, ids: list[str]) -> dict[str, list[Identity]]:
            asked.extend(ids)
            return {row.id: [row] for row in rows if row.id in ids}

    path = tmp_path / "index"
    made = Scanner(rows, key=KEY)
    made.save(path)
    opened = Scanner.open(path, key=KEY, names=Vault())
    text = "Тараса Вербовенка питали: (050) 000-11-22."
    assert opened.scan(text) == made.scan(text) != []
    assert set(asked) == {"S0", "S1"}
    raw = path.read_bytes()
    for canary in ("Вербовенко", "вербовенко", "verbovenko", "vrbvnk", "500001122"):
        assert canary.encode() not in raw


def test_an_index_is_refused_with_another_key_cut_or_foreign(tmp_path: Path) -> None:
    path = tmp_path / "index"
    scanner("Тарас Вербовенко").save(path)

    class Nobody:
        def rows(self, ids: list[str]) -> dict[str, list[Identity]]:
            return {}

    with pytest.raises(BadInput, match="another key"):
        Scanner.open(path, key=b"x" * 32, names=Nobody())
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(BadInput, match="cut"):
        Scanner.open(path, key=KEY, names=Nobody())
    path.write_bytes(b"{}\n")
    with pytest.raises(BadInput, match="not an index"):
        Scanner.open(path, key=KEY, names=Nobody())
    with pytest.raises(BadInput, match="cannot be read"):
        Scanner.open(tmp_path / "none", key=KEY, names=Nobody())


def test_an_identity_that_its_owner_no_longer_knows_is_not_hit(tmp_path: Path) -> None:
    path = tmp_path / "index"
    scanner("Тарас Вербовенко").save(path)

    class Nobody:
        def rows(self, ids: list[str]) -> dict[str, list[Identity]]:
            return {}

    assert Scanner.open(path, key=KEY, names=Nobody()).scan("Тарас Вербовенко") == []


def test_an_empty_vault_finds_nothing() -> None:
    assert Scanner([], key=KEY).scan("Тарас Вербовенко, +380500001122") == []


def test_names_without_a_letter_are_taken_and_found_nowhere() -> None:
    assert scanner("", "—", "…, .", "王小明").scan("— …, . 王小明") == []


def test_a_word_at_the_edge_of_a_block_is_found() -> None:
    found = scanner("Тарас Вербовенко")
    for pad in range(65530, 65545):
        (hit,) = found.scan("а " * (pad // 2) + "." * (pad % 2) + " Тарас Вербовенко")
        assert hit.end == pad // 2 * 2 + pad % 2 + 17


def test_a_long_line_takes_time_in_proportion() -> None:
    found = scanner("Тарас Вербовенко")
    text = "Тарас Вербовенко, " * 3000
    hits = found.scan(text)
    assert len(hits) == 3000
    assert found.scan("х" * 300_000) == found.scan("\u0301" * 300_000) == found.scan("І " * 100_000) == []


def test_a_given_name_with_any_patronymic_follows_a_full_name_without_one() -> None:
    found = scanner("Світлана Вербова")
    text = "Світлана Вербова прибула. Світлану Миколаївну ждали. Світлана Ковачевич пішла."
    assert spans(text, found.scan(text)) == ["Світлана Вербова", "Світлану Миколаївну"]
    assert found.scan("Світлана Миколаївна прибула.") == []


def test_a_preposition_is_no_initial() -> None:
    assert scanner("Wilbur Rosja").scan("Był W Rosja wczoraj.") == []
    assert scanner("Wilbur Rosja").scan("Był Rosja W") != []


def test_a_line_end_joins_nothing_that_fits_loosely() -> None:
    assert scanner("Тарас Вербовенко").scan("Тарас Вебро\nвенко прибув.") == []
    assert scanner("Вербовенко").scan("Вербо\nвенко прибув.") == []


def test_what_further_views_find_again_is_one_hit() -> None:
    (hit,) = scanner("Тарас Кривошапченко").scan("Та\nрас Кривошапченко прибув.")
    assert hit.why == "exact,cut"


def test_a_description_is_no_surname() -> None:
    found = scanner("голова Заріччя", "Остап Лихогляд оборонець прав меншин Підгір'я")
    assert spans(
        "Голова Заріччя прибув. У Заріччі тихо.", found.scan("Голова Заріччя прибув. У Заріччі тихо.")
    ) == ["Голова Заріччя"]
    text = "Остапа Лихогляда чекали. Згодом Лихогляд пішов, у Підгір'ї тихо."
    assert spans(text, found.scan(text)) == ["Остапа Лихогляда", "Лихогляд"]


def test_a_name_in_which_one_word_lacks_its_capital_keeps_its_surname() -> None:
    text = "Прибув Т. Вербовенко, а Марія Вербовенко ні."
    assert spans(text, scanner("Тарас вербовенко").scan(text)) == ["Т. Вербовенко"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Степан Ветко", "Прибув Степан Вейкер."),  # an edited stem with what is no ending
        ("Богдана Ластай", "Слово власті Данії. Власти Данії мовчать."),  # an edit in swapped order
        ("Tamara Hrykova", "Rick Tamaras came."),  # an h that begins a word is sounded
        ("Martin Kuba", "Було 7 куб.м. води."),
        ("Jaka Ma", "Nie wiem, jaki mają plan."),
    ],
)
def test_what_merely_resembles_a_name_is_not_found(name: str, text: str) -> None:
    assert scanner(name).scan(text) == []


def test_a_firm_is_no_rare_surname() -> None:
    found = scanner("Mirko Stoneberg")
    assert spans("Wczoraj Stoneberg pisał.", found.scan("Wczoraj Stoneberg pisał.")) == ["Stoneberg"]
    assert found.scan("Wczoraj Stoneberg News pisał.") == []
    assert found.scan("Об этом пишет Stoneberg вчера.") == []


def test_a_word_that_begins_a_sentence_is_no_surname_if_it_is_a_common_one() -> None:
    text = "Приїхав Тарас Садовий. Садовий стіл, садовий дім. Потім Садовий пішов."
    assert [hit.start for hit in scanner("Тарас Садовий").scan(text)] == [8, text.rindex("Садовий")]


def test_a_hyphen_before_an_empty_line_joins_nothing() -> None:
    assert scanner("Тарас Вербовенко").scan("Учора Тарас Вербо-\n\nвенко.") == []
