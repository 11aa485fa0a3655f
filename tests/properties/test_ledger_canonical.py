"""The fast spelling is the canonical one, for every value that can be spelt at all."""

from __future__ import annotations

import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tearline.ledger import canonical
from tearline.terms import BadInput

text = st.text() | st.sampled_from(['\x00\x1f\x7f\u2028"\\/', "😀", "\ufb33", "é", "\u20ac"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | text | st.integers(2**53 - 2, 2**53 + 1)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=20)


@settings(deadline=None)
@example({"\ufb33": 1, "😀": 2})  # their order differs between UTF-8 and UTF-16
@given(values)
def test_the_same_bytes_as_the_reference(value: object) -> None:
    try:
        expected: bytes | None = rfc8785.dumps(value)  # type: ignore[arg-type]
    except rfc8785.CanonicalizationError:
        expected = None
    try:
        assert canonical(value) == expected
    except BadInput:
        assert expected is None
