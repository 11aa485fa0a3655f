"""`tearline scan`: a bad line is named and left out, its neighbours are scanned, nothing secret is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tearline.cli import main
from tearline.cli.scan import command, read
from tearline.scan import Scanner

PEOPLE = """\
id,name,kind,lang
HERON,Орест Дубогляд,person,uk
HERON,Orest Dubohliad,alias,
WREN,Ждана Кривописька,person,uk
"""
CALM = {"doc": "calm", "text": "Nothing to see at the pond."}
FULL = {"doc": "full", "text": "Вчора Ореста Дубогляда бачили біля ставу."}
NAMED = ("Орест", "Дубогляд", "Orest", "Dubohliad", "Ждана", "Кривописька", "Ореста", "ставу")
COLUMNS = ["doc", "start", "end", "id", "score", "disposition", "why"]


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "hits.jsonl"

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def documents(self, *rows: dict[str, Any]) -> str:
        return self.file("documents.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    def run(self, identities: str, documents: str, *more: str) -> Result:
        words = ["scan", "--identities", identities, "--documents", documents, "--output", str(self.output)]
        result = CliRunner().invoke(main, [*words, *more], catch_exceptions=False)
        if documents != "-":
            assert result.stdout == ""
        assert not any(name in result.output for name in NAMED), result.output
        assert not list(self.folder.glob("*.part"))
        return result

    def hits(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.read_text().splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def people(bench: Bench) -> str:
    return bench.file("people.csv", PEOPLE)


def test_a_hit_is_a_line_with_seven_columns_in_order(bench: Bench, people: str) -> None:
    result = bench.run(people, bench.documents(CALM, FULL))
    assert result.exit_code == 0
    assert result.stderr.startswith("2 documents, 1 hits (1 hold, 0 review, 0 note), 0 bad lines")
    (hit,) = bench.hits()
    assert list(hit) == COLUMNS
    assert (hit["doc"], hit["id"], hit["disposition"]) == ("full", "HERON", "hold")
    assert FULL["text"][hit["start"] : hit["end"]] == "Ореста Дубогляда"
    assert 0 < hit["score"] <= 1


def test_a_file_is_replaced_whole(bench: Bench, people: str) -> None:
    bench.output.write_text("what stood here")
    still_open = bench.folder / "still-open"
    still_open.hardlink_to(bench.output)
    bench.run(people, bench.documents(FULL))
    assert len(bench.hits()) == 1
    assert still_open.read_text() == "what stood here"


def test_offsets_are_code_points(bench: Bench, people: str) -> None:
    text = "🦆🦆 e\u0301 " + FULL["text"]
    bench.run(people, bench.documents({"doc": 7, "text": text}))
    (hit,) = bench.hits()
    assert hit["doc"] == 7
    assert text[hit["start"] : hit["end"]] == "Ореста Дубогляда"


def test_what_spreadsheets_write_is_read(bench: Bench) -> None:
    table = '\ufeffLang,"Id",note,NAME,Kind\r\nuk,HERON,"a, b","Дубогляд, Орест",Person\r\n\r\n'
    assert bench.run(bench.file("people.csv", table), bench.documents(FULL)).exit_code == 0
    assert [hit["id"] for hit in bench.hits()] == ["HERON"]


def test_a_documents_file_may_have_a_mark_and_crlf(bench: Bench, people: str) -> None:
    content = b"\xef\xbb\xbf" + json.dumps(FULL).encode() + b"\r\n\r\n"
    assert bench.run(people, bench.file("d.jsonl", content + json.dumps(FULL).encode())).exit_code == 0
    assert len(bench.hits()) == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"OWL,,person,uk", "there is no name; fill in id, name and kind"),
        (b" ,Somebody Else,person,uk", "there is no id;"),
        (b"OWL,Somebody", "there is no kind;"),
        (b"OWL,Somebody Else,spy,uk", "the kind is unknown; use one of person, alias, organisation,"),
        (b'OWL,"Somebody Else,person,uk', "this is not one row of CSV; close the quotation marks"),
        (b"OWL,\xffSomebody,person,uk", "byte 5 is not UTF-8; save the file as UTF-8"),
        (b"OWL,Some\rbody,person,uk", "this is not one row of CSV;"),
        (b"OWL,\xe2\x80\x94 .,person,", "the scanner would not find this name; write it longer"),
        (b"OWL,7,phone,", "the scanner would not find this name"),
    ],
)
def test_a_bad_identity_is_named_and_the_others_are_looked_for(bench: Bench, line: bytes, said: str) -> None:
    people = bench.file("people.csv", PEOPLE.encode().replace(b"HERON,Orest", line + b"\nHERON,Orest"))
    result = bench.run(people, bench.documents(FULL, {"doc": 2, "text": "Orest Dubohliad"}))
    assert result.exit_code == 1
    assert f"{people}, line 3: " in result.stderr
    assert said in result.stderr
    assert "1 bad lines" in result.stderr
    assert [hit["doc"] for hit in bench.hits()] == ["full", 2]
    assert "Somebody" not in result.output


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"not JSON: Dubohliad", "this is not JSON; write one JSON object on each line"),
        (b'{"doc": 1, "text": "Dubohliad"', "this is not JSON"),
        (b'{"doc": 1, "text": "\\ud800"}', "this is not JSON"),
        (b"[" * 100_000, "this is not"),
        (b'{"doc": 1}', "this is not a document; write"),
        (b'{"text": "Dubohliad"}', "this is not a document"),
        (b'{"doc": 1.5, "text": "x"}', "this is not a document"),
        (b'{"doc": null, "text": "x"}', "this is not a document"),
        (b'{"doc": 1, "text": ["Dubohliad"]}', "this is not a document"),
        (b'["doc", "text"]', "this is not a document"),
        (b'{"doc": 1, "text": "\xff"}', "byte 21 is not UTF-8"),
    ],
)
def test_a_bad_document_is_named_and_the_others_are_scanned(
    bench: Bench, people: str, line: bytes, said: str
) -> None:
    whole = json.dumps(FULL).encode()
    documents = bench.file("d.jsonl", whole + b"\n" + line + b"\n" + whole)
    result = bench.run(people, documents)
    assert result.exit_code == 1
    assert f"{documents}, line 2: {said}" in result.stderr
    assert "2 documents, 2 hits" in result.stderr
    assert len(bench.hits()) == 2


def test_a_line_without_end_is_not_held_in_memory(
    bench: Bench, people: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "MAX_LINE", 1 << 20)
    whole = json.dumps(FULL).encode()
    long = b'{"doc": 1, "text": "' + b"x" * (3 << 20) + b'"}'
    result = bench.run(people, bench.file("d.jsonl", long + b"\n" + whole + b"\n" + long))
    assert result.exit_code == 1
    assert "line 1: it is longer than 1 MiB; split the document" in result.stderr
    assert "line 3: it is longer than 1 MiB" in result.stderr
    assert "1 documents, 1 hits (1 hold, 0 review, 0 note), 2 bad lines" in result.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "there is no identity in it"),
        (b"id,name,kind,lang\n", "there is no identity in it"),
        (b"name,kind,lang\nx,person,\n", "the first line does not name one column 'id'"),
        (b"id,name,name,kind\n", "the first line does not name one column 'name'"),
        (b"id;name;kind;lang\nHERON;x;person;uk\n", "the first line does not name one column 'id'"),
        (PEOPLE.encode("utf-16"), "the first line"),
    ],
)
def test_without_identities_nothing_is_said_to_be_clean(bench: Bench, content: bytes, said: str) -> None:
    bench.output.write_text("what stood here")
    result = bench.run(bench.file("people.csv", content), bench.documents(FULL))
    assert result.exit_code == 1
    assert said in result.stderr
    assert bench.output.read_text() == "what stood here"


def test_files_that_cannot_be_opened(bench: Bench, people: str) -> None:
    missing = str(bench.folder / "missing")
    for identities, documents in ((missing, bench.documents(FULL)), (people, missing)):
        result = bench.run(identities, documents)
        assert (result.exit_code, result.stderr) == (1, f"tearline: {missing}: No such file or directory\n")
        assert not bench.output.exists()


def test_the_output_is_not_a_file_that_is_read(bench: Bench, people: str) -> None:
    documents = bench.documents(FULL)
    for taken in (people, documents):
        before = Path(taken).read_bytes()
        result = bench.run(people, documents, "--output", taken)
        assert result.exit_code == 1
        assert "this file is read at the same time" in result.stderr
        assert Path(taken).read_bytes() == before


def test_a_fault_of_ours_does_not_show_the_text(
    bench: Bench, people: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_scan = Scanner.scan

    def faulty(self: Scanner, text: str) -> object:
        if text == FULL["text"]:
            raise ValueError(text)
        return plain_scan(self, text)

    monkeypatch.setattr(Scanner, "scan", faulty)
    result = bench.run(people, bench.documents(FULL, CALM, {"doc": 3, "text": "Дубогляда Ореста"}))
    assert result.exit_code == 1
    assert "line 1: the document could not be scanned (ValueError); take it as not checked" in result.stderr
    assert [hit["doc"] for hit in bench.hits()] == [3]


def test_several_processes_give_the_same_lines_in_the_same_order(
    bench: Bench, people: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "BATCH", 200)
    rows = [{"doc": number, "text": (FULL if number % 3 else CALM)["text"]} for number in range(200)]
    documents = bench.documents(*rows, {"doc": "bad"}, FULL)
    results = []
    for processes in ("1", "3"):
        said = bench.run(people, documents, "--processes", processes)
        results.append((said.exit_code, said.stderr, bench.output.read_bytes()))
    assert results[0] == results[1]
    assert len(bench.hits()) == 134


def test_a_killed_process_is_no_clean_result(
    bench: Bench, people: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: Scanner, text: str) -> object:
        import os

        os._exit(9)

    monkeypatch.setattr(Scanner, "scan", killed)
    result = bench.run(people, bench.documents(FULL), "--processes", "2")
    assert result.exit_code == 1
    assert "a scanning process was killed" in result.stderr
    assert not bench.output.exists()
