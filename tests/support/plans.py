"""How a database means to answer: the plans of the statements that some code executes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One statement and how it is answered."""

    statement: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        """The plan as the database tells it."""
        return "\n".join(self.lines)


def plans_of(database: Database, work: Callable[[Connection], object]) -> list[Plan]:
    """The plans of all statements that read or change tables in ``work``; nothing is kept."""
    executed: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        if statement.split(maxsplit=1)[0] in {"SELECT", "UPDATE", "DELETE", "INSERT", "WITH"}:
            executed.append((statement, values))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.engine.connect() as connection, connection.begin() as transaction:
            work(connection)
            transaction.rollback()
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
    return [_plan(database, statement, values) for statement, values in executed]


def _plan(database: Database, statement: str, values: Any) -> Plan:
    is_sqlite = database.engine.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    with database.read() as connection:
        rows = connection.exec_driver_sql(f"{explain} {statement}", values).all()
    return Plan(statement=statement, lines=tuple(str(row[-1]) for row in rows))
