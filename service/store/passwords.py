"""Passwords: Argon2id with the package's own defaults (RFC 9106's second choice: 64 MiB).

Each computation takes 64 MiB and tens of milliseconds on purpose, so only a few run at a time.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from models.errors import StoreError

AT_ONCE = 2
"""Computations at a time: bounds memory (128 MiB) and leaves processors to everything else."""
WAIT_S = 10.0
"""Who waits longer for their turn is asked to come again."""

_HASHER = PasswordHasher()
_turns = threading.BoundedSemaphore(AT_ONCE)


def hash_password(password: str) -> str:
    """What is stored of a password."""
    with _Turn():
        return _HASHER.hash(_prepared(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether a password is the one that was hashed.

    ``None``: there is no such user. It takes as long then, so that nobody learns who exists.
    """
    with _Turn():
        try:
            _HASHER.verify(stored or _of_nobody(), _prepared(password))
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether it was hashed by parameters other than today's."""
    return _HASHER.check_needs_rehash(stored)


class _Turn:
    """Lets :data:`AT_ONCE` through; raises :class:`StoreError` for who waits too long."""

    def __enter__(self) -> None:
        if not _turns.acquire(timeout=WAIT_S):
            raise StoreError("too many sign-ins at once")

    def __exit__(self, *_: object) -> None:
        _turns.release()


def _prepared(password: str) -> str:
    # Two keyboards may send the same letter as one character or two (NIST SP 800-63B, 3.1.1.2).
    return unicodedata.normalize("NFKC", password)


@cache
def _of_nobody() -> str:
    """Hash of a random password: compared with where there is no user."""
    return _HASHER.hash(secrets.token_urlsafe())
