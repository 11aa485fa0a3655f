from __future__ import annotations

import pytest

from tearline.vault import sealed
from tests.unit.vault.world import CHEAP


@pytest.fixture(autouse=True)
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "COST", CHEAP)
