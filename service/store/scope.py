"""Whose orders a connection may see: the one place where departments are kept apart.

A scope belongs to the connection, not to a query: the service opens each request's connections with
the scope of whoever asks (``Database.scoped``), and every query for orders, or for what belongs to
them, has :func:`within` among its conditions. So a new route is limited without doing anything,
and code that works for the whole city, such as retention, uses the database as it was opened.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

OPTION = "streetwarden_scope"
"""Execution option of a connection that holds its scope."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Departments whose orders may be seen and changed."""

    department_ids: tuple[str, ...] = ()
    """Empty: the whole city, also what is nobody's yet."""

    @property
    def is_whole_city(self) -> bool:
        """Whether nothing is out of sight."""
        return not self.department_ids

    def covers(self, department_id: str | None) -> bool:
        """Whether an order of this department may be seen; ``None``: nobody's yet."""
        return self.is_whole_city or department_id in self.department_ids

    def includes(self, other: Scope) -> bool:
        """Whether everything that the other may see is in sight."""
        if self.is_whole_city or other.is_whole_city:
            return self.is_whole_city
        return set(other.department_ids) <= set(self.department_ids)


WHOLE_CITY = Scope()


def scope_of(connection: Connection) -> Scope:
    """The scope with which a connection was opened."""
    scope: Scope = connection.get_execution_options().get(OPTION, WHOLE_CITY)
    return scope


def within(
    connection: Connection, department_id: sa.ColumnElement[str | None]
) -> sa.ColumnElement[bool]:
    """The condition that a row's department is in the connection's scope."""
    scope = scope_of(connection)
    return sa.true() if scope.is_whole_city else department_id.in_(scope.department_ids)
