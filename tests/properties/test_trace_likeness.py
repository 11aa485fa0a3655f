"""Laws of likeness: matches are really equal, no word twice, excerpts are found, anything can be read."""

from __future__ import annotations

import time
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.trace.likeness import align, covered, echoed, features, sentences
from tearline.trace.likeness.facts import facts
from tearline.trace.likeness.words import Words

_PLAIN = """
the The THE column колонна колона depot Zhytvyn Житвин 13 October жовтня октября 2026 04:40 46.2183° N 1,200 1
200 twelve двадцять один тис. km 203.0.113.47 a@b.example CVE-2024-1234 36TVU1234 0140Z p.m. <b> </b> &amp;
* _ [ км ](x) - ¬ . ! , ’ ʼ 🙂 ﬁ İ ² ٣ Ω аА ... ( ) ° ' " / : ; one hundred and
"""
PIECES = [*_PLAIN.split(), " ", "-\n", "\n", "\n\n", "\u200b", "\u0301", "\u00ad", "\ud800", "\x00"]
TEXTS = st.one_of(
    st.text(st.characters(), max_size=80),
    st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
)
WORDS = st.lists(
    st.sampled_from(["ab", "cd", "ef", "gh", "Ij", "kl", "12", "34", "мн", "оп"]), max_size=60
).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_any_text_has_features_that_lie_inside_it(text: str) -> None:
    words, found = Words(text), features(text)
    assert len(words.spans) == found.words
    assert (np.diff(found.codes.astype(np.int64)) > 0).all()
    assert ((found.first >= 0) & (found.first < found.stop) & (found.stop <= found.words)).all()
    assert len(found.stored()) == 4 * int(found.is_kept.sum())
    for fact in facts(words):
        assert 0 <= fact.start < fact.end <= len(words.text)
        assert 0 < fact.prior < 1


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_sentences_are_in_order_and_leave_out_only_blanks(text: str) -> None:
    spans = sentences(text)
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    assert edges == sorted(edges)
    assert all(text[start:end].strip() for start, end in spans)
    assert not "".join(text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)).strip()


def _matched(text: str, spans: list[tuple[int, int]]) -> list[list[int]]:
    """The hashes of the words of a text that lie in each span; every word lies in one or in none."""
    words = Words(text)
    out = []
    for start, end in spans:
        inside = (words.spans[:, 0] >= start) & (words.spans[:, 1] <= end)
        touched = (words.spans[:, 1] > start) & (words.spans[:, 0] < end)
        assert (inside == touched).all()
        out.append(words.hashes[inside].tolist())
    return out


@settings(max_examples=250, deadline=None)
@given(st.one_of(TEXTS, WORDS), st.one_of(TEXTS, WORDS), st.integers(0, 40), st.integers(0, 60))
def test_matches_are_equal_words_and_no_word_is_matched_twice(
    base: str, other: str, at: int, size: int
) -> None:
    leak = other + " " + base[at : at + size] + " " + other[:at] + base[:at]
    matches = align(base, leak)
    assert list(matches) == sorted(matches)
    ours = [(match.base, match.base + match.base_size) for match in matches]
    theirs = [(match.leak, match.leak + match.leak_size) for match in matches]
    for spans, text in ((ours, base), (sorted(theirs), leak)):
        edges = [edge for span in spans for edge in span]
        assert edges == sorted(edges)
        assert not edges or (edges[0] >= 0 and edges[-1] <= len(text))
    assert _matched(base, ours) == _matched(leak, theirs)
    assert all(_matched(base, ours))


@settings(max_examples=200, deadline=None)
@given(st.one_of(TEXTS, WORDS), st.one_of(TEXTS, WORDS))
def test_shares_are_shares(base: str, leak: str) -> None:
    spans = [*sentences(base), (0, len(base)), (0, 0)]
    for shares in (covered(base, spans, align(base, leak)), echoed(base, spans, leak)):
        assert len(shares) == len(spans)
        assert all(0 <= share <= 1 for share in shares)


VOCABULARY = [f"w{number}" for number in range(400)]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9), st.integers(6, 30), st.integers(0, 200), st.booleans())
def test_six_words_in_a_row_are_enough_to_share_a_feature(seed: int, size: int, at: int, shout: bool) -> None:
    """An excerpt shares a stored feature with its text, wherever it is put; and it is aligned."""
    random = Random(seed)
    text = " ".join(random.choices(VOCABULARY, k=260))
    excerpt = " ".join(text.split()[at : at + size])
    before, after = (" ".join(f"z{random.randrange(999)}" for _ in range(9)) for _ in range(2))
    leak = f"{before}, {excerpt.upper() if shout else excerpt}. {after}"
    kept = np.frombuffer(features(text).stored(), "<u4")
    # Words with digits are facts too: only runs of words are looked at.
    asked = features(leak)
    assert np.isin(asked.codes[asked.stop - asked.first == 3], kept).any()
    shared = sum(match.leak_size for match in align(text, leak))
    assert shared >= len(excerpt)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.sampled_from([*PIECES, "a", "a a", "\n\n\n", "((((", "1.1.1.1.", "....", "@@@@"]),
        min_size=1,
        max_size=4,
    )
)
def test_time_is_bounded_for_any_pattern(pieces: list[str]) -> None:
    text = ("".join(pieces) or "a") * (20_000 // max(len("".join(pieces)), 1))
    start = time.process_time()
    features(text)
    align(text, text)
    echoed(text, [(0, len(text))], text)
    assert time.process_time() - start < 8
