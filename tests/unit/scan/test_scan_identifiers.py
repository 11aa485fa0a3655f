"""Identifiers whatever their punctuation."""

from __future__ import annotations

import pytest

from tearline.scan import Disposition, Identity, Kind, Scanner

ROWS = [
    Identity("P", "+380 (50) 000-11-22", Kind.PHONE),
    Identity("E", "ivan.kolodiaz@mail.example", Kind.EMAIL),
    Identity("D", "АК 004417", Kind.DOCUMENT),
    Identity("G", "48.8501, 37.6012", Kind.OTHER),
]
SCANNER = Scanner(ROWS, key=b"k" * 32)


@pytest.mark.parametrize(
    ("id_", "written"),
    [
        ("P", "0500001122"),
        ("P", "(050) 000 11 22"),
        ("P", "00380-50-000-11-22"),
        ("P", "+38 050 000.11.22"),
        ("P", "٠٥٠٠٠٠١١٢٢"),
        ("P", "０５０－０００－１１－２２".replace("－", "-")),
        ("P", "+38\u00a0050\u00a0000\u201111\u201122"),
        ("E", "Ivan.Kolodiaz@mail.example"),
        ("E", "ivan.kolodiaz @ mail . example"),
        ("E", "ivan.kolodiaz+novyny@mail.example"),
        ("E", "write at ivan.kolodiaz@mail.example"),
        ("E", "write him at ivan.kolodiaz at mail dot example"),
        ("E", "Oles. ivan.kolodiaz@mail.example. Oles"),
        ("E", "ivan.kolodiaz (at) mail [dot] example"),
        ("E", "ivan[dot]kolodiaz[at]mail.example"),
        ("E", "ivan.kоlоdiaz@mail.example"),
        ("D", "AK004417"),
        ("D", "АК № 004417"),
        ("D", "ak-004-417"),
        ("D", "AK No. 004417"),
        ("D", "«АК» 004417"),
        ("D", "АК номер 004417"),
        ("G", "48.8501 37.6012"),
        ("G", "48,8502; 37,6011"),
        ("G", "N48.8501 E37.6012"),
        ("G", "lat 48.8501 lon 37.6012"),
        ("G", "широта: 48.8501, довгота: 37.6012"),
        ("G", "48°51'00\"N 37°36'04\"E"),
    ],
)
def test_an_identifier_is_found(id_: str, written: str) -> None:
    text = f"Передали: {written}; кінець."
    hits = SCANNER.scan(text)
    assert {hit.id for hit in hits} == {id_}
    assert all(hit.disposition is Disposition.HOLD for hit in hits)
    assert any(text[hit.start : hit.end].strip(" №") in written for hit in hits)


@pytest.mark.parametrize(
    "text",
    [
        "0500001123",
        "50 000",
        "ivan.kolodiaz@mail.exampla",
        "AK004418",
        "48.8601, 37.6012",
        "2024 року 15 липня",
    ],
)
def test_another_one_is_not(text: str) -> None:
    assert SCANNER.scan(text) == []
