"""The index on disk: what is added is found, weighed and counted; what is lost can be made again."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tearline.adapters.traces import Traces
from tearline.adapters.traces import index as module
from tearline.terms import BadInput

Codes = npt.NDArray[np.uint32]


class Asked:
    """A leak with these codes, all of one weight, or with the weights that are given."""

    def __init__(self, *codes: int, weights: tuple[float, ...] | None = None) -> None:
        self.codes = np.array(sorted(codes), np.uint32)
        self._weights = np.ones(len(codes)) if weights is None else np.array(weights)
        self.told: tuple[list[int], int] | None = None

    def weights(self, counts: npt.NDArray[np.int64], size: int, /) -> npt.NDArray[np.float64]:
        self.told = counts.tolist(), size
        return self._weights


def stored(*codes: int) -> bytes:
    return np.array(sorted(codes), "<u4").tobytes()


@pytest.fixture
def traces(tmp_path: Path) -> Traces:
    made = Traces(tmp_path / "traces.db", version=1)
    made.add([("a", stored(1, 2, 1 << 31)), ("b", stored(2, 3)), ("c", stored()), ("d", stored(7))])
    return made


def test_forms_are_found_by_what_they_share(traces: Traces) -> None:
    asked = Asked(1, 2, 9, 1 << 31)
    found = traces.candidates(asked, 10)
    assert {form: rows.tolist() for form, rows in found.shared.items()} == {"a": [0, 1, 3], "b": [1]}
    assert (found.size, found.counts.tolist()) == (4, [1, 2, 0, 1])
    assert asked.told == ([1, 2, 0, 1], 4)


def test_the_heaviest_come_first_whatever_the_batch(traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 1)
    found = traces.candidates(Asked(1, 2, 3, weights=(1.0, 1.0, 9.0)), 1)
    assert list(found.shared) == ["b"]
    assert list(traces.candidates(Asked(1, 2, 3), 2).shared) == ["b", "a"]


def test_what_a_long_form_holds_weighs_less(traces: Traces) -> None:
    """Form `a` is twice as long as the mean of the four; of what weighs four nats it loses log 2."""
    found = traces.candidates(Asked(1, 2, 3, weights=(4.0, 4.0, 3.5)), 2)
    assert list(found.shared) == ["b", "a"]
    assert found.lengths == {"a": 2.0, "b": 4 / 3}
    assert list(traces.candidates(Asked(1, 2, 3, weights=(4.5, 4.0, 3.5)), 2).shared) == ["a", "b"]


def test_codes_that_only_begin_alike_are_not_taken_for_one_another(traces: Traces) -> None:
    assert traces.candidates(Asked(0, 4, 5, (1 << 31) + 1), 10).shared == {}


def test_nothing_is_found_for_nothing(traces: Traces, tmp_path: Path) -> None:
    assert traces.candidates(Asked(), 10).shared == {}
    assert traces.candidates(Asked(7), 0).shared == {}
    empty = Traces(tmp_path / "empty.db", version=1)
    assert empty.candidates(Asked(1), 10) == (0, np.array([0]), {}, {})


def test_adding_twice_changes_nothing(traces: Traces) -> None:
    traces.add([("a", stored(50)), ("e", stored(50))])
    assert list(traces.candidates(Asked(50), 10).shared) == ["e"]


def test_what_is_removed_is_not_found(traces: Traces) -> None:
    traces.remove(["a", "unknown"])
    assert traces.known(["a", "b", "zz"]) == {"b"}
    assert list(traces.candidates(Asked(1, 2), 10).shared) == ["b"]


def test_another_version_of_the_features_empties_the_index(traces: Traces, tmp_path: Path) -> None:
    assert Traces(tmp_path / "traces.db", version=1).known(["a"]) == {"a"}
    assert Traces(tmp_path / "traces.db", version=2).known(["a"]) == set()
    assert Traces(tmp_path / "traces.db", version=2).candidates(Asked(1), 10).size == 0


def test_the_file_is_its_owners_only(traces: Traces, tmp_path: Path) -> None:
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_what_is_no_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    path.write_text("no database " * 100)
    with pytest.raises(BadInput):
        Traces(path, version=1)


def test_a_killed_process_leaves_an_index_that_opens(tmp_path: Path) -> None:
    """Whatever was added before the kill is there; `known` tells the rest."""
    program = (
        "import sys; from pathlib import Path; from tearline.adapters.traces import Traces\n"
        "traces = Traces(Path(sys.argv[1]), version=1)\n"
        "for n in range(10**6):\n"
        "    traces.add([(str(n), n.to_bytes(4, 'little'))]); print(n, flush=True)\n"
    )
    path = tmp_path / "traces.db"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True, env={**os.environ}
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if int(line) == 20:
                process.kill()
                break
    again = Traces(path, version=1)
    assert again.known([str(n) for n in range(21)]) == {str(n) for n in range(21)}
    assert list(again.candidates(Asked(20), 5).shared) == ["20"]
