"""The audit log: who did what to which thing, in a chain that shows any change made to it.

Each entry's hash is SHA-256 over its fields and the hash of the entry before. Whoever can write to
the database can still make a whole new chain, so its head belongs elsewhere too: the service logs
it, and ``streetwarden audit verify`` prints it and takes one that was kept.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.store.schema import audit_log

FIRST_PREVIOUS = "0" * 64
"""What stands before the first entry."""
APPEND_LOCK = 0x5357_4155
"""PostgreSQL advisory lock: entries are chained one after the other. SQLite has one writer."""
LONGEST_CHARACTERS = 250
"""Of actor and subject."""
READ_AT_ONCE = 1000
_ACTION = re.compile(r"[a-z_]{1,29}\.[a-z_]{1,30}")

Detail = Mapping[str, str | int | bool | list[str] | None]
"""No floats: they have no one way to be written. No personal data either."""


class Action(StrEnum):
    """What is logged; others may be added, in the same form, by whoever logs them."""

    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    USER_CREATED = "user.created"
    USER_CHANGED = "user.changed"
    USER_DISABLED = "user.disabled"
    PASSWORD_SET = "user.password_set"  # noqa: S105 - names what happened
    LOCKED_OUT = "session.locked_out"
    DENIED = "access.denied"
    SIGNED_IN = "session.opened"
    SIGN_IN_FAILED = "session.refused"
    SIGNED_OUT = "session.closed"
    HOLD_SET = "legal_hold.set"
    HOLD_LIFTED = "legal_hold.lifted"
    EVIDENCE_EXPIRED = "evidence.expired"
    ORIGINAL_EXPIRED = "original.expired"
    ORIGINAL_READ = "original.read"
    PHOTO_EXPIRED = "photo.expired"
    PHOTO_READ = "photo.read"
    PLATE_EXPIRED = "plate.expired"
    PLATE_READ = "plate.read"
    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_CHANGED = "subscription.changed"
    SUBSCRIPTION_DELETED = "subscription.deleted"
    ORDER_REJECTED = "order.rejected"
    DATABASE_RESTORED = "database.restored"


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """One link of the chain."""

    seq: int
    """Counts up by one from 1."""
    at: datetime
    actor: str
    """Such as ``key:crew app``, ``user:li`` or ``retention``."""
    action: str
    subject: str
    """Such as ``order:7f3c…`` or ``subscription:…``."""
    detail: Detail
    previous_hash: str
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The end of the chain as it was at some time; worth keeping elsewhere."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def read(cls, text: str) -> Head:
        """From ``SEQ:HASH``; raises :class:`ValueError`."""
        found = re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", text.strip())
        if found is None:
            raise ValueError("not a head of the audit log, such as 42:9f86d0…")
        return cls(seq=int(found[1]), hash=found[2])


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFilter:
    """Which entries are wanted; ``None``: all."""

    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""
    actor: str | None = None
    action: str | None = None
    """A whole action, or what stands before its point."""
    subject: str | None = None


def append(
    connection: Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: Detail | None = None,
) -> AuditEntry:
    """Add an entry within the caller's writing transaction: logged if that is committed.

    Call it last in the transaction: on PostgreSQL others that append wait until it ends.
    Texts that are too long are cut; raises :class:`ValueError` for an action that is not
    ``thing.done``.
    """
    if _ACTION.fullmatch(action) is None:
        raise ValueError(f"not an action: {action!r}")
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPEND_LOCK})
    before = head(connection)
    values = {
        "seq": before.seq + 1,
        "at": at.astimezone(UTC),
        "actor": _cut(actor),
        "action": str(action),
        "subject": _cut(subject),
        "detail": dict(detail or {}),
        "previous_hash": before.hash,
    }
    entry = AuditEntry(**values, hash=digest(values))  # type: ignore[arg-type]
    connection.execute(sa.insert(audit_log).values(**asdict(entry)))
    return entry


def head(connection: Connection) -> Head:
    """The end of the chain; ``0:000…`` of an empty one."""
    row = connection.execute(
        sa.select(audit_log.c.seq, audit_log.c.hash).order_by(audit_log.c.seq.desc()).limit(1)
    ).one_or_none()
    if row is None:
        return Head(seq=0, hash=FIRST_PREVIOUS)
    return Head(seq=row.seq, hash=row.hash)


def entries(connection: Connection, wanted: AuditFilter = AuditFilter()) -> Iterator[AuditEntry]:
    """Entries in their order, read as they are taken."""
    query = sa.select(audit_log).where(*_conditions(wanted)).order_by(audit_log.c.seq)
    rows = connection.execution_options(yield_per=READ_AT_ONCE).execute(query)
    for row in rows.mappings():
        yield AuditEntry(**row)


def verify(connection: Connection, kept: Head | None = None) -> tuple[Head, list[str]]:
    """The end of the chain, and all that is wrong with it; nothing if it holds.

    ``kept``: a head from earlier: its entry must still be there and have that hash.
    """
    wrong: list[str] = []
    before = Head(seq=0, hash=FIRST_PREVIOUS)
    found_kept = kept is None or kept.seq == 0
    for entry in entries(connection):
        wrong.extend(_faults(entry, before))
        if kept is not None and entry.seq == kept.seq:
            found_kept = entry.hash == kept.hash
        before = Head(seq=entry.seq, hash=entry.hash)
    if not found_kept and kept is not None:
        wrong.append(f"{kept.seq}: is missing or not the entry it was when its hash was kept")
    return before, wrong


def digest(values: Mapping[str, object]) -> str:
    """The hash of an entry's other fields: SHA-256 of their compact JSON with sorted keys."""
    written = {name: value for name, value in values.items() if name != "hash"}
    at = written["at"]
    if isinstance(at, datetime):
        written["at"] = at.astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(written, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _faults(entry: AuditEntry, before: Head) -> list[str]:
    wrong = []
    if entry.seq != before.seq + 1:
        missing = f"{before.seq + 1} to {entry.seq - 1}"
        wrong.append(f"{missing}: removed" if entry.seq > before.seq else f"{entry.seq}: twice")
    if entry.previous_hash != before.hash:
        wrong.append(f"{entry.seq}: does not continue the entry before it")
    if digest(asdict(entry)) != entry.hash:
        wrong.append(f"{entry.seq}: was altered")
    return wrong


def _conditions(wanted: AuditFilter) -> list[sa.ColumnElement[bool]]:
    log = audit_log.c
    found: list[sa.ColumnElement[bool]] = []
    if wanted.since is not None:
        found.append(log.at >= wanted.since)
    if wanted.until is not None:
        found.append(log.at < wanted.until)
    if wanted.actor is not None:
        found.append(log.actor == wanted.actor)
    if wanted.action is not None:
        of_kind = log.action.startswith(f"{wanted.action}.", autoescape=True)
        found.append((log.action == wanted.action) | of_kind)
    if wanted.subject is not None:
        found.append(log.subject == wanted.subject)
    return found


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CHARACTERS else text[: LONGEST_CHARACTERS - 1] + "…"
