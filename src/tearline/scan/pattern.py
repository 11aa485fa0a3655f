"""Regular expressions that are compiled when they are first used: most commands use none of them."""

from __future__ import annotations

import re
from typing import Any, cast


class _Later:
    """Stands for a pattern. What is asked of it once is kept: after the first time it costs nothing."""

    def __init__(self, text: str, flags: int) -> None:
        self._asked = text, flags
        self._made: re.Pattern[str] | None = None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            self._made = re.compile(*self._asked)
        self.__dict__[name] = found = getattr(self._made, name)
        return found


def compiled(text: str, flags: int = 0) -> re.Pattern[str]:
    """As `re.compile`; an error in the expression shows at its first use."""
    return cast("re.Pattern[str]", _Later(text, flags))
