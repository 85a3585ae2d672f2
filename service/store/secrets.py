"""Secrets of subscriptions at rest: sealed with a key that is not in the database."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.engine import Connection

from models.errors import StoreError
from service.store.schema import subscriptions

SEALED = "sealed:"
"""Begins what is sealed, so that plain secrets from before can be told from it."""
_COLUMNS = (subscriptions.c.secret, subscriptions.c.previous_secret)


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretBox:
    """Seals and opens secrets; without a key it leaves them readable."""

    key: str | None = field(default=None, repr=False)
    """Any text that cannot be guessed."""

    def seal(self, secret: str) -> str:
        """What may lie in the database."""
        if self.key is None:
            return secret
        return SEALED + _fernet(self.key).encrypt(secret.encode()).decode()

    def open(self, stored: str) -> str:
        """The secret; raises :class:`StoreError` if it was sealed with another key."""
        if not stored.startswith(SEALED):
            return stored
        try:
            if self.key is None:
                raise InvalidToken
            return _fernet(self.key).decrypt(stored.removeprefix(SEALED)).decode()
        except InvalidToken as error:
            raise StoreError("a webhook secret cannot be opened: wrong or no secret key") from error


NO_KEY = SecretBox()


def seal_all(connection: Connection, box: SecretBox) -> int:
    """Seal what still lies readable; how many. Raises :class:`StoreError` for a wrong key."""
    count = 0
    for column in _COLUMNS:
        rows = connection.execute(
            sa.select(subscriptions.c.subscription_id, column).where(column.is_not(None))
        ).all()
        for subscription_id, stored in rows:
            sealed = box.seal(box.open(stored))
            if stored.startswith(SEALED) or sealed == stored:
                continue
            connection.execute(
                sa.update(subscriptions)
                .where(subscriptions.c.subscription_id == subscription_id)
                .values({column: sealed})
            )
            count += 1
    return count


def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
