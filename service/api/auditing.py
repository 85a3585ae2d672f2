"""What of the API's work goes to the audit log, and under which name."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy.engine import Connection

from service.api.deps import ApiDeps, Principal
from service.store import audit
from service.store.audit import Action, Detail

log = structlog.get_logger(__name__)


def actor_of(who: Principal) -> str:
    """Who did it, as the audit log names them."""
    return f"key:{who.name}"


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


def log_head(deps: ApiDeps) -> None:
    """Write the head of the audit log to the service's own log, which is kept elsewhere."""
    with deps.database.read() as connection:
        end = audit.head(connection)
    log.info("audit log head", head=str(end))
