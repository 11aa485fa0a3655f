"""`intake.read` is total: whatever the bytes, it answers with products and faults, and with the same ones."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tearline import intake
from tearline.intake import Fault
from tearline.terms import Product
from tests.unit.intake.material import (
    NOW,
    TLP_AMBER,
    TLP_RED,
    bundle,
    faults,
    ident,
    link,
    products,
    read,
    sdo,
    statement,
)
from tests.unit.intake.test_intake_galaxy import META, cluster, galaxy
from tests.unit.intake.test_report import WHOLE

TOOL = sdo("tool", 1, object_marking_refs=[TLP_AMBER, statement()["id"]], aliases=["a", 'ї\\"'])
BUNDLE = bundle(
    statement(),
    sdo("identity", 2),
    TOOL,
    sdo("location", 3, country="UA"),
    link(4, TOOL["id"], ident("location", 3), created_by_ref=ident("identity", 2)),
    sdo("malware", 5, granular_markings=[{"selectors": ["name"], "marking_ref": TLP_RED}], x=[1.5, None]),
)
GALAXY = galaxy(cluster(meta=META, tags=["tlp:green"]))


def _packed() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a/b.json"), BUNDLE)
        archive.writestr(zipfile.ZipInfo("c.md"), WHOLE.encode())
    return out.getvalue()


VALID = [BUNDLE, GALAXY, WHOLE.encode(), _packed(), orjson.dumps(TOOL)]

Edit = tuple[int, int, bytes]
SPICE = [b"", b"\x00", b"\xff", b"NaN", b"1e999", b"\\ud800", b"null", b"(S//NF)", b"PK\x03\x04", b"\n\n"]
SPICE += [b'"objects":[', b'"type":"bundle",', "№".encode(), *(bytes([char]) for char in b'"\\{}[],:')]
EDITS = st.lists(
    st.tuples(st.integers(0, 6000), st.integers(0, 40), st.sampled_from(SPICE) | st.binary(max_size=8)),
    min_size=1, max_size=6,
)  # fmt: skip


def edited(content: bytes, edits: list[Edit]) -> bytes:
    for at, removed, put in edits:
        place = at % (len(content) + 1)
        content = content[:place] + put + content[place + removed :]
    return content


def check(content: bytes, marking: str | None = "TLP:GREEN") -> None:
    items = read(content, marking)
    assert all(isinstance(item, Product | Fault) for item in items)
    assert read(content, marking) == items
    for found in faults(items) + faults(items, "warning"):
        assert found.where.startswith(("file", "default"))
        assert found.reason
        assert str(found).isprintable(), "one line, fit to show"
    for product in products(items):
        assert product.title
        assert product.title.isprintable()
        if product.category == "cyber":
            assert orjson.loads(product.content)["id"] == product.id


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(VALID), EDITS)
def test_changed_bytes(content: bytes, edits: list[Edit]) -> None:
    check(edited(content, edits))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from([None, "TLP:GREEN"]))
@example(b"[", None)
@example(b"\xef\xbb\xbf{", None)
def test_any_bytes(content: bytes, marking: str | None) -> None:
    check(content, marking)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def structurally_changed(draw: st.DrawFn) -> bytes:
    """A valid file in which some values, at any depth, are replaced, dropped or doubled."""
    root = orjson.loads(draw(st.sampled_from([BUNDLE, GALAXY, orjson.dumps(TOOL)])))
    for _ in range(draw(st.integers(1, 3))):
        node: Any = root
        while True:
            keys = list(range(len(node))) if isinstance(node, list) else list(node)
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(node[key], dict | list) and node[key] and draw(st.booleans()):
                node = node[key]
                continue
            change = draw(st.sampled_from(["replace", "drop", "add"]))
            if change == "drop":
                del node[key]
            elif change == "replace":
                node[key] = draw(JSON)
            elif isinstance(node, list):
                node.append(node[key])
            else:
                node[draw(st.sampled_from([*TOOL, "x_y", "a_ref", "b_refs", "labels", "country"]))] = draw(
                    JSON
                )
            break
    return json.dumps(root, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


@settings(max_examples=300, deadline=None)
@given(structurally_changed())
def test_changed_structure(content: bytes) -> None:
    check(content)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 5), JSON | st.just(TOOL | {"id": 5}))
def test_a_bad_object_never_costs_a_neighbour(place: int, bad: Any) -> None:
    good = [sdo("tool", number) for number in range(10, 15)]
    raw = [json.dumps(item).encode() for item in (*good[:place], bad, *good[place:])]
    items = read(b'{"type":"bundle","objects":[%b]}' % b",".join(raw))
    assert [product.id for product in products(items)] == [item["id"] for item in good]
    assert [found.place.split(",")[0].split(".")[0] for found in faults(items)] == [f"objects[{place}]"]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(BUNDLE)))
def test_what_is_cut_off_never_makes_a_label_wider(end: int) -> None:
    """Markings that are lost with the end of a file quarantine what they marked."""
    context = intake.Context(party="USA", at=NOW, default_marking="TLP:CLEAR")
    whole = {product.id: product for product in products(read(BUNDLE, "TLP:CLEAR"))}
    for item in intake.read(io.BytesIO(BUNDLE[:end]), "file", context=context):
        if isinstance(item, Product) and item.id in whole:
            assert item.label == whole[item.id].label
        elif isinstance(item, Product):
            assert item.id == ident("identity", 2), "cut from the object that names it as its creator"
