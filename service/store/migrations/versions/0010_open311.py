"""Times by which orders are due, and what citizens report."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from service.store.schema import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in _columns():
        op.add_column("orders", column)
    op.create_index("ix_orders_sla_next_at", "orders", ["sla_next_at"])
    op.create_table(
        "reports",
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("service_code", sa.String(length=100), nullable=False),
        sa.Column("media_url", sa.Text(), nullable=False),
        sa.Column("contact", sa.JSON(), nullable=False),
        sa.Column("near_order_id", sa.String(length=36)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name="fk_reports_order_id_orders"
        ),
        sa.PrimaryKeyConstraint("order_id", name="pk_reports"),
        comment="What citizens said beside the order made of it; contact is personal data.",
    )
    op.create_index("ix_reports_created_at", "reports", ["created_at"])


def downgrade() -> None:
    op.drop_table("reports")
    op.drop_index("ix_orders_sla_next_at", "orders")
    for column in reversed(_columns()):
        op.drop_column("orders", column.name)


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("accept_warn_at", UtcDateTime()),
        sa.Column("accept_due_at", UtcDateTime()),
        sa.Column("warn_at", UtcDateTime()),
        sa.Column("due_at", UtcDateTime()),
        sa.Column("sla_told", sa.String(length=100), nullable=False, server_default=""),
        sa.Column("sla_next_at", UtcDateTime()),
    ]
