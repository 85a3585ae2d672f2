"""Lengths of time as people type them."""

from __future__ import annotations

import re
from datetime import timedelta

from models.errors import SetupError

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_LENGTH = re.compile(r"(\d{1,5})([mhdw])")


def length_of(text: str) -> timedelta:
    """A length of time such as ``90d``; raises :class:`SetupError`."""
    found = _LENGTH.fullmatch(text.strip())
    if found is None:
        raise SetupError(f"{text} is no length of time: 30m, 12h, 90d or 8w")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
