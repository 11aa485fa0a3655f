"""The four traps of Cedar (design, section 5): each is shown to be there, and shown to be shut."""

from __future__ import annotations

import ast
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cedarpy
import pytest

import tearline
from tearline.agreement import Action, Agreements, Verdict, cedar, evaluate, load
from tearline.terms import Level
from tests import strategies_gate as made
from tests.unit.agreement.test_agreement_schema import FACTS

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SECRET_WORD = "Nachtfalter"
GROUP = 'forbid (principal, action in Action::"share", resource);'
BY_LEVEL = 'forbid (principal, action in Action::"share", resource) when { resource.level >= 3 };'
OPEN = 'permit (principal, action == Action::"release", resource);'
REQUEST = {"principal": 'Partner::"GBR"', "action": 'Action::"release"', "resource": 'Product::"SECRET"'}
PARTNER = {"uid": {"type": "Partner", "id": "GBR"}, "attrs": {}, "parents": []}


def product(**attributes: Any) -> dict[str, Any]:
    return {"uid": {"type": "Product", "id": "SECRET"}, "attrs": attributes, "parents": []}


def ask(clauses: str, entities: cedarpy.Entities) -> cedar.Answer:
    """What our own wrapper answers."""
    compiled = cedar.Clauses({"one/clause": cedar.parse(clauses)}, reads_clock=False)
    return cedar.ask(compiled, entities, partner="GBR", action="release", product="SECRET", now=NOW)


def rules(*clauses: str) -> Agreements:
    text = "\n".join(
        f'@id("c{number}") @reason("Example.") {clause}' for number, clause in enumerate(clauses)
    )
    levels = {"USA": {Level.SECRET: Level.SECRET}}
    manifest = made.manifest(made.Deal("deal", frozenset({"USA", "GBR"}), levels, ()))
    return Agreements("USA", [load(manifest, text, "deal")])


def rule(agreements: Agreements) -> evaluate.Ruling:
    return agreements.rule(FACTS, {"GBR": frozenset()}, Action.RELEASE, NOW)["GBR"]


def test_trap_1_entities_without_the_schema_make_action_groups_false() -> None:
    loose = cedarpy.Entities.from_json_str(json.dumps([PARTNER, product(level=3)]))
    assert cedarpy.is_authorized(REQUEST, OPEN + GROUP, loose).allowed, "the trap is gone: good, delete this"
    assert rule(rules(OPEN, GROUP)).verdict is Verdict.FORBID
    entities = cedar.with_products(cedar.roster(frozenset()), {})
    assert 'type":"Action"' in str(entities).replace(" ", "").replace('"__', '"')


def test_trap_2_a_missing_attribute_skips_a_forbid() -> None:
    loose = cedarpy.Entities.from_json_str(json.dumps([PARTNER, product()]), None)
    result = cedarpy.is_authorized(
        REQUEST, OPEN + BY_LEVEL.replace("in Action", "== Action").replace("share", "release"), loose
    )
    assert result.allowed
    assert result.diagnostics.errors
    attributes = evaluate._attributes(FACTS, None)
    for name in attributes:
        with pytest.raises(ValueError, match="does not fit the schema"):
            cedar.with_products(
                cedar.roster(frozenset()),
                {"SECRET": {key: attributes[key] for key in attributes if key != name}},
            )


def test_trap_3_an_absent_resource_is_allowed_with_an_error_beside_it() -> None:
    entities = cedar.roster(frozenset({("GBR", frozenset())}))
    both = cedar.Clauses({"a": cedar.parse(OPEN), "b": cedar.parse(BY_LEVEL)}, reads_clock=False)
    answer = cedar.ask(both, entities, partner="GBR", action="release", product="SECRET", now=NOW)
    assert answer.allowed
    assert answer.failed
    taken = evaluate._Answer(answer.allowed, answer.failed, answer.clauses, FACTS.level[0][1], shared=True)
    assert evaluate._ruling([taken]) == evaluate.Ruling(Verdict.ERROR)


def test_trap_4_error_texts_echo_the_entity_document() -> None:
    attributes = {**evaluate._attributes(FACTS, None), "level": SECRET_WORD}
    rows = json.dumps([product(**attributes)])
    (echo,) = cedarpy.is_authorized({**REQUEST, "context": {}}, OPEN, rows, cedar.schema()).diagnostics.errors
    assert SECRET_WORD in echo
    with pytest.raises(ValueError, match="does not fit the schema") as caught:
        cedar.with_products(cedar.roster(frozenset()), {"SECRET": attributes})
    assert SECRET_WORD not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_an_answer_has_no_room_for_an_error_text() -> None:
    entities = cedar.roster(frozenset({("GBR", frozenset())}))
    assert ask(BY_LEVEL, entities) == cedar.Answer(allowed=False, clauses=(), failed=True)


def test_a_request_that_cannot_be_read_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cedar, "_instant", lambda _: {"__extn": {"fn": "datetime", "arg": "never"}})
    ruling = rule(rules('permit (principal, action == Action::"release", resource) when '
                        '{ context.now < datetime("2030-01-01") };'))  # fmt: skip
    assert ruling == evaluate.Ruling(Verdict.ERROR)


def test_only_one_module_calls_the_engine() -> None:
    """Others may read its node types, `cedarpy.pst`, and nothing else."""
    root = Path(tearline.__file__).parent
    importing = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Import) and any(name.name.startswith("cedarpy") for name in node.names))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "cedarpy"
            and [n.name for n in node.names] != ["pst"]
        )
    }
    assert importing == {"agreement/cedar.py"}
