"""The front: what it loads, and what it says where a library is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tearline.terms import BadInput, SignalForm
from tests.recordings import RATE, archive, make, metadata, noise


def test_packing_loads_no_library_that_reads_samples() -> None:
    code = (
        "import sys, tearline.media.signals; print(*{'numpy', 'scipy', 'PIL', 'orjson'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_missing_library_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.fft", None)
    source = archive(tmp_path / "a.sigmf", metadata(), noise("cf32_le", 100))
    make(source, SignalForm(name="plain"))
    with pytest.raises(BadInput, match="library that is missing; install"):
        make(source, SignalForm(name="narrow", bandwidth_hz=RATE / 2))
