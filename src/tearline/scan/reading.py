"""One text being scanned: pairs of near words, names of one word, then surnames alone."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tearline.scan import prints, verify
from tearline.scan.fold import fold
from tearline.scan.index import Index
from tearline.scan.keys import SINGLE, Hashes, mix
from tearline.scan.lexicon import STEP, Lexicon
from tearline.scan.names import Name, Part, is_patronymic
from tearline.scan.tokens import Ints, Tokens
from tearline.scan.values import Disposition, Hit, Kind

_BLANK = r"[ʹ′ʼ`´ʺ″]?[ \t\u00a0\u2000-\u200a\u202f]*(?:\r?\n[ \t>]*)?"
_GAP = re.compile(
    rf"{_BLANK}|[-‐‑–_.+=/]|,{_BLANK}|{_BLANK}[\"'«»“”„’(]{_BLANK}|[\"'«»“”„’)]{_BLANK}|[-‐‑]{_BLANK}"
)
_MARK = re.compile(r"\s*[\"'«»“”„’()]")
_DOT = re.compile(rf"[ \u00a0]?\.{_BLANK}-?")
_DASH = re.compile(rf"{_BLANK}[-‐‑–—]{_BLANK}")
_LONGEST_GAP = 16
_DIGRAPHS_TEXT = """
Дж Хр Вл Вс Св Ст Ал Ев Дм Ch Cz Sz Sh Zh Kh Th Ph Ts Dz Dm St Vl Yu Ya Ye Yo Ju Ja Je Iu Ia Al Wł Kr Št
Ca
"""
_DIGRAPHS = frozenset(_DIGRAPHS_TEXT.split())
"""Initials of two letters."""
_REACH = 2 * STEP
_SURE, _CERTAIN = 0.9, 0.965
_SINGLE = ("alone", "rare", "surname")
"""The last codes of hits of one word: they never outdo those of more words."""
_MOST_PLAUSIBLE = 1 << 18
_SEGMENT, _OVERLAP = 2048, 12
_CYRILLIC = "\u0400"
_Echo = tuple[int, Name, int, Part]
"""An identity's number, a name of it, and a group of the name and a part of the group."""
_Spots = dict[tuple[int, int], set[int]]


class _Near(NamedTuple):
    """Near words and a hash of each, as arrays: token, token, hash, hash."""

    left: Ints
    right: Ints
    one: Hashes
    other: Hashes

    def rows(self, at: Ints) -> _Near:
        return _Near(self.left[at], self.right[at], self.one[at], self.other[at])

    def moved(self, by: int) -> _Near:
        return self._replace(left=self.left + by, right=self.right + by)


class Reading:
    """The hits of one text. `names_of` gives the parted names of an identity by its number."""

    def __init__(
        self,
        text: str,
        tokens: Tokens,
        index: Index,
        lexicon: Lexicon,
        names_of: Callable[[int], tuple[Name, ...]],
    ) -> None:
        self._text, self._tokens = text, tokens
        self._index, self._lexicon, self._names_of = index, lexicon, names_of
        self._rows = lexicon.rows(text, tokens)
        self._gaps: dict[int, bool] = {}
        self._numbers: dict[str, int] = {}
        self._small: set[str] | None = None

    def hits(self) -> list[Hit]:
        """All hits; of overlapping ones the better, unless they are as good."""
        found: dict[tuple[int, int, str], Hit] = {}
        spots, singles = self._candidates()
        for (i, j), pair in sorted(spots.items()):
            if self._joined(i, j):
                low, words = self._window(i, j)
                for number in sorted(pair):
                    self._judge(i - low, j - low, low, words, number, found)
        for at, numbers in singles:
            self._of_one_word(at, numbers, found)
        if not found:
            return []
        hits = _pruned(found)
        return sorted(_pruned({(h.start, h.end, h.id): h for h in hits + self._echoes(hits)}))

    # --- candidates ------------------------------------------------------------------------------

    def _candidates(self) -> tuple[_Spots, list[tuple[int, list[int]]]]:
        """Pairs of near tokens, and single ones, that the index has, with numbers of identities.

        Taken in segments that fit a processor's cache; they overlap by as much as a pair can reach.
        """
        self._read_rests()
        spots: _Spots = defaultdict(set)
        singles: dict[int, list[int]] = {}
        for start in range(0, len(self._rows), _SEGMENT):
            for found in self._sums(start, min(start + _SEGMENT + _OVERLAP, len(self._rows))):
                if not len(found.left):
                    continue
                mixed = mix(found.one + found.other)
                maybe = self._index.pairs.may_have(mixed).nonzero()[0]
                if len(maybe):
                    near = found.rows(maybe)
                    numbers = self._numbers_at(near, mixed[maybe])
                    for a, b, each in zip(near.left.tolist(), near.right.tolist(), numbers, strict=True):
                        if each and a == b:
                            singles[a] = each
                        elif each:
                            spots[a, b].update(each)
        return spots, sorted(singles.items())

    def _read_rests(self) -> None:
        """Have words in small letters beside one that may be of a name read as `_typos` needs them."""
        upper, rows = self._tokens.upper, self._rows
        plain = upper & self._lexicon.is_plain[rows]
        beside = np.zeros(len(rows), np.bool_)
        beside[1:] = plain[:-1]
        beside[:-1] |= plain[1:]
        beside &= ~(upper | self._lexicon.is_rest[rows])
        found = beside.nonzero()[0]
        if len(found):
            self._lexicon.read_rests(rows[found].tolist(), map(self._word, found.tolist()))

    def _sums(self, start: int, stop: int) -> Iterator[_Near]:
        """What the index is asked for tokens `start` to `stop`."""
        rows, upper = self._rows[start:stop], self._tokens.upper[start:stop]
        known = self._lexicon.is_known[rows].nonzero()[0]
        if len(known) > 1:
            at = self._lexicon.steps[rows].cumsum()[known]
            is_near = np.zeros(len(known) + 1, np.bool_)
            np.less_equal(at[1:] - at[:-1], _REACH, out=is_near[1:-1])
            kept = is_near[1:] | is_near[:-1]
            if kept.any():
                kept &= self._may_name(known + start)
                yield self._near_pairs(rows, known[kept], at[kept]).moved(start)
        yield self._typos(rows, upper).moved(start)
        if not self._lexicon.is_alone[rows].any():
            return
        token, hashes = _ragged(self._lexicon.alone[rows])
        if len(token):
            token += start
            yield _Near(token, token, hashes, np.full(len(token), SINGLE, np.uint64))

    def _may_name(self, at: Ints) -> npt.NDArray[np.bool_]:
        """Whether tokens are more than a letter, or an initial."""
        ends = self._tokens.ends[at]
        found = ends - self._tokens.starts[at] > 1
        for k in (~found).nonzero()[0].tolist():
            found[k] = self._is_initial(int(at[k]))
        return found

    def _numbers_at(self, near: _Near, mixed: Hashes) -> list[list[int]]:
        """For each place the numbers of the identities that its words may name; remembered by words."""
        known = self._lexicon.plausible
        left, right = self._rows[near.left], self._rows[near.right]
        keys = list(zip(left.tolist(), right.tolist(), mixed.tolist(), strict=True))
        new = [k for k, key in enumerate(keys) if key not in known]
        if new:
            if len(known) + len(new) > _MOST_PLAUSIBLE:
                known.clear()
                new = list(range(len(keys)))
            at = np.array(new)
            for k, numbers in zip(
                new, self._index.numbers(mixed[at], self._asked(near.rows(at))), strict=True
            ):
                i, j = int(near.left[k]), int(near.right[k])
                if numbers and i != j:
                    words = self._word(i), self._word(j)
                    numbers = [n for n in numbers if verify.may_match(self._names_of(n), words)]  # noqa: PLW2901
                known[keys[k]] = numbers
        return [known[key] for key in keys]

    def _asked(self, near: _Near) -> prints.Asked:
        """What the words at these places look like; a word with an edit looks like any."""
        one, other = self._marks(near.left, near.one), self._marks(near.right, near.other)
        marks = prints.paired(near.one, near.other, one[0], other[0])
        weights = np.stack((one[1], other[1]), 1)
        is_swapped = near.one > near.other
        weights[is_swapped] = weights[is_swapped][:, ::-1]
        upper = self._tokens.upper
        return prints.Asked(marks, weights, upper[near.left].astype(np.int64) + upper[near.right])

    def _marks(self, at: Ints, hashes: Hashes) -> tuple[Hashes, npt.NDArray[np.float64]]:
        rows, upper, mark = self._rows[at].tolist(), self._tokens.upper[at].tolist(), self._lexicon.mark
        found = [
            mark(row, self._word(k), hash_, is_upper=is_upper)
            for k, row, is_upper, hash_ in zip(at.tolist(), rows, upper, hashes.tolist(), strict=True)
        ]
        return np.array([mark for mark, _ in found], np.uint64), np.array([weight for _, weight in found])

    def _near_pairs(self, rows: Ints, known: Ints, at: Ints) -> _Near:
        """Each key of each known word (it stands at `at`) with each key of the words up to two steps on."""
        token, keys = _ragged(self._lexicon.pair[rows[known]])
        at, token = at[token], known[token]
        first, last = at.searchsorted(at, "right"), at.searchsorted(at + _REACH, "right")
        count = last - first
        left = np.arange(len(at)).repeat(count)
        right = np.arange(len(left)) + (first - count.cumsum() + count).repeat(count)
        return _Near(token[left], token[right], keys[left], keys[right])

    def _typos(self, rows: Ints, upper: npt.NDArray[np.bool_]) -> _Near:
        """Near capitalised words, one as it stands and one with an edit or as a pet form.

        The edited one may have lost its capital, if it stands beside the other.
        """
        is_plain, is_edited = self._lexicon.is_plain[rows], self._lexicon.is_edited[rows]
        known = (upper & (is_plain | is_edited)).nonzero()[0]
        at = self._lexicon.steps[rows].cumsum()[known]
        near, far = ((at[n:] - at[:-n] <= _REACH).nonzero()[0] for n in (1, 2))
        left = np.concatenate((known[near], known[far]))
        right = np.concatenate((known[near + 1], known[far + 2]))
        before, after = known[known > 0], known[known < len(rows) - 1]
        before, after = before[~upper[before - 1]], after[~upper[after + 1]]
        i = np.concatenate((left, right, before, after))
        j = np.concatenate((right, left, before - 1, after + 1))
        both = is_plain[i] & is_edited[j]
        return self._edits(rows, i[both], j[both])

    def _edits(self, rows: Ints, i: Ints, j: Ints) -> _Near:
        """Each key of the words `i` as they stand with each of the words `j` with an edit."""
        one, plain = _ragged(self._lexicon.plain[rows[i]])
        other, edited = _ragged(self._lexicon.edited[rows[j]])
        count = np.bincount(other, minlength=len(i))
        first = (count.cumsum() - count)[one]
        count = count[one]
        left = np.arange(len(one)).repeat(count)
        right = np.arange(len(left)) + (first - count.cumsum() + count).repeat(count)
        i, j, a, b = i[one[left]], j[one[left]], plain[left], edited[right]
        is_left = i < j
        return _Near(np.minimum(i, j), np.maximum(i, j), np.where(is_left, a, b), np.where(is_left, b, a))

    # --- the text around tokens ------------------------------------------------------------------

    def _word(self, k: int) -> str:
        return self._text[int(self._tokens.starts[k]) : int(self._tokens.ends[k])]

    def _open(self, k: int) -> bool:
        """Whether tokens k and k + 1 can be of one name, by what stands between them."""
        found = self._gaps.get(k)
        if found is None:
            start, end = int(self._tokens.ends[k]), int(self._tokens.starts[k + 1])
            gap = self._text[start:end] if end - start < _LONGEST_GAP else "\n\n"
            found = gap == " " or _GAP.fullmatch(gap) is not None
            if not found and _DOT.fullmatch(gap):
                found = len(self._word(k)) <= 2
            elif not found and _DASH.fullmatch(gap):
                found = self._word(k + 1).isdecimal()
            self._gaps[k] = found
        return found

    def _joined(self, i: int, j: int) -> bool:
        """Whether tokens i to j can be of one name: nothing closes it, no ordinary word is inside."""
        return all(map(self._open, range(i, j))) and all(
            self._tokens.upper[k] or self._lexicon.steps[self._rows[k]] < STEP for k in range(i + 1, j)
        )

    def _spot(self, k: int) -> verify.Word:
        text, end = self._word(k), int(self._tokens.ends[k])
        upper = bool(self._tokens.upper[k])
        gap, is_dotted = self._text[end : end + 4], self._is_dotted(k)
        is_letter = len(text) == 1 and self._is_initial(k)
        return verify.Word(
            text,
            upper,
            upper and len(text) > 1 and text.isupper(),
            bool(self._lexicon.is_function[self._rows[k]]),
            is_letter or (is_dotted and text in _DIGRAPHS),
            "," if gap[:1] == "," else '"' if _MARK.match(gap) else "",
            is_letter and not is_dotted,
        )

    def _is_dotted(self, k: int) -> bool:
        end = int(self._tokens.ends[k])
        return self._text[end : end + 4].lstrip(" \u00a0").startswith(".")

    def _is_initial(self, k: int) -> bool:
        """Whether a token of one letter is an initial: before a full stop, or a capital, no preposition."""
        return self._is_dotted(k) or (self._word(k).isupper() and not self._may_be_preposition(k))

    def _may_be_preposition(self, k: int) -> bool:
        """Whether a capital letter is also a word and stands where one does, before a word."""
        if not self._lexicon.is_function[self._rows[k]]:
            return False
        beside = [self._word(n) for n in (k - 1, k + 1) if 0 <= n < len(self._tokens)]
        is_before_word = k + 1 < len(self._tokens) and self._open(k)
        return is_before_word and not any(len(word) == 1 and word.isupper() for word in beside)

    # --- judgement -------------------------------------------------------------------------------

    def _window(self, i: int, j: int) -> tuple[int, list[verify.Word]]:
        """The words from i to j and up to two on each side that may be of their name; the first's number."""
        low, high = i, j
        while low > max(0, i - 2) and self._joined(low - 1, i):
            low -= 1
        while high < min(len(self._tokens) - 1, j + 2) and self._joined(j, high + 1):
            high += 1
        return low, [self._spot(k) for k in range(low, high + 1)]

    def _judge(
        self,
        i: int,
        j: int,
        low: int,
        words: list[verify.Word],
        number: int,
        found: dict[tuple[int, int, str], Hit],
    ) -> None:
        """Ask the verifier about words i and j of a window that begins at token `low`."""
        matches = [verify.match(name, words, i, j) for name in self._names_of(number)]
        best = max((m for m in matches if m), key=lambda m: m.score, default=None)
        if best:
            is_sure = best.score >= _SURE and not {"typo", "initial"} & set(best.why.split(","))
            sure = Disposition.HOLD if is_sure else Disposition.REVIEW
            self._add(found, low + best.first, low + best.last, number, best.score, sure, best.why)

    def _add(
        self,
        found: dict[tuple[int, int, str], Hit],
        first: int,
        last: int,
        number: int,
        score: float,
        disposition: Disposition,
        why: str,
    ) -> None:
        id_ = self._index.ids[number]
        self._numbers[id_] = number
        start, end = int(self._tokens.starts[first]), int(self._tokens.ends[last])
        old = found.get((start, end, id_))
        if old is None or old.score < score:
            found[start, end, id_] = Hit(start, end, id_, round(score, 3), disposition, why)

    def _of_one_word(self, at: int, numbers: list[int], found: dict[tuple[int, int, str], Hit]) -> None:
        """Names of one word, and rare surnames alone: capitalised words only, and only near-exact ones."""
        for number in numbers:
            for name in self._names_of(number):
                if len(name.groups) == 1:
                    self._judge_alone(at, name, number, found)
                elif name.surname >= 0:
                    self._judge_rare(at, name, number, found)

    def _judge_alone(self, at: int, name: Name, number: int, found: dict[tuple[int, int, str], Hit]) -> None:
        word = self._spot(at)
        fit = verify.fit(word.text, name.groups[0][0])
        if name.kind is Kind.PERSON and name.groups[0][0].given:
            return  # a given name tells nobody
        if (
            len(name.groups[0]) == 1
            and fit.score >= _CERTAIN
            and len(word.text) > 1
            and fit.why != "nickname"
        ):
            sure = Disposition.HOLD if fit.why == "exact" else Disposition.REVIEW
            self._add(found, at, at, number, fit.score, sure, f"{fit.why},alone")

    def _judge_rare(self, at: int, name: Name, number: int, found: dict[tuple[int, int, str], Hit]) -> None:
        word = self._word(at)
        fit = max(verify.fit(word, part) for part in name.groups[name.surname])
        if fit.score < _CERTAIN or fit.why == "transliterated" or self._is_common(word):
            return
        if self._begins_sentence(at) or self._is_of_more(at) or not self._suits(at, name):
            return
        self._add(found, at, at, number, 0.7 * fit.score, Disposition.NOTE, f"{fit.why},rare")

    def _is_common(self, word: str) -> bool:
        """Whether the text has the word in small letters too."""
        if self._small is None:
            small = np.flatnonzero(~self._tokens.upper).tolist()
            self._small = {self._word(k) for k in small}
        return word.lower() in self._small

    def _is_of_more(self, at: int) -> bool:
        """Whether a word is more likely of a firm: Latin amid Cyrillic, or before another capitalised one."""
        beside = [self._word(k) for k in (at - 1, at + 1) if 0 <= k < len(self._tokens)]
        if self._word(at)[0] < _CYRILLIC and any(word[0] >= _CYRILLIC for word in beside):
            return True
        after = self._spot(at + 1) if at + 1 < len(self._tokens) and self._open(at) else None
        if after is None or self._text[int(self._tokens.ends[at])] != " " or self._spot(at).is_capitals:
            return False
        return after.is_upper and not after.is_initial and not after.is_function

    def _begins_sentence(self, at: int) -> bool:
        start = int(self._tokens.starts[at])
        before = self._text[max(0, start - 4) : start].rstrip(" \t\u00a0\"'«“„(—–-")
        return not before or before[-1] in ".!?…\n:"

    def _suits(self, at: int, name: Name) -> bool:
        """Whether no other person's given name stands beside a surname."""
        own = {
            given
            for k, group in enumerate(name.groups)
            if k != name.surname
            for part in group
            for given in part.given
        }
        for k, is_open in (
            (at - 1, at > 0 and self._open(at - 1)),
            (at + 1, at + 1 < len(self._tokens) and self._open(at)),
        ):
            if is_open and self._tokens.upper[k]:
                word = self._spot(k)
                if word.is_initial or word.is_function:
                    continue
                given = verify.given_names(word.text)
                if given and not given & own:
                    return False
        return True

    def _echoes(self, hits: list[Hit]) -> list[Hit]:
        """Surnames alone, and given names with patronymics, of persons whom the text names in full.

        Where the vault has no patronymic, any one after the given name is taken for the person's.
        """
        full = {
            hit.id for hit in hits if hit.disposition is Disposition.HOLD and not hit.why.endswith(_SINGLE)
        }
        wanted: dict[int, list[_Echo]] = defaultdict(list)
        for number in sorted(self._numbers[id_] for id_ in full):
            for name in self._names_of(number):
                if name.surname >= 0:
                    second = name.given if name.patronymic < 0 else name.patronymic
                    for group in {name.surname, second} - {-1}:
                        for part in name.groups[group]:
                            for hash_ in self._lexicon.hashes(part.skeletons):
                                wanted[hash_].append((number, name, group, part))
        found: dict[tuple[int, int, str], Hit] = {}
        if wanted:
            upper = self._tokens.upper.nonzero()[0]
            table = self._lexicon.pair[self._rows[upper]]
            token, column = np.isin(table, np.array(sorted(wanted), np.uint64)).nonzero()
            for at, hash_ in zip(upper[token].tolist(), table[token, column].tolist(), strict=True):
                for echo in wanted[hash_]:
                    self._judge_echo(at, echo, found)
        return list(found.values())

    def _judge_echo(self, at: int, echo: _Echo, found: dict[tuple[int, int, str], Hit]) -> None:
        number, name, group, part = echo
        word = self._spot(at)
        fit = verify.fit(word.text, part)
        is_doubtful = word.is_function or word.is_capitals or len(word.text) <= 3
        need = 0.97 if is_doubtful else 0.94 if verify.in_one_script(word.text, part) else 0.9
        if word.is_initial or fit.why in {"nickname", "typo"} or fit.score < need:
            return
        first = last = at
        if group == name.given:
            last = at + 1
            if not self._is_address(at, name):
                return
        elif group == name.patronymic:
            first = at - 1
            if first < 0 or not self._open(first):
                return
            if verify.fit(self._word(first), name.groups[name.given][0]).score < 0.93:
                return
        elif not self._suits(at, name) or (
            self._begins_sentence(at) and (word.is_function or self._is_common(word.text))
        ):
            return
        self._add(found, first, last, number, 0.9 * fit.score, Disposition.REVIEW, f"{fit.why},surname")

    def _is_address(self, at: int, name: Name) -> bool:
        """Whether a given name stands with a patronymic, and with nobody else's surname."""
        count = len(self._tokens)
        if at + 1 >= count or not self._open(at) or not self._tokens.upper[at + 1]:
            return False
        if not is_patronymic(fold(self._word(at + 1))):
            return False
        beside = [at - 1] if at and self._open(at - 1) and not self._begins_sentence(at - 1) else []
        beside += [at + 2] if at + 2 < count and self._open(at + 1) else []
        own = name.groups[name.surname]
        return all(
            not self._tokens.upper[k] or max(verify.fit(self._word(k), part).score for part in own) >= _SURE
            for k in beside
        )


def _pruned(found: dict[tuple[int, int, str], Hit]) -> list[Hit]:
    """Without the weaker of two overlapping hits, where they are of one id or it is much weaker."""
    kept: dict[int, list[Hit]] = defaultdict(list)  # by every block of the text that the hit touches
    out: list[Hit] = []
    for hit in sorted(found.values(), key=lambda h: (h.why.endswith(_SINGLE), -h.score, h.start, h.id)):
        blocks = range(hit.start // _BLOCK, (hit.end - 1) // _BLOCK + 1)
        over = (o for block in blocks for o in kept[block] if o.start < hit.end and hit.start < o.end)
        if not any(o.id == hit.id or _outdone(hit, o) for o in over):
            out.append(hit)
            for block in blocks:
                kept[block].append(hit)
    return out


_BLOCK = 64


def _ragged(table: Hashes) -> tuple[Ints, Hashes]:
    """The row of each hash of a table with empty places, and the hashes, in order of rows."""
    flat = table.ravel()
    where = flat.nonzero()[0]
    return where // table.shape[1], flat[where]


def _outdone(hit: Hit, other: Hit) -> bool:
    """Whether an overlapping, better hit leaves no room for this one."""
    if other.score > _CERTAIN and hit.score < 0.93:
        return True
    if (hit.start, hit.end) == (other.start, other.end):
        return hit.score < min(0.85, other.score - 0.1)
    return hit.score < other.score - 0.15
