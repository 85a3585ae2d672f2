"""What of the API's work goes to the audit log, and under which name."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy.engine import Connection

from service.api.deps import ApiDeps, Principal
from service.api.problems import ProblemError
from service.decisions.access import Permission, may
from service.decisions.evidence_kinds import ORIGINAL
from service.store import audit, evidence
from service.store.audit import Action, Detail

log = structlog.get_logger(__name__)


def actor_of(who: Principal) -> str:
    """Who did it, as the audit log names them."""
    return who.actor


def note_subscription(
    connection: Connection,
    who: Principal,
    action: Action,
    subscription_id: str,
    at: datetime,
    detail: Detail | None = None,
) -> None:
    """Log a change of a subscription: neither its address, which may hold a token, nor its secret.

    To be called last in the transaction.
    """
    audit.append(
        connection,
        at=at,
        actor=actor_of(who),
        action=action,
        subject=f"subscription:{subscription_id}",
        detail=detail,
    )


def read_original(deps: ApiDeps, who: Principal, incident_id: str, name: str) -> bytes:
    """An encrypted original, for those who may; the audit log has it before they do."""
    check(who, Permission.ORIGINALS)
    with deps.database.write() as connection:
        file = evidence.get_evidence(connection, incident_id, name)
        content = deps.files.load_evidence(file.sha256, ORIGINAL.suffix)
        audit.append(
            connection,
            at=deps.now(),
            actor=actor_of(who),
            action=Action.ORIGINAL_READ,
            subject=f"order:{file.order_id}",
            detail={"incident_id": incident_id, "name": name, "sha256": file.sha256},
        )
    return content


def check(who: Principal, permission: Permission) -> None:
    """A 403 for those whose role has not this permission."""
    if not may(who.role, permission):
        raise ProblemError(403, "forbidden", f"role {who.role} may not read {permission}")


def log_head(deps: ApiDeps) -> None:
    """Write the head of the audit log to the service's own log, which is kept elsewhere."""
    with deps.database.read() as connection:
        end = audit.head(connection)
    log.info("audit log head", head=str(end))
