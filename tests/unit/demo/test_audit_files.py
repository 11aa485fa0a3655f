"""The audit reads every file that was given, and finds what it says it looks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tearline.agreement import load
from tearline.demo.audit_files import check_files
from tearline.node import Node, media, previews, receive
from tearline.node.take_in_file import About, take_in_file
from tests.adoption import adopt
from tests.coalition import AGREEMENTS
from tests.media_files import picture
from tests.quick_sandbox import quick
from tests.unit.node.world import nodes, page, work

Coalition = dict[str, Node]
FORMS = """
[forms.coarse]
kind = "imagery"
gsd_m = 60
"""
CLAUSE = """
@id("forms")
@reason("Pictures go in the form that was agreed.")
permit (principal in Coalition::"FVEY", action == Action::"releaseTearline", resource)
when { resource.category == Category::"imagery" };
"""


@pytest.fixture
def coalition(tmp_path: Path) -> Iterator[Coalition]:
    """GBR has given USA a picture in a form, with its preview, and USA holds it."""
    folder = AGREEMENTS / "five-eyes"
    manifest = (folder / "agreement.toml").read_text(encoding="utf-8").replace('"five-eyes"', '"media"', 1)
    with quick(), nodes(tmp_path / "nodes", "GBR", "USA") as (gbr, usa):
        adopt(gbr, load(manifest + FORMS, CLAUSE, "media"))
        path = picture(tmp_path / "a.tif", told="Collector Kestrel-7")
        list(take_in_file(gbr, path, About(marking="TLP:GREEN")))
        while work(gbr) or media.attend(gbr):
            pass
        previews.attend(gbr)
        receive(usa, "GBR", page(gbr, usa))
        with the_file(gbr).open("rb") as stream:
            usa.blobs.put(stream, "its file")
        yield {"GBR": gbr, "USA": usa}


def the_file(gbr: Node) -> Path:
    view = gbr.view("USA")
    (file,) = view.released_files()
    return view.link(file.name)


def replaced(link: Path, content: bytes) -> None:
    link.unlink()
    link.write_bytes(content)


def test_when_the_laws_held_it_finds_nothing(coalition: Coalition) -> None:
    assert list(check_files(coalition)) == []


def another_file(nodes: Coalition) -> None:
    replaced(the_file(nodes["GBR"]), b"another")


def a_file_more(nodes: Coalition) -> None:
    the_file(nodes["GBR"]).with_name("more").write_bytes(b"")


def a_preview_that_says_something(nodes: Coalition) -> None:
    view = nodes["GBR"].view("USA")
    link = view.link(view.previews()[0].name)
    content = link.read_bytes()
    replaced(link, content[:-12] + b"\0\0\0\x01tEXtx\0\0\0\0" + content[-12:])


def words_of_the_original(nodes: Coalition) -> None:
    """As if a sanitizer had left a tag: in the file, in the row and in the report alike."""
    link, gbr = the_file(nodes["GBR"]), nodes["GBR"]
    old = gbr.view("USA").released_files()[0].sha256
    content = link.read_bytes() + b"Collector Kestrel-7"
    replaced(link, content)
    part = gbr.home.folder / "part"
    part.write_bytes(content)
    with part.open("rb") as stream:
        new = nodes["USA"].blobs.put(stream, "x").sha256
    with gbr.view("USA").begin() as writer:
        writer.driver.execute("UPDATE released_file SET sha256 = ?", (new,))
        writer.driver.execute(
            'UPDATE "out" SET body = CAST(replace(CAST(body AS TEXT), ?, ?) AS BLOB)', (old, new)
        )


@pytest.mark.parametrize(
    ("breach", "law"),
    [
        (another_file, "law 9"),
        (a_file_more, "law 5"),
        (a_preview_that_says_something, "law 2"),
        (words_of_the_original, "law 2"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_each_breach_is_found(coalition: Coalition, breach: Callable[[Coalition], None], law: str) -> None:
    breach(coalition)
    assert any(sentence.startswith(law) for sentence in check_files(coalition))
