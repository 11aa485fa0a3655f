"""A text without what is cut to its recipient, and back."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tearline.deliver import dressed, undressed

pieces = st.lists(
    st.sampled_from(
        ["(S//REL TO USA, GBR) ", "(U) ", "(TLP:GREEN) ", "(a", "b)", "//", "\n\n", "\n", "Nine ", "é"]
    )
)


@given(pieces.map("".join) | st.text())
@example("(U) (U) x")
@example("\n\n(U) ")
def test_nothing_is_lost(text: str) -> None:
    body, dress = undressed(text)
    assert dressed(body, dress) == text
    assert all(start == end <= len(body) for start, end, _ in dress)


def test_the_body_is_the_same_for_all() -> None:
    texts = [
        f"(S//REL TO {who}) Nine barges (S//REL TO {who}) lay.\n\n(U) They left (see below)."
        for who in ("GBR, USA", "AUS, GBR, NZL")
    ]
    bodies = {undressed(text)[0] for text in texts}
    assert bodies == {"Nine barges  lay.\n\nThey left (see below)."}
