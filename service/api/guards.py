"""Who may: refusals that say which roles would, and the note of them in the audit log."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from models.work_order import RejectReason, Status
from service.api.problems import ProblemError
from service.decisions.access import Role, in_words, roles_for_change
from service.store import audit

if TYPE_CHECKING:
    from service.api.deps import ApiDeps, Principal

NOTED_AGAIN_AFTER: Final = timedelta(minutes=1)
"""Of one principal and one refusal: a client that tries on and on must not fill the log."""
REMEMBERED = 1000


class Denials:
    """Which denied attempts were logged lately."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, str], datetime] = {}
        self._lock = threading.Lock()

    def is_news(self, attempt: tuple[str, str], now: datetime) -> bool:
        """Whether this attempt is to be logged; remembers it."""
        with self._lock:
            last = self._noted.get(attempt)
            if last is not None and abs(now - last) < NOTED_AGAIN_AFTER:
                return False
            if len(self._noted) >= REMEMBERED:
                self._noted.clear()
            self._noted[attempt] = now
            return True


def forbidden(deps: ApiDeps, who: Principal, wanted: str, roles: list[Role]) -> ProblemError:
    """A 403 that names the roles needed; the attempt goes to the audit log."""
    note_denied(deps, who, wanted)
    needed = f"; that takes {in_words(roles)}" if roles else ""
    return ProblemError(
        403, "forbidden", f"role {who.role} may not {wanted}{needed}", roles=sorted(roles)
    )


def check_change(
    deps: ApiDeps,
    who: Principal,
    status: Status | None,
    reason_code: RejectReason | None,
    *,
    reassigns: bool,
) -> None:
    """A 403 unless the role may change an order so."""
    roles = roles_for_change(status, reason_code, reassigns=reassigns)
    if who.role in roles:
        return
    wanted = "hand orders to departments" if reassigns else f"set status {status}"
    if status is Status.REJECTED and who.role in roles_for_change(
        status, RejectReason.FALSE_ALARM, reassigns=reassigns
    ):
        wanted = "reject for any reason but false_alarm"
    raise forbidden(deps, who, wanted, roles)


def note_denied(deps: ApiDeps, who: Principal, wanted: str) -> None:
    """Log a denied attempt, unless the same one was logged just now."""
    now = deps.now()
    if not deps.denials.is_news((who.actor, wanted), now):
        return
    with deps.database.write() as connection:
        audit.append(
            connection,
            at=now,
            actor=who.actor,
            action=audit.Action.DENIED,
            subject=who.actor,
            detail={"role": who.role, "wanted": wanted},
        )
