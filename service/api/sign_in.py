"""Signing in: attempts are counted before they are looked at, so that none are free."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from service.api.deps import ApiDeps
from service.api.problems import ProblemError
from service.decisions.lockout import (
    ADDRESS_LIMIT,
    USER_LIMIT,
    Failures,
    Limit,
    after_failure,
    is_locked,
    network_of,
)
from service.store import access, audit, passwords, throttle, users
from service.store.audit import Action
from service.store.records import ApiKey, User


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """Somebody who wants to sign in, and from where."""

    address: str
    name: str | None = None
    """``None``: with a key."""

    @property
    def subjects(self) -> dict[str, Limit]:
        """Whose failures count, with their limits."""
        found = {f"address:{network_of(self.address)}": ADDRESS_LIMIT}
        if self.name is not None:
            found[f"user:{users.name_key(self.name)}"] = USER_LIMIT
        return found

    @property
    def actor(self) -> str:
        """Who it says it is, as the audit log names them."""
        return "key:" if self.name is None else f"user:{self.name}"


def by_password(deps: ApiDeps, name: str, password: str, address: str) -> User | None:
    """The user of this name and password, or None; a 429 while attempts are refused."""
    attempt = Attempt(address=address, name=name)
    before = _count(deps, attempt)
    with deps.database.read() as connection:
        found = users.password_of(connection, name)
    is_right = passwords.verify_password(None if found is None else found[1], password)
    user = found[0] if found is not None and is_right else None
    if user is None or user.disabled_at is not None:
        _note_failure(deps, attempt, before)
        return None
    assert found is not None  # noqa: S101 - there is no user without
    new_hash = passwords.hash_password(password) if passwords.needs_rehash(found[1]) else None
    with deps.database.write() as connection:
        if new_hash is not None:
            users.rehash_password(connection, user, new_hash)
        users.note_sign_in(connection, user, deps.now())
        _restore(connection, attempt, before, deps.now())
    return user


def by_key(deps: ApiDeps, token: str, address: str) -> ApiKey | None:
    """The key of this token, or None; a 429 while attempts are refused."""
    attempt = Attempt(address=address)
    before = _count(deps, attempt)
    with deps.database.read() as connection:
        key = access.find_key(connection, token, deps.now())
    if key is None:
        _note_failure(deps, attempt, before)
        return None
    with deps.database.write() as connection:
        _restore(connection, attempt, before, deps.now())
    return key


def _count(deps: ApiDeps, attempt: Attempt) -> dict[str, Failures]:
    """Count an attempt as failed for now, and tell what was before; a 429 while it is locked."""
    now = deps.now()
    before: dict[str, Failures] = {}
    with deps.database.write() as connection:
        for subject in attempt.subjects:
            before[subject] = _failures(connection, subject)
        ends = [each.locked_until for each in before.values() if is_locked(each, now)]
        if not ends:
            for subject, limit in attempt.subjects.items():
                _save(connection, subject, after_failure(before[subject], limit, now), now)
    if ends:
        wait_s = max(int((end - now).total_seconds()) + 1 for end in ends if end is not None)
        raise ProblemError(
            429,
            "too-many-attempts",
            f"too many failed sign-ins: try again in {wait_s} s",
            headers={"Retry-After": str(wait_s)},
        )
    return before


def _note_failure(deps: ApiDeps, attempt: Attempt, before: dict[str, Failures]) -> None:
    now = deps.now()
    detail = {"address": network_of(attempt.address)}
    with deps.database.write() as connection:
        for subject, limit in attempt.subjects.items():
            if after_failure(before[subject], limit, now).locked_until is not None:
                audit.append(
                    connection,
                    at=now,
                    actor=attempt.actor,
                    action=Action.LOCKED_OUT,
                    subject=subject,
                    detail=detail,
                )
        audit.append(
            connection,
            at=now,
            actor=attempt.actor,
            action=Action.SIGN_IN_FAILED,
            subject=attempt.actor,
            detail=detail,
        )


def _restore(
    connection: Connection, attempt: Attempt, before: dict[str, Failures], now: datetime
) -> None:
    """It was no failure: a name begins anew, an address is as it was."""
    for subject in attempt.subjects:
        if subject.startswith("user:") or before[subject].count == 0:
            throttle.forgive(connection, subject)
        else:
            _save(connection, subject, before[subject], now)


def _failures(connection: Connection, subject: str) -> Failures:
    count, last_at, locked_until = throttle.failures_of(connection, subject)
    return Failures(count=count, last_at=last_at, locked_until=locked_until)


def _save(connection: Connection, subject: str, failures: Failures, now: datetime) -> None:
    throttle.save_failures(
        connection, subject, failures.count, failures.last_at or now, failures.locked_until
    )
