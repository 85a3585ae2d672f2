"""Told of when a looped clip begins for a client: what was to be seen when."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

OnPass = Callable[[str, str, int | None], None]
"""Told the clip, the client's session, and which pass begins; ``None``: the client has gone."""


def untold(clip: str, session: str, number: int | None) -> None:
    """Where nobody wants to know."""
    del clip, session, number


def written_to(path: Path) -> OnPass:
    """What appends passes to a file as JSON lines, with the time of each in seconds since 1970."""

    def write(clip: str, session: str, number: int | None) -> None:
        line = {"clip": clip, "session": session, "pass": number, "at": time.time()}
        with path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")

    return write
