"""Who may do what."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What an API key is for."""

    DETECTOR = "detector"
    """A detector daemon: it reports and reads nothing."""
    CLIENT = "client"
    """A city's system: reads, changes orders, subscribes."""
    ADMIN = "admin"
    """Everything; also what a detector does, so that a small installation needs one key."""


class Permission(StrEnum):
    """A kind of request."""

    REPORT = "report"
    """Post orders, evidence, observations and camera reports."""
    READ = "read"
    WORK = "work"
    """Change orders."""
    SUBSCRIBE = "subscribe"
    """Manage webhooks."""
    HOLD = "hold"
    """Keep evidence beyond its retention, and lift that again."""
    ORIGINALS = "originals"
    """Get unblurred originals, which only their holder can decrypt; each time is logged."""


_ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.DETECTOR: frozenset({Permission.REPORT}),
    Role.CLIENT: frozenset({Permission.READ, Permission.WORK, Permission.SUBSCRIBE}),
    Role.ADMIN: frozenset(Permission),
}


def may(role: Role, permission: Permission) -> bool:
    """Whether keys of this role may make such requests."""
    return permission in _ALLOWED[role]


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
