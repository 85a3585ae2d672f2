"""Who may do what: roles, permissions, and the steps of an order that each role may make."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum

from models.work_order import RejectReason, Status


class Role(StrEnum):
    """What a user or an API key is for."""

    VIEWER = "viewer"
    """Looks, and changes nothing."""
    OPERATOR = "operator"
    """Watches what comes in: looks, notes, and rejects false alarms."""
    DISPATCHER = "dispatcher"
    """Leads the work: hands orders to departments, rejects, verifies, closes and reopens."""
    CREW = "crew"
    """Does the work of its departments: accepts, begins and resolves."""
    CLIENT = "client"
    """A city's own system: what a dispatcher and a crew do together, and webhooks."""
    DETECTOR = "detector"
    """A detector daemon: it reports, and looks at the photos of citizens' reports."""
    REPORTER = "reporter"
    """A citizens' app: it hands in reports, and reads what everybody may read."""
    ADMIN = "admin"
    """Everything; also what a detector does, so that a small installation needs one key."""


class Permission(StrEnum):
    """A kind of request."""

    REPORT = "report"
    """Post orders, evidence, observations and camera reports."""
    SUBMIT = "submit"
    """Hand in citizens' reports by Open311."""
    INSPECT = "inspect"
    """Get citizens' photos before they are blurred, and tell what they show; each time logged."""
    READ = "read"
    WORK = "work"
    """Change orders; which steps, the role says too."""
    SUBSCRIBE = "subscribe"
    """Manage webhooks."""
    HOLD = "hold"
    """Keep evidence beyond its retention, and lift that again."""
    ORIGINALS = "originals"
    """Get unblurred originals, which only their holder can decrypt; each time is logged."""
    READ_PLATES = "read_plates"
    """Get the licence plates that a city's own reader read; each time is logged."""
    MANAGE = "manage"
    """Manage keys."""


_WORKS = frozenset({Permission.READ, Permission.WORK, Permission.SUBMIT})
_ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.OPERATOR: _WORKS,
    Role.DISPATCHER: _WORKS | {Permission.SUBSCRIBE, Permission.READ_PLATES},
    Role.CREW: _WORKS,
    Role.CLIENT: _WORKS | {Permission.SUBSCRIBE},
    Role.DETECTOR: frozenset({Permission.REPORT, Permission.SUBMIT, Permission.INSPECT}),
    Role.REPORTER: frozenset({Permission.SUBMIT}),
    Role.ADMIN: frozenset(Permission),
}

_OF_DISPATCHERS = frozenset(
    {
        Status.DISPATCHED,
        Status.REJECTED,
        Status.DUPLICATE,
        Status.VERIFIED,
        Status.CLOSED,
        Status.REOPENED,
    }
)
_OF_CREWS = frozenset({Status.ACCEPTED, Status.IN_PROGRESS, Status.RESOLVED})
_MOVES: dict[Role, frozenset[Status]] = {
    Role.VIEWER: frozenset(),
    Role.OPERATOR: frozenset({Status.REJECTED}),
    Role.DISPATCHER: _OF_DISPATCHERS,
    Role.CREW: _OF_CREWS,
    Role.CLIENT: _OF_DISPATCHERS | _OF_CREWS,
    Role.DETECTOR: frozenset(),
    Role.REPORTER: frozenset(),
    Role.ADMIN: _OF_DISPATCHERS | _OF_CREWS,
}
"""Statuses that each role may give. Nobody gives ``expired``: time does."""
_REASSIGNS = frozenset({Role.DISPATCHER, Role.CLIENT, Role.ADMIN})
_REASONS: dict[Role, frozenset[RejectReason]] = {
    Role.OPERATOR: frozenset({RejectReason.FALSE_ALARM}),
}
"""Roles that may reject for these reasons only."""

WHOLE_CITY_ONLY = frozenset({Role.DETECTOR, Role.REPORTER, Role.ADMIN})
"""Roles that cannot be limited to departments: they could undo the limit, or see what is nobody's
yet."""
NOT_FOR_PERSONS = frozenset({Role.DETECTOR, Role.REPORTER})
"""Roles of programs that read no orders: a person could not even sign in."""
DEPARTMENTS_NEEDED = frozenset({Role.CREW})
"""Roles that work for departments and nobody else."""


def may(role: Role, permission: Permission) -> bool:
    """Whether users and keys of this role may make such requests."""
    return permission in _ALLOWED[role]


def permissions_of(role: Role) -> list[Permission]:
    """All kinds of requests that a role may make."""
    return sorted(_ALLOWED[role])


def roles_with(permission: Permission) -> list[Role]:
    """Roles that may make such requests."""
    return [role for role in Role if may(role, permission)]


def moves_of(role: Role) -> list[Status]:
    """Statuses that a role may give to orders."""
    return sorted(_MOVES[role])


def may_reassign(role: Role) -> bool:
    """Whether a role may hand orders to a department."""
    return role in _REASSIGNS


def reasons_of(role: Role) -> list[RejectReason]:
    """Reasons for which a role may reject orders."""
    if Status.REJECTED not in _MOVES[role]:
        return []
    return sorted(_REASONS.get(role, frozenset(RejectReason)))


def roles_for_change(
    status: Status | None, reason_code: RejectReason | None, *, reassigns: bool
) -> list[Role]:
    """Roles that may change an order so; ``status`` None: it stays."""
    return [
        role
        for role in Role
        if may(role, Permission.WORK)
        and (status is None or status in _MOVES[role])
        and (status is not Status.REJECTED or reason_code in _REASONS.get(role, {reason_code}))
        and (not reassigns or may_reassign(role))
    ]


def scope_problem(role: Role, department_ids: Collection[str]) -> str | None:
    """Why a role cannot be limited to these departments (none: the whole city), or None."""
    if department_ids and role in WHOLE_CITY_ONLY:
        return f"role {role} is for the whole city: it cannot be limited to departments"
    if not department_ids and role in DEPARTMENTS_NEEDED:
        return f"role {role} needs at least one department"
    return None


def in_words(roles: Sequence[Role]) -> str:
    """Roles as a person reads them: ``dispatcher, client or admin``."""
    *first, last = roles
    return f"{', '.join(first)} or {last}" if first else str(last)


def is_same_origin(host: str, origin: str | None, fetch_site: str | None) -> bool:
    """Whether a browser's request comes from the service's own page.

    ``Sec-Fetch-Site`` says so itself; older browsers send only ``Origin``. A request with neither
    header is not trusted: a cookie alone must not be enough to change anything.
    """
    if fetch_site is not None:
        return fetch_site == "same-origin"
    if origin is None:
        return False
    _, separator, origin_host = origin.partition("://")
    return bool(separator) and origin_host.lower() == host.lower()
