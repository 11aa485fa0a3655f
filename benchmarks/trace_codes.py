"""Codes and verdicts by simulation: slots needed, innocents accused, and whether the stated chance is true.

Three tables, all of 64 recipients, and at most 1e-6 for a false accusation in a case, all tests counted:

1. *Slots needed* so that a case misses all of its leakers at most once in a hundred: a number got from the
   lowest hundredth of some leaks is tried on others, and raised by 1 % until it holds. Innocents need no
   simulation here: their share of alpha is what `judge` compares with. Leakers take slot by slot one
   of the wordings that they have; where they have one only, they keep it (the marking assumption).
2. *Innocents accused*. One in a hundred million cannot be counted, so copies are drawn as if they had leaked
   (in each slot with the chance that a copy which took part agrees), and each that would be accused counts
   with how much likelier it is as an innocent's: importance sampling, which is unbiased whatever is drawn.
3. *Calibration*: the scores of so many innocents, drawn bit by bit (as binomial counts of equal slots)
   against the chance that is stated; and copies drawn with keys, through the whole of `judge`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from statistics import fmean
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from tearline.trace import codes, leakers, scores
from tearline.trace.terms import Bit, Mode, Seen
from tearline.trace.verdict import ALPHA, MISREAD, judge

RECIPIENTS = 64
MISSES = 0.01
PROTOTYPE = {1: 26, 2: 177, 3: 511, 4: 895}
ERR = Console(stderr=True)

Draws = np.random.Generator
Ints = NDArray[np.int64]
Attack = Callable[[Ints, int, Draws], NDArray[np.bool_]]
"""Where some of so many copies have 1 and some have not: which slots of the leak have 1."""
Biases = Callable[[int, Draws], NDArray[np.float64]]

ATTACKS: dict[str, Attack] = {
    "majority": lambda ones, copies, draws: 2 * ones > copies - draws.integers(2, size=ones.shape),
    "minority": lambda ones, copies, draws: 2 * ones < copies + draws.integers(2, size=ones.shape),
    "coin": lambda ones, copies, draws: draws.integers(2, size=ones.shape) == 1,
    "interleaving": lambda ones, copies, draws: draws.integers(copies, size=ones.shape) < ones,
    "all ones": lambda ones, copies, draws: np.ones(ones.shape, dtype=bool),
}


class Scale(NamedTuple):
    trials: int
    tilted: int
    innocents: int
    keyed: int
    colluders: tuple[int, ...]
    attacks: tuple[str, ...]


FULL = Scale(
    trials=1_000,
    tilted=4_000,
    innocents=100_000_000,
    keyed=20_000,
    colluders=(1, 2, 3, 4),
    attacks=tuple(ATTACKS),
)
SHORT = FULL._replace(trials=200, tilted=1_000, innocents=10_000_000, keyed=5_000)
QUICK = Scale(
    trials=20,
    tilted=200,
    innocents=1_000_000,
    keyed=1_000,
    colluders=(1, 2, 3),
    attacks=("minority", "interleaving"),
)


SCALES = {"full": FULL, "short": SHORT, "quick": QUICK}


def table(*, size: str = "full") -> Iterator[tuple[list[str], list[list[str]]]]:
    """The tables, one after the other: a head and rows each."""
    scale = SCALES[size]
    yield slots_needed(scale)
    if size != "quick":
        yield other_biases(scale)
    yield innocents_accused(scale)
    yield calibration(scale)


# --- 1. Slots needed ------------------------------------------------------------------------------------


def single(number: int, draws: Draws) -> NDArray[np.float64]:
    return np.full(number, codes.FAIR)


def two_points(rare: float) -> Biases:
    return lambda number, draws: np.where(draws.integers(2, size=number) == 1, rare, 1 - rare)


def arcsine(cutoff: float) -> Biases:
    """Tardos (2008): the square of the sine of an even angle, within the cutoff."""
    least = math.asin(math.sqrt(cutoff))
    return lambda number, draws: np.sin(draws.uniform(least, math.pi / 2 - least, number)) ** 2


BIASES: dict[Mode, Biases] = {Mode.SINGLE: single, Mode.COLLUSION: two_points(codes.RARE)}


def leak(
    biases: Biases, slots: int, colluders: int, attack: Attack, draws: Draws
) -> tuple[list[Seen], dict[str, dict[str, Bit]]]:
    """What is read, and the copies of those who leaked it."""
    p = biases(slots, draws)
    bits = draws.random((colluders, slots)) < p
    ones = bits.sum(axis=0)
    read = np.where(ones == 0, False, np.where(ones == colluders, True, attack(ones, colluders, draws)))
    names = [str(slot) for slot in range(slots)]
    seen = [Seen(*slot) for slot in zip(names, p.tolist(), read.astype(int).tolist(), strict=True)]
    own: list[list[Bit]] = bits.astype(int).tolist()
    return seen, {f"leaker {n}": dict(zip(names, copy, strict=True)) for n, copy in enumerate(own)}


class Tried(NamedTuple):
    slots: int
    missed: float
    evidence: list[float]
    """Of each leak: how far the most suspicious is beyond the threshold; natural logarithm."""


def tried(biases: Biases, slots: int, colluders: int, attack: Attack, trials: int, draws: Draws) -> Tried:
    evidence = []
    missed = 0
    for _ in range(trials):
        seen, copies = leak(biases, slots, colluders, attack, draws)
        verdict = judge(seen, copies)
        # The innocents are not looked at here, but their tests are counted.
        tests = verdict.tests // colluders * RECIPIENTS
        evidence.append(math.log(ALPHA / tests) - math.log(verdict.suspects[0].chance))
        missed += evidence[-1] < 0
    return Tried(slots, missed / trials, evidence)


def needed(biases: Biases, colluders: int, attack: Attack, scale: Scale, draws: Draws) -> Tried:
    """The fewest slots found with which at most `MISSES` of the leaks miss every leaker."""
    slots = PROTOTYPE[colluders]
    for trials in (max(scale.trials // 8, 10), scale.trials // 2):
        slots = _enough(tried(biases, slots, colluders, attack, trials, draws))
    while (found := tried(biases, slots, colluders, attack, scale.trials, draws)).missed > MISSES:
        slots = math.ceil(slots * 1.01)
    return found


def _enough(seen: Tried) -> int:
    """So many would do for the leak at the lowest hundredth: each slot adds the same on average."""
    lowest = float(np.quantile(seen.evidence, MISSES))
    each = (fmean(seen.evidence) - math.log(ALPHA / RECIPIENTS)) / seen.slots
    return math.ceil(seen.slots - lowest / each)


def slots_needed(scale: Scale) -> tuple[list[str], list[list[str]]]:
    cases = [(mode, n) for mode in Mode for n in scale.colluders if mode is Mode.COLLUSION or n <= 2]
    rows = []
    worst: list[float] = []
    for mode, number in track(cases, "slots needed", console=ERR):
        draws = np.random.default_rng(number)
        # One alone has nothing to choose from.
        attacks = scale.attacks[: 1 if number == 1 else None]
        found = [needed(BIASES[mode], number, ATTACKS[attack], scale, draws) for attack in attacks]
        worst.append(max(each.missed for each in found))
        slots = [f"{each.slots}" for each in found]
        shown = slots * len(scale.attacks) if number == 1 else slots
        rows.append([f"{mode}: {number}", *shown, f"{PROTOTYPE[number]}", f"{100 * worst[-1]:.1f} %"])
    return ["marks made against: leakers", *scale.attacks, "prototype", "most missed"], rows


def other_biases(scale: Scale) -> tuple[list[str], list[list[str]]]:
    """Why the bias is what it is. Fewer trials: the differences are large."""
    some = scale._replace(trials=50)
    cases = [(2, "coin"), (3, "minority"), (4, "interleaving")]
    rows = []
    others = {
        f"two points, {codes.RARE:.3f}": two_points(codes.RARE),
        "two points, 0.211 (Nuida)": two_points(0.5 - math.sqrt(3) / 6),
        "arcsine from 0.01 on": arcsine(0.01),
        "fair": single,
    }
    for name, biases in track(others.items(), "other biases", console=ERR):
        draws = np.random.default_rng(5)
        found = [
            f"{needed(biases, number, ATTACKS[attack], some, draws).slots}"
            # Against three that take the less frequent, fair coins never suffice.
            if name != "fair" or number == 2
            else "–"
            for number, attack in cases
        ]
        rows.append([name, *found])
    return ["bias", *(f"{number}, {attack}" for number, attack in cases)], rows


# --- 2. Innocents accused -------------------------------------------------------------------------------


def innocents_accused(scale: Scale) -> tuple[list[str], list[list[str]]]:
    cases = [
        (Mode.SINGLE, 26, 1, "majority"),
        (Mode.SINGLE, 160, 2, "majority"),
        (Mode.COLLUSION, 420, 3, "coin"),
        (Mode.COLLUSION, 420, 3, "minority"),
        (Mode.COLLUSION, 620, 4, "majority"),
    ]
    rows = []
    for mode, slots, colluders, attack in track(cases, "innocents accused", console=ERR):
        draws = np.random.default_rng(slots)
        seen, _ = leak(BIASES[mode], slots, colluders, ATTACKS[attack], draws)
        chance, error = accused(seen, colluders, scale.tilted, draws)
        of_all = -math.expm1(RECIPIENTS * math.log1p(-chance))
        rows.append(
            [
                f"{mode}, {slots} slots, {colluders}, {attack}",
                f"{ALPHA / RECIPIENTS:.2e}",
                f"{chance:.2e} ± {error:.0e}",
                f"{of_all:.2e}",
            ]
        )
    return ["leak", "an innocent's share of 1e-6", "accused, simulated", "any of 64"], rows


def accused(seen: list[Seen], colluders: int, tilted: int, draws: Draws) -> tuple[float, float]:
    """How likely an innocent is accused over this leak, and the standard error of that."""
    weights = leakers.one(seen, MISREAD) if colluders == 1 else leakers.several(seen, MISREAD)
    agree = draws.random((tilted, len(seen))) < [w.chance * math.exp(w.agrees) for w in weights]
    logs = np.where(agree, [w.agrees for w in weights], [w.differs for w in weights]).sum(axis=1)
    bits = np.where(agree, [slot.bit for slot in seen], [1 - slot.bit for slot in seen]).tolist()
    names = [slot.slot for slot in seen]
    verdict = judge(seen, {f"{n}": dict(zip(names, own, strict=True)) for n, own in enumerate(bits)})
    limit = ALPHA / (verdict.tests // tilted * RECIPIENTS)
    counted = np.zeros(tilted)
    for suspect in verdict.suspects:
        if suspect.chance <= limit:
            counted[int(suspect.partner)] = math.exp(-logs[int(suspect.partner)])
    return float(counted.mean()), float(counted.std() / math.sqrt(tilted))


# --- 3. Calibration -------------------------------------------------------------------------------------


def calibration(scale: Scale) -> tuple[list[str], list[list[str]]]:
    rows = []
    for mode, slots, colluders in ((Mode.SINGLE, 160, 2), (Mode.COLLUSION, 420, 3)):
        draws = np.random.default_rng(colluders)
        seen, _ = leak(BIASES[mode], slots, colluders, ATTACKS["coin"], draws)
        stated, counted = simulated(seen, scale.innocents, draws)
        rows.append(_compared(f"{mode}, {slots} slots", scale.innocents, stated, counted))
    stated, counted = keyed(60, scale.keyed)
    rows.append(_compared("drawn with keys, through the verdict", scale.keyed, stated, counted))
    return ["innocents' copies", "number", "stated", "counted", "counted to stated"], rows


def simulated(seen: list[Seen], innocents: int, draws: Draws) -> tuple[float, int]:
    """The stated chance next below 1e-4, and how many scored as high."""
    weights = leakers.several(seen, MISREAD)
    score = scores.score(weights)
    low, high = 0, sum(map(max, score.units))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if score.tail(middle) <= 1e-4 else (middle, high)
    kinds = Counter((pair, weight.chance) for pair, weight in zip(score.units, weights, strict=True))
    counted = 0
    for _ in track(range(-(-innocents // 1_000_000)), "innocents", console=ERR):
        totals = np.zeros(min(innocents, 1_000_000), dtype=np.int64)
        for ((differs, agrees), chance), number in kinds.items():
            agree = draws.binomial(number, chance, len(totals))
            totals += agree * agrees + (number - agree) * differs
        counted += int(np.count_nonzero(totals >= high))
    return score.tail(high), counted


def keyed(slots: int, copies: int) -> tuple[float, int]:
    """The stated chance next below 1e-2, and how many copies that the key draws fit as well."""
    key = bytes(range(32))
    names = [f"slot {number}" for number in range(slots)]
    seen = [Seen(name, codes.FAIR, codes.bit(key, name, "leaker", codes.FAIR)) for name in names]
    drawn = {
        f"{n}": {name: codes.bit(key, name, f"{n}", codes.FAIR) for name in names} for n in range(copies)
    }
    chances = [suspect.chance for suspect in judge(seen, drawn).suspects if suspect.chance <= 1e-2]
    return max(chances), len(chances)


def _compared(what: str, number: int, stated: float, counted: int) -> list[str]:
    ratio = counted / (number * stated)
    error = math.sqrt((1 - stated) / (number * stated))
    return [what, f"{number:,}", f"{stated:.4e}", f"{counted:,}", f"{ratio:.4f} ± {error:.4f}"]
