"""Webhooks: filters, formats, two secrets at a time, and when a receiver last worked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.schema import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

DEAD = sa.text("state = 'dead'")


def upgrade() -> None:
    for column in _columns():
        op.add_column("subscriptions", column)
    op.create_index(
        "ix_deliveries_dead",
        "deliveries",
        ["subscription_id", "delivery_id"],
        sqlite_where=DEAD,
        postgresql_where=DEAD,
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_dead", "deliveries")
    for column in reversed(_columns()):
        op.drop_column("subscriptions", column.name)


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("kind", sa.String(length=20), nullable=False, server_default="webhook"),
        sa.Column("format", sa.String(length=20), nullable=False, server_default="cloudevents"),
        sa.Column("zone_ids", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("camera_ids", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("statuses", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("previous_secret", sa.Text()),
        sa.Column("previous_secret_until", UtcDateTime()),
        sa.Column("disabled_at", UtcDateTime()),
        sa.Column("last_success_at", UtcDateTime()),
        sa.Column("failing_since", UtcDateTime()),
    ]
