"""Deletes evidence that has had its time; legal holds keep it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from models.evidence import DEFAULT_RETENTION, Retention
from service.api.auditing import actor_of, log_head
from service.api.deps import ApiDeps, CanHold, Deps, Principal
from service.api.expiry import expire_untouched
from service.api.inspecting import delete_withheld
from service.api.plates import delete_plates
from service.api.problems import problem_responses
from service.decisions.evidence_kinds import ORIGINAL, ORIGINALS, kind_of_name
from service.periodic import Periodic
from service.store import audit, orders, retention
from service.store.audit import Action
from service.store.backlog import forget_delivered
from service.store.records import HistoryEntry, HistoryKind

EVERY_S = 3600.0
AT_ONCE = 200
"""Orders of one round, so that a backlog does not hold up others."""
ACTOR = "retention"
KEEP_DELIVERED = timedelta(days=30)
"""How long the log shows what was delivered; what was given up stays."""

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/api/v1/work-orders", tags=["work orders"])


class LegalHoldIn(BaseModel):
    """Why evidence must be kept."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"reason": "objection 12/2026"}}
    )

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]


@router.put("/{order_id}/legal-hold", status_code=204, responses=problem_responses(404))
def put_hold(order_id: UUID, body: LegalHoldIn, who: CanHold, deps: Deps) -> None:
    """Keep an order's evidence beyond its retention, until the hold is lifted."""
    _noted(deps, str(order_id), who, body.reason.strip())


@router.delete("/{order_id}/legal-hold", status_code=204, responses=problem_responses(404))
def delete_hold(order_id: UUID, who: CanHold, deps: Deps) -> None:
    """Lift a legal hold: the evidence's retention goes on."""
    _noted(deps, str(order_id), who, None)


def _noted(deps: ApiDeps, order_id: str, who: Principal, reason: str | None) -> None:
    with deps.database.write() as connection:
        order = orders.get_order(connection, order_id, lock=True)
        at = orders.tick(connection, deps.now())
        if reason is None:
            done, note = retention.release(connection, order_id), "legal hold lifted"
        else:
            done = retention.hold(connection, order_id, reason, who.name, at.at)
            note = f"legal hold: {reason}"
        if done:
            changed = orders.change_order(connection, order, at)
            entry = HistoryEntry(
                version=changed.version, at=at.at, actor=who.name, kind=HistoryKind.NOTE, note=note
            )
            orders.add_history(connection, order_id, [entry])
            audit.append(
                connection,
                at=at.at,
                actor=actor_of(who),
                action=Action.HOLD_LIFTED if reason is None else Action.HOLD_SET,
                subject=f"order:{order_id}",
            )


def delete_expired(deps: ApiDeps) -> int:
    """Delete the evidence of orders that are over for as long as the city's file says; how many."""
    days = {} if deps.city is None else dict(deps.city.retention.days)
    if not days:
        return 0
    now = deps.now()
    usual = days.pop(DEFAULT_RETENTION, None)
    before = {category: now - timedelta(days=count) for category, count in days.items()}
    otherwise = None if usual is None else now - timedelta(days=usual)
    with deps.database.read() as connection:
        found = retention.expired(connection, before, otherwise, AT_ONCE)
    for order_id in found:
        _delete(deps, order_id)
    return len(found)


def _delete(deps: ApiDeps, order_id: str) -> None:
    with deps.database.write() as connection:
        order = orders.get_order(connection, order_id, lock=True)
        if retention.is_held(connection, order_id):
            return  # since the look for it
        files = retention.forget_evidence(connection, order_id)
        # Before the rows are gone for good: a file without a row would never be deleted.
        for name, digest in files:
            deps.files.delete_evidence(digest, kind_of_name(name).suffix)
        at = orders.tick(connection, deps.now())
        changed = orders.change_order(connection, order, at)
        entry = HistoryEntry(
            version=changed.version,
            at=at.at,
            actor=ACTOR,
            kind=HistoryKind.NOTE,
            note=f"evidence deleted: {len(order.files)} files",
        )
        orders.add_history(connection, order_id, [entry])
        audit.append(
            connection,
            at=at.at,
            actor=ACTOR,
            action=Action.EVIDENCE_EXPIRED,
            subject=f"order:{order_id}",
            detail={"files": len(order.files)},
        )
    log.info("evidence deleted", order=order_id, files=len(order.files))


def delete_told(deps: ApiDeps) -> None:
    """Delete deliveries, with their attempts, that reached their receivers long ago."""
    before = deps.now() - KEEP_DELIVERED
    after_id: int | None = 0
    while after_id is not None:
        # In small steps, so that nobody waits long for the database.
        with deps.database.write() as connection:
            after_id = forget_delivered(connection, before, after_id)


def delete_originals(deps: ApiDeps) -> int:
    """Delete unblurred originals that had their own, shorter time; how many were due.

    Counted from when they came, also of orders that are still open; without a city's file too.
    """
    days = (Retention() if deps.city is None else deps.city.retention).originals_days
    now = deps.now()
    with deps.database.read() as connection:
        due = [
            file
            for name in ORIGINALS
            for file in retention.expired_originals(
                connection, name, now - timedelta(days=days), AT_ONCE
            )
        ]
    for file in due:
        with deps.database.write() as connection:
            orders.get_order(connection, file.order_id, lock=True)  # a hold comes before or after
            if not retention.forget_original(connection, file):
                continue
            deps.files.delete_evidence(file.sha256, ORIGINAL.suffix)
            audit.append(
                connection,
                at=now,
                actor=ACTOR,
                action=Action.ORIGINAL_EXPIRED,
                subject=f"order:{file.order_id}",
                detail={"incident_id": file.incident_id, "sha256": file.sha256},
            )
    return len(due)


def retention_worker(deps: ApiDeps, every_s: float = EVERY_S) -> Periodic:
    """Deletes what has had its time, every hour, between entering and leaving it."""

    def job() -> bool:
        counts = {
            delete_expired(deps),
            delete_originals(deps),
            delete_plates(deps, AT_ONCE),
            delete_withheld(deps, AT_ONCE),
            expire_untouched(deps),
        }
        delete_told(deps)
        log_head(deps)
        return AT_ONCE in counts

    return Periodic("retention", job, every_s)
