"""What can be said of a camera from when it was last heard of."""

from __future__ import annotations

SILENT_AFTER_S = 30.0
"""Daemons report every five seconds; after six lost reports nothing is known any more."""
OFFLINE = "offline"


def effective_state(reported: str, silent_s: float) -> str:
    """The state to show: a camera nobody reports on is offline, whatever was last said."""
    return OFFLINE if is_stale(silent_s) else reported


def is_stale(silent_s: float) -> bool:
    """Whether the last report is too old to be believed."""
    return silent_s > SILENT_AFTER_S
