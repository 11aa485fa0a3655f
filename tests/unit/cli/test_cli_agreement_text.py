"""`tearline agreement` on texts: check, fmt, diff, redline, template."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tearline.agreement.templates import TEMPLATES
from tearline.cli import main
from tests.coalition import AGREEMENTS, free_port

CLAUSES = """\
@id("one")
@reason("Example.")
@review("2999-01-01")
permit (principal == Partner::"UKK", action == Action::"release", resource)
when { resource.title like "a*" && resource.level <= 3 };
"""
SOON = date.today() + timedelta(days=30)


def run(*words: object, typed: str | None = None, colour: bool = False) -> Result:
    arguments = ["--home", "/nowhere/node", "agreement", *map(str, words)]
    return CliRunner().invoke(main, arguments, input=typed, catch_exceptions=False, color=colour)


def done(*words: object, typed: str | None = None) -> str:
    result = run(*words, typed=typed)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def refused(*words: object, typed: str | None = None) -> str:
    result = run(*words, typed=typed)
    assert result.exit_code == 1, result.output
    assert result.stderr.count("tearline: ") == 1
    return result.stderr.partition("tearline: ")[2].rstrip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bilateral agreement."""
    return Path(shutil.copytree(AGREEMENTS / "bilateral", tmp_path / "two"))


# --- check ---------------------------------------------------------------------------------------


def test_check_shows_place_line_and_way_out(folder: Path) -> None:
    (folder / "clauses.cedar").write_text(CLAUSES)
    result = run("check", folder)
    assert (result.exit_code, result.stderr) == (1, "tearline: 2 errors: what has errors cannot be adopted\n")
    path = folder / "clauses.cedar"
    assert result.stdout == (
        'error[E013]: Partner::"UKK" is not declared\n'
        f" --> {path}:4:22\n"
        "  |\n"
        '4 | permit (principal == Partner::"UKK", action == Action::"release", resource)\n'
        "  |                      ^^^^^^^^^^^^^^\n"
        '  = help: write Partner::"UKR", or declare it in agreement.toml\n'
        "\n"
        "error[E010]: the profile has no like\n"
        f" --> {path}:5:23\n"
        "  |\n"
        '5 | when { resource.title like "a*" && resource.level <= 3 };\n'
        "  |                       ^^^^\n"
        "  = help: names are from closed lists: write them in full, by == or contains\n"
        "\n"
    )


def test_check_takes_several_folders_and_both_files(folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    manifest = (other / "agreement.toml").read_text()
    (other / "agreement.toml").write_text(manifest.replace("valid_until = 2040", "valid_until = 2010"))
    (other / "clauses.cedar").write_text(CLAUSES)
    result = run("check", folder, other, AGREEMENTS / "five-eyes")
    assert result.exit_code == 1
    assert "3 errors" in result.stderr
    assert re.findall(r"^ *--> .*/(\w+/[a-z.]+:\d+):", result.stdout, re.MULTILINE) == [
        "other/agreement.toml:5",
        "other/clauses.cedar:4",
        "other/clauses.cedar:5",
    ]
    assert result.stdout.count("keeps to the profile") == 2


def test_warnings_do_not_fail(folder: Path) -> None:
    text = (folder / "clauses.cedar").read_text()
    (folder / "clauses.cedar").write_text(
        re.sub(r'@review\("[^"]+"\)', '@review("2020-01-01")', text, count=1)
    )
    said = done("check", folder)
    assert said.startswith("warning[W001]: this clause was to be looked at again by 2020-01-01\n")
    assert "keeps to the profile" in said


def test_check_for_editors(folder: Path) -> None:
    (folder / "clauses.cedar").write_text(CLAUSES.replace("UKK", "UKR"))
    result = run("check", "--json", folder)
    assert result.exit_code == 1
    assert json.loads(result.stdout) == [
        {
            "file": str(folder / "clauses.cedar"),
            "line": 5,
            "column": 23,
            "end_column": 27,
            "severity": "error",
            "code": "E010",
            "message": "the profile has no like",
            "help": "names are from closed lists: write them in full, by == or contains",
        }
    ]
    assert json.loads(done("check", "--json", AGREEMENTS / "bilateral")) == []


def test_colour_is_for_terminals(folder: Path) -> None:
    (folder / "clauses.cedar").write_text(CLAUSES)
    assert "\x1b[" not in run("check", folder).stdout
    assert "\x1b[31m" in run("check", folder, colour=True).stdout


def test_nothing_that_stands_in_a_file_is_obeyed_by_the_terminal(folder: Path) -> None:
    (folder / "clauses.cedar").write_text(
        CLAUSES.replace("&& resource.level <= 3", "&& \t// \x1b[2J\n resource.use < 9")
    )
    said = run("check", folder).stdout
    assert "\x1b" not in said
    assert "\t" not in said


def test_carets_stand_under_wide_characters(folder: Path) -> None:
    (folder / "clauses.cedar").write_text(
        '@id("one") @reason("日本") @odd permit (principal, action, resource);'
    )
    line, carets = run("check", folder).stdout.split("\n")[3:5]
    assert line.startswith("1 | @id")
    assert carets.index("^") == line.index("@odd") + 2
    assert carets.count("^") == len("@odd")


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert "cannot be read" in refused("check", tmp_path / "none")
    assert "cannot be read" in refused("fmt", tmp_path / "none")
    (tmp_path / "agreement.toml").write_bytes(b"\xff")
    assert "not UTF-8" in refused("check", tmp_path)


# --- fmt -----------------------------------------------------------------------------------------


def test_fmt_lays_out_once(folder: Path) -> None:
    path = folder / "clauses.cedar"
    version = done("check", folder).rsplit(" ", 1)[1]
    path.write_text(path.read_text().replace("\npermit", "   permit").replace("&&", "\n  &&"))
    before = path.read_text()
    assert "not in the one layout" in refused("fmt", "--check", folder)
    shown = done("fmt", "--diff", folder)
    assert shown.startswith(f"--- {path}")
    assert "\n+permit (" in shown
    assert path.read_text() == before
    assert f"{path}: laid out anew." in done("fmt", folder)
    assert path.read_text() != before
    assert done("fmt", folder) == done("fmt", "--check", folder) == ""
    assert done("check", folder).rsplit(" ", 1)[1] == version


# --- diff ----------------------------------------------------------------------------------------


def test_diff_in_words_as_lines_and_as_data(folder: Path) -> None:
    old = AGREEMENTS / "bilateral"
    assert done("diff", old, folder) == "They say the same.\n"
    assert done("diff", "--text", old, folder) == ""
    path = folder / "clauses.cedar"
    path.write_text(
        path.read_text().replace('contains(Topic::"sanctions")', 'contains(Topic::"maritime")', 1)
    )
    manifest = folder / "agreement.toml"
    manifest.write_text(manifest.read_text().replace("2040", "2041"))
    words = done("diff", old, folder)
    assert "agreement: valid until 2041-01-01, 366 days longer (was 2040-01-01)\n" in words
    assert (
        "changed sanctions-whole: Releases whole, to UKR: reports up to CONFIDENTIAL, on maritime, unless"
        in words
    )
    assert "\n    now also topics maritime, no longer topics sanctions\n" in words
    lines = done("diff", "--text", old, folder)
    assert "\n-valid_until = 2040-01-01\n+valid_until = 2041-01-01\n" in lines
    data = json.loads(done("diff", "--json", old, folder))
    assert [(change["clause"], change["kind"]) for change in data["clauses"]] == [
        ("sanctions-whole", "changed")
    ]
    assert "no such folder" in refused("diff", old, "nothing-here")


def test_a_version_that_the_node_keeps_is_shown_and_compared(folder: Path, tmp_path: Path) -> None:
    def at_node(*words: object) -> str:
        arguments = ["--home", str(tmp_path / "node"), *map(str, words)]
        result = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    at_node("init", "--party", "USA", "--name", "Desk", "--port", free_port())
    key = tmp_path / "one.key"
    at_node("officer", "key", "--output", key, "--no-passphrase")
    at_node("officer", "add", "one", "--key", f"{key}.pub", "--why", "The founding.")
    at_node("agreement", "propose", folder, "--officer", "one", "--why", "First.")
    version = done("check", folder).rsplit(" ", 1)[1].rstrip(".\n")
    manifest = folder / "agreement.toml"
    manifest.write_text(manifest.read_text().replace("2040", "2041"))
    assert f"version {version}" in at_node("agreement", "show", "bilateral-usa-ukr")
    assert "366 days longer" in at_node("agreement", "diff", version[:8], folder)


def test_show_says_every_clause_in_words(folder: Path) -> None:
    said = done("show", folder)
    assert "between UKR, USA, 2020-01-01 until 2040-01-01" in said
    assert (
        "warning-whole: Releases whole, to each party: products up to CONFIDENTIAL, on threat to life."
        in said
    )
    assert (
        "    because: Whoever is in danger of life must be warned. (to be looked at again by 2027-03-31)"
        in said
    )


# --- redline -------------------------------------------------------------------------------------

RED = ("--topic", "proliferation", "--discipline", "humint", "--reason", "Few know of it.")


def test_a_red_line_is_shown_before_it_is_written(folder: Path) -> None:
    before = (folder / "clauses.cedar").read_text()
    words = ("redline", *RED, "--review", SOON, "--partner", "fin", "--folder", folder)
    result = run(*words, typed="n\n")
    assert result.exit_code == 1
    assert (
        "Never releases whole or as a tearline, to FIN: products on proliferation, from human"
        in result.stdout
    )
    assert '@id("no-humint-proliferation-to-fin")' in result.stdout
    assert "nothing was written" in result.stderr
    assert (folder / "clauses.cedar").read_text() == before
    assert "It decides nothing yet" in done(*words, typed="y\n")
    after = (folder / "clauses.cedar").read_text()
    assert after.startswith(before.rstrip())
    assert 'others = ["FIN"]' in (folder / "agreement.toml").read_text()
    assert "keeps to the profile" in done("check", folder)
    assert "says this already" in refused(*words, "--yes", "--id", "again")


def test_a_red_line_makes_its_own_agreement(tmp_path: Path) -> None:
    new = tmp_path / "Red Lines"
    words = ("redline", *RED, "--until", SOON, "--folder", new, "--yes")
    assert "two parties or more" in refused(*words)
    assert "is the node itself" in refused(*words, "--parties", "USA,GBR", "--partner", "USA")
    assert not new.exists()
    done(*words, "--parties", "usa, gbr")
    assert "red-lines keeps to the profile" in done("check", new)
    assert f'context.now < datetime("{SOON}")' in (new / "clauses.cedar").read_text()


def test_a_red_line_without_a_point_is_refused(folder: Path) -> None:
    to = ("--folder", folder, "--yes", "--reason", "x")
    assert "neither an end nor a day of review" in refused("redline", "--topic", "air", *to)
    assert "stop everything" in refused("redline", "--review", SOON, *to)
    assert "Never releases" in done("redline", "--review", SOON, "--everything", *to)
    result = run("redline", "--topic", "aire", *to)
    assert result.exit_code == 2


# --- template ------------------------------------------------------------------------------------


def test_templates_are_listed_and_shown() -> None:
    listed = done("template", "list")
    for name in TEMPLATES:
        assert name in listed
        assert "warning-whole: Releases whole, to each party: products" in done("template", "show", name)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_becomes_a_draft(name: str, tmp_path: Path) -> None:
    new = tmp_path / "deep" / "draft"
    said = done("template", "new", name, "--parties", "gbr, usa", "--folder", new, "--coalition", "nato")
    assert said.rstrip().endswith(f"tearline agreement check {new}")
    assert "keeps to the profile" in done("check", new)
    assert done("fmt", "--check", new) == ""
    assert f"valid_from = {datetime.now(UTC).date()}" in (new / "agreement.toml").read_text()
    again = refused("template", "new", name, "--parties", "gbr,usa", "--folder", new)
    assert "this is there already" in again


def test_a_template_with_days_and_id(tmp_path: Path) -> None:
    words = ("--from", "2030-01-01", "--until", "2030-02-01", "--id", "flood")
    done("template", "new", "crisis", "--parties", "FRA,BEL,NLD", "--folder", tmp_path / "x", *words)
    manifest = (tmp_path / "x" / "agreement.toml").read_text()
    assert manifest.startswith('id = "flood"\ntitle = "Crisis cell of FRA, BEL and NLD"\n')
    assert "valid_from = 2030-01-01\nvalid_until = 2030-02-01\n" in manifest
