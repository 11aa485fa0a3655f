"""The rules of TAXII 2.1 that need no store and no socket."""

from __future__ import annotations

import json

import orjson
import pytest

from tearline.deliver.taxii import (
    Accepted,
    Limits,
    NotAnEnvelope,
    Query,
    Rejected,
    accepts,
    date_added,
    is_taxii,
    next_position,
    next_token,
    read_date_added,
    read_envelope,
    read_query,
    version_stamp,
)
from tearline.terms import BadInput

ID = "indicator--11111111-1111-4111-8111-111111111111"
GOOD = {"type": "indicator", "id": ID, "created": "2026-01-01T00:00:00Z", "spec_version": "2.1"}


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/*",
        "application/taxii+json",
        "application/taxii+json;version=2.1",
        "Application/TAXII+json; Version=2.1",
        'application/taxii+json;version="2.1"',
        "text/html, application/taxii+json;q=0.1",
        "application/taxii+json;version=2.1,application/stix+json;version=2.1",
        "application/taxii+json;version=2.0, */*;q=0.5",
    ],
)
def test_these_accept_headers_are_served(accept: str) -> None:
    assert accepts(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/json",
        "application/taxii+json;version=2.0",
        "application/vnd.oasis.taxii+json; version=2.0",
        "application/taxii+json;q=0",
        "application/taxii+json;version=2.1;q=0, */*",
        "*/*;q=0",
        "*/*;q=nonsense",
        "application/taxii+json;q=-1",
    ],
)
def test_these_accept_headers_are_not(accept: str) -> None:
    assert not accepts(accept)


def test_content_types() -> None:
    assert is_taxii("application/taxii+json;version=2.1")
    assert is_taxii("application/taxii+json")
    assert is_taxii("application/taxii+json; version=2.1; charset=utf-8")
    for other in ("", "application/json", "*/*", "application/*", "application/taxii+json;version=2.0"):
        assert not is_taxii(other)


def test_a_query_says_what_is_asked_for() -> None:
    query = read_query(
        "added_after=2026-01-02T03:04:05.000006Z&limit=7&next=abc"
        "&match[id]=b,a,a&match%5Btype%5D=x&match[version]=last,2026-01-01T00:00:00Z&match[spec_version]=2.1"
    )
    assert query.ids == ("a", "b")
    assert query.types == ("x",)
    assert query.spec_versions == ("2.1",)
    assert query.versions == ("2026-01-01T00:00:00.000Z", "last")
    assert date_added(query.after) == "2026-01-02T03:04:05.000006Z"
    assert (query.limit, query.next) == (7, "abc")


def test_without_a_query_the_newest_versions_are_asked_for_from_the_beginning() -> None:
    assert read_query("") == Query(versions=("last",), after=-1, limit=100)


def test_fields_that_an_endpoint_does_not_know_are_ignored() -> None:
    assert read_query("match[type]=x&match[colour]=red&foo=bar", ("version",)) == Query()


@pytest.mark.parametrize(
    "text",
    [
        "limit=0",
        "limit=-1",
        "limit=1.5",
        "limit=",
        "limit=ten",
        "limit=%D9%A3",
        "added_after=yesterday",
        "added_after=2026-02-30T00:00:00Z",
        "added_after=2026-01-01T00:00:00%2B00:00",
        "added_after=2026-01-01",
        "added_after=2026-01-01T00:00:00Z&added_after=2026-01-01T00:00:00Z",
        "match[id]=",
        "match[id]=a,,b",
        "match[type]=a&match[type]=b",
        "match[version]=newest",
        "match[version]=all,last",
        "match[version]=last,last",
        "match[version]=2026-01-01T00:00:00Z,2026-01-01T00:00:00.000Z",
        "match[type]=%ff",
    ],
)
def test_a_malformed_query_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        read_query(text)


def test_a_limit_beyond_ours_is_cut_to_ours() -> None:
    assert read_query("limit=999999999").limit == 1000


def test_versions_have_one_form() -> None:
    assert version_stamp("2026-01-01T00:00:00Z") == "2026-01-01T00:00:00.000Z"
    assert version_stamp("2026-01-01T00:00:00.1Z") == "2026-01-01T00:00:00.100Z"
    assert version_stamp("2026-01-01T00:00:00.123456000Z") == "2026-01-01T00:00:00.123456Z"
    for wrong in ("", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "2026-01-01 00:00:00Z"):
        assert version_stamp(wrong) is None


def test_date_added_keeps_microseconds() -> None:
    for text in ("1970-01-01T00:00:00.000000Z", "2026-12-31T23:59:59.999999Z"):
        assert date_added(read_date_added(text, "x")) == text
    assert read_date_added("1970-01-01T00:00:01.0000019Z", "x") == 1_000_001


def test_a_next_serves_its_own_request_only() -> None:
    token = next_token(b"k" * 32, "objects of ALFA", 42)
    assert next_position(b"k" * 32, "objects of ALFA", token) == 42
    for key, bound, changed in (
        (b"k" * 32, "objects of BRAVO", token),
        (b"q" * 32, "objects of ALFA", token),
        (b"k" * 32, "objects of ALFA", "B" + token[1:]),
        (b"k" * 32, "objects of ALFA", ""),
        (b"k" * 32, "objects of ALFA", "42"),
        (b"k" * 32, "objects of ALFA", "ключ"),
    ):
        with pytest.raises(BadInput):
            next_position(key, bound, changed)


def test_what_a_next_is_bound_to_is_every_filter() -> None:
    base = Query(ids=("a",), types=("b",), spec_versions=("2.1",), versions=("all",), after=5)
    others = [
        Query(ids=("z",), types=("b",), spec_versions=("2.1",), versions=("all",), after=5),
        Query(ids=("a",), types=("z",), spec_versions=("2.1",), versions=("all",), after=5),
        Query(ids=("a",), types=("b",), spec_versions=("2.0",), versions=("all",), after=5),
        Query(ids=("a",), types=("b",), spec_versions=("2.1",), versions=("last",), after=5),
        Query(ids=("a",), types=("b",), spec_versions=("2.1",), versions=("all",), after=6),
        Query(ids=("a", "b"), types=None, spec_versions=("2.1",), versions=("all",), after=5),
    ]
    assert base.bound() not in {other.bound() for other in others}


def envelope(*objects: object) -> bytes:
    return json.dumps({"objects": objects}).encode()


def read_one(item: object, limits: Limits | None = None) -> Accepted | Rejected:
    (only,) = read_envelope(envelope(item), limits or Limits())
    return only


def test_an_object_is_kept_as_it_is() -> None:
    item = GOOD | {"zeta": 1, "alpha": [1.5, 2**64 - 1, -(2**63), "\u0407жак\u2028", None]}
    read = read_one(item)
    assert isinstance(read, Accepted)
    assert (read.id, read.type, read.version, read.spec_version) == (
        ID, "indicator", "2026-01-01T00:00:00.000Z", "2.1",
    )  # fmt: skip
    assert list(orjson.loads(read.body).items()) == list(item.items())


def test_the_version_is_modified_then_created_then_none() -> None:
    times = {"created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-02T00:00:00.000Z"}
    assert read_one(GOOD | times).version == "2026-01-02T00:00:00.000Z"
    assert read_one(GOOD).version == "2026-01-01T00:00:00.000Z"
    bare = {"type": "ipv4-addr", "id": ID.replace("indicator", "ipv4-addr")}
    assert read_one(bare) == Accepted(bare["id"], "ipv4-addr", None, "2.1", orjson.dumps(bare))


def test_the_spec_version_is_told_or_follows() -> None:
    without = {key: value for key, value in GOOD.items() if key != "spec_version"}
    read = read_one(without)
    assert isinstance(read, Accepted)
    assert read.spec_version == "2.0"


@pytest.mark.parametrize(
    ("item", "word"),
    [
        (5, "not an object"),
        ([], "not an object"),
        ({}, "type"),
        (GOOD | {"type": 5}, "type"),
        (GOOD | {"type": "Indicator!"}, "type"),
        (GOOD | {"type": "bundle", "id": ID.replace("indicator", "bundle")}, "bundle"),
        (GOOD | {"id": None}, "id"),
        (GOOD | {"id": "indicator--1"}, "id"),
        (GOOD | {"id": ID.replace("indicator", "malware")}, "id"),
        (GOOD | {"created": "soon"}, "created"),
        (GOOD | {"modified": 7}, "modified"),
        (GOOD | {"spec_version": "3.0"}, "spec_version"),
        (GOOD | {"spec_version": ["2.1"]}, "spec_version"),
        (GOOD | {"n": 2**64}, "64 bits"),
        (GOOD | {"n": -(2**63) - 1}, "64 bits"),
        (GOOD | {"n": 10**400}, "too large"),
    ],
)
def test_a_bad_object_is_told_why(item: object, word: str) -> None:
    read = read_one(item)
    assert isinstance(read, Rejected)
    assert word in read.message


def test_size_and_nesting_have_limits() -> None:
    def nested(levels: int) -> dict[str, object]:
        inner: object = "bottom"
        for _ in range(levels - 1):
            inner = [inner]
        return GOOD | {"x": inner}

    limits = Limits(object_bytes=2000, nesting=100)
    assert isinstance(read_one(nested(100), limits), Accepted)
    assert isinstance(read_one(nested(101), limits), Rejected)
    assert isinstance(read_one(nested(900), limits), Rejected)
    assert isinstance(read_one(GOOD | {"x": [[]] * 500}, Limits()), Accepted)
    assert isinstance(read_one(GOOD | {"x": "y" * 2000}, limits), Rejected)


def test_bad_neighbours_do_no_harm() -> None:
    body = b'{"objects":[{"a":"\xff"},' + orjson.dumps(GOOD) + b',17,{"type":"x"}]}'
    kinds = [type(item) for item in read_envelope(body, Limits())]
    assert kinds == [Rejected, Accepted, Rejected, Rejected]


def test_a_name_that_stands_twice_stands_once_in_what_is_kept() -> None:
    body = orjson.dumps({"objects": [GOOD]}).replace(b'"type"', b'"id":"indicator--other","type"', 1)
    (read,) = read_envelope(body, Limits())
    assert isinstance(read, Accepted)
    assert read.body.count(b'"id"') == 1
    assert orjson.loads(read.body)["id"] == ID == read.id


def test_the_other_properties_of_a_bundle_are_ignored() -> None:
    bundle = {"type": "bundle", "id": "bundle--1", "objects": [GOOD], "spec_version": "2.0"}
    assert len(read_envelope(json.dumps(bundle).encode(), Limits())) == 1


@pytest.mark.parametrize("body", [b"[]", b"{}", b"5", b'{"objects":{}}', b'{"objects":[]}', b'{"objects":5}'])
def test_what_is_not_an_envelope_is_told_so(body: bytes) -> None:
    with pytest.raises(NotAnEnvelope):
        read_envelope(body, Limits())


def test_a_tower_of_brackets_is_not_an_envelope() -> None:
    with pytest.raises(NotAnEnvelope):
        read_envelope(b'{"objects":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}", Limits())


@pytest.mark.parametrize("body", [b"", b"{", b'{"objects":[{]}', b'{"objects":[NaN]}', b"\xff\xfe"])
def test_what_is_not_json_is_told_so(body: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        read_envelope(body, Limits())
    assert not isinstance(caught.value, NotAnEnvelope)
