"""Which passwords are good enough."""

from __future__ import annotations

import unicodedata

SHORTEST_CHARACTERS = 12
LONGEST_CHARACTERS = 200


def password_problem(name: str, password: str) -> str | None:
    """Why somebody of this name cannot have this password, or None."""
    if len(password) < SHORTEST_CHARACTERS:
        return f"a password needs {SHORTEST_CHARACTERS} or more characters"
    if len(password) > LONGEST_CHARACTERS:
        return f"a password has at most {LONGEST_CHARACTERS} characters"
    if _folded(password) == _folded(name):
        return "the password must not be the name"
    return None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()
