"""Runs migrations on the connection it is given, in that connection's transaction."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from service.store.schema import metadata

UPGRADE_LOCK = 0x5357_4D49
"""PostgreSQL advisory lock: two services that start at once migrate one after the other."""


def run() -> None:
    connection = context.config.attributes["connection"]
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
