"""Who is signed in, and what they may do, as the page is told."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from models.work_order import RejectReason, Status
from service.decisions.access import (
    Permission,
    Role,
    may_reassign,
    moves_of,
    permissions_of,
    reasons_of,
)
from service.store.records import ApiKey, User


class SessionOut(BaseModel):
    """A session that has begun."""

    name: str
    role: Role
    expires_at: datetime


class WhoOut(BaseModel):
    """Who is asking, and what they may do."""

    name: str
    kind: Literal["user", "key"]
    role: Role
    department_ids: list[str] = Field(description="What they see; empty: the whole city.")
    permissions: list[Permission]
    may_set: list[Status] = Field(description="Statuses that they may give to orders.")
    reject_reasons: list[RejectReason] = Field(description="For which they may reject.")
    may_reassign: bool = Field(description="Whether they may hand orders to departments.")
    service: str


def session_out(owner: ApiKey | User, until: datetime) -> SessionOut:
    """The session of a key or a user."""
    return SessionOut(name=owner.name, role=Role(owner.role), expires_at=until)


def who_out(owner: ApiKey | User, service: str) -> WhoOut:
    """A key or a user, with all that follows from its role."""
    role = Role(owner.role)
    return WhoOut(
        name=owner.name,
        kind="user" if isinstance(owner, User) else "key",
        role=role,
        department_ids=list(owner.department_ids),
        permissions=permissions_of(role),
        may_set=moves_of(role),
        reject_reasons=reasons_of(role),
        may_reassign=may_reassign(role),
        service=service,
    )
